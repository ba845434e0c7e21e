# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The camera node plays a recording at the times at which it was made."""

import time

import numpy as np
import pytest
from recordings import make_folder

from sc2_ros.errors import InputError
from sc2_ros.media.frames import FrameSource, SourceFrame
from sc2_ros.nodes.camera_node import LATE_S, CameraNode, Player
from sc2_ros.runtime.ros import SingleThreadedExecutor, rclpy

IMAGE = np.zeros((4, 4), np.uint8)


class Recording(FrameSource):
    """Frames at given seconds; their stamps say something else. None is what cannot be read."""

    name, fps = "recording", 10.0

    def __init__(self, *seconds):
        self.seconds = seconds

    def __iter__(self):
        for second in self.seconds:
            if second is None:
                raise InputError("the rest is damaged")
            yield SourceFrame(IMAGE, 7, "cam", played_ns=round(second * 1e9))


def play(source, deadline_s=20.0, show=lambda frame: None):
    """When each frame was shown, in seconds from the first; once the source has ended."""
    shown, ended = [], []

    def note(frame):
        shown.append(time.monotonic())
        show(frame)

    player = Player(source, note, lambda: ended.append(True))
    player.start()
    give_up = time.monotonic() + deadline_s
    while not ended:
        player.check()
        assert time.monotonic() < give_up
        time.sleep(0.002)
    player.stop()
    return np.array(shown) - shown[0]


def test_frames_come_when_they_were_recorded_and_not_at_a_mean_rate():
    seconds = [1e9, 1e9 + 0.02, 1e9 + 0.04, 1e9 + 0.3, 1e9 + 0.32]

    shown = play(Recording(*seconds))

    due = np.array(seconds) - seconds[0]
    assert (shown >= due - 0.05).all()
    assert shown[3] - shown[2] > 0.2
    assert shown[-1] < due[-1] + LATE_S + 5.0


def test_a_player_that_was_held_up_does_not_rush_through_what_it_missed():
    held = iter([LATE_S + 0.2, 0, 0, 0])
    shown = play(Recording(0.0, 0.05, 0.1, 0.15), show=lambda frame: time.sleep(next(held)))

    assert (np.diff(shown)[1:] > 0.03).all()


def test_a_pause_ends_when_the_node_does():
    player = Player(Recording(0.0, 3600.0), lambda frame: None, lambda: None)
    player.start()
    begun_s = time.monotonic()
    player.stop()
    assert time.monotonic() - begun_s < 5.0


def test_what_cannot_be_read_is_raised_where_the_node_sees_it():
    with pytest.raises(InputError, match="damaged"):
        play(Recording(0.0, 0.01, None))


def test_what_cannot_be_read_ends_a_node_that_waits_for_a_clock(private_domain, tmp_path):
    folder = make_folder(tmp_path / "images")
    words = ("-p", "use_sim_time:=true", "-p", f"input:={folder}", "-p", "fps:=20.0")
    rclpy.init(args=["node", "--ros-args", *words])
    executor = SingleThreadedExecutor()
    executor.add_node(CameraNode())
    for image in folder.iterdir():
        image.unlink()

    def spin():
        give_up = time.monotonic() + 60.0
        while time.monotonic() < give_up:
            executor.spin_once(0.05)

    try:
        with pytest.raises(InputError, match="not an image that can be read"):
            spin()
    finally:
        rclpy.try_shutdown()
