# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both pipelines behind cameras and clocks that do what real ones do."""

from dataclasses import replace

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.image_reader import ImageReader
from sc2_ros.media.messages import image_message
from sc2_ros.onboard.config import encoded_size
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

EVERYTHING = GroundConfig(score_threshold=0.0, max_detections=5, mask=False, preview=False)
FIXED = OnboardConfig(rate_mode="fixed", rate_index=0.3)
MODEL = checkpoint.untrained(0)


class Flight:
    """A drone and its station, without a link between them."""

    def __init__(self, onboard=FIXED, ground=EVERYTHING):
        self.onboard = OnboardPipeline(MODEL, onboard)
        self.ground = GroundPipeline(MODEL, ground)

    def fly(self, size, stamp_ns, now_s, frame_id="cam"):
        """Results and feedback of one image of (width, height)."""
        image = np.random.default_rng(0).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
        packets = self.onboard.process(CameraFrame(image, stamp_ns, frame_id), now_s)
        results = []
        for packet in packets:
            self.onboard.on_sent(packet, now_s)
            results += self.ground.receive(packet, now_s + 0.01)
        for feedback in self.ground.feedback(now_s + 0.01):
            self.onboard.on_feedback(feedback, now_s + 0.02)
        return results


@pytest.mark.parametrize("mode", ["fixed", "budget", "auto"])
def test_the_camera_changes_its_size_in_mid_stream(mode):
    flight = Flight(replace(FIXED, rate_mode=mode))
    sizes = [(96, 64), (160, 128), (64, 96), (33, 47), (96, 64)]

    for number, size in enumerate(sizes):
        # A new size waits for a second frame that confirms it; then both are shown.
        results = []
        for again in range(2):
            now_s = number * 0.2 + again * 0.1
            results += flight.fly(size, round(now_s * 1e9), now_s)

        assert [result.source_size for result in results] == [size] * 2
        for result in results:
            assert result.packets_received == result.packets_expected
            assert (result.boxes[:, 2] <= size[0]).all()
    assert flight.ground.stats.bad_packets == {}


def test_an_image_of_4k_is_scaled_down_and_its_boxes_back_up():
    flight = Flight(replace(FIXED, frame_width=480, frame_height=270))

    (result,) = flight.fly((3840, 2160), 0, 0.0)

    assert result.source_size == (3840, 2160)
    assert result.boxes.max() > 480
    assert result.boxes[:, 2].max() <= 3840


@pytest.mark.parametrize("stamps", [(100, 101, 102, 5, 6, 7), (100, 101, 4000, 4001, 102, 103)])
@pytest.mark.parametrize("mode", ["fixed", "auto"])
def test_a_bag_that_loops_or_a_clock_that_steps_stops_nothing(mode, stamps):
    flight = Flight(replace(FIXED, rate_mode=mode))

    seen = [
        result.stamp_ns
        for number, stamp_s in enumerate(stamps)
        for result in flight.fly((96, 64), stamp_s * 10**9, number * 0.1)
    ]

    assert seen == [stamp_s * 10**9 for stamp_s in stamps]
    assert flight.onboard.stats.frames_decoded > 0
    assert flight.onboard.stats.rtt_s >= 0


def test_a_camera_that_stops_and_returns_is_seen_at_once():
    flight = Flight(replace(FIXED, rate_mode="auto"))

    before = [flight.fly((96, 64), n, n * 0.1) for n in range(3)]
    after = [flight.fly((96, 64), 10**12 + n, 60.0 + n * 0.1) for n in range(3)]

    assert all(len(results) == 1 for results in before + after)


def test_a_station_that_joins_late_learns_the_frame_id_within_two_seconds():
    flight = Flight()
    for number in range(2):
        flight.fly((96, 64), number, number * 0.05, "front")
    flight.ground = GroundPipeline(MODEL, EVERYTHING)

    names = []
    for number in range(1, 20):
        names += [r.frame_id for r in flight.fly((96, 64), number * 10**8, number / 10, "front")]

    # The station before it is followed until it has been silent for a second.
    assert names[0] == ""
    assert names[-1] == "front"


def test_a_frame_of_more_pixels_than_expected_is_refused_and_counted():
    flight = Flight(ground=replace(EVERYTHING, max_pixels=96 * 64))

    assert len(flight.fly((96, 64), 0, 0.0)) == 1
    assert flight.fly((97, 64), 1, 0.1) == []

    assert sum(flight.ground.stats.bad_packets.values()) > 0
    assert "97x64" in flight.ground.stats.last_error
    flight.ground.configure(replace(EVERYTHING, max_pixels=97 * 64))
    flight.fly((97, 64), 2, 0.2)
    assert len(flight.fly((97, 64), 3, 0.3)) >= 1  # a new size, confirmed


def test_an_image_larger_than_stations_take_is_scaled_down():
    flight = Flight(replace(FIXED, frame_max_pixels=96 * 64), replace(EVERYTHING, max_pixels=6144))

    (result,) = flight.fly((384, 256), 0, 0.0)

    assert flight.ground.stats.bad_packets == {}
    assert result.source_size == (384, 256)
    assert result.boxes.max() > 96
    defaults = OnboardConfig().frame_max_pixels, GroundConfig().max_pixels
    assert defaults[0] <= defaults[1]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ((1920, 1080), (1920, 1080)),
        ((3840, 2160), (1920, 1080)),  # a half, though 2108x1185 would be allowed
        ((2560, 1440), (2108, 1185)),
        ((7680, 4320), (1920, 1080)),
        ((4096, 640), (4000, 625)),
    ],
)
def test_the_size_of_large_images(source, expected):
    assert encoded_size(source, OnboardConfig()) == expected
    width, height = expected
    assert width * height <= OnboardConfig().frame_max_pixels


class Unread:
    """A picture that counts how often it is decoded."""

    size = (192, 128)

    def __init__(self):
        self.sizes = []

    def read(self, size):
        self.sizes.append(size)
        return np.full((size[1], size[0], 3), 90, np.uint8)


def test_only_what_is_sent_is_decoded_and_only_at_its_size():
    onboard = OnboardPipeline(
        MODEL, replace(FIXED, frame_max_fps=5, frame_width=96, frame_height=64)
    )
    images = [Unread() for _ in range(30)]

    sent = [
        onboard.process(CameraFrame(image, number, "cam"), number / 30) != []
        for number, image in enumerate(images)
    ]

    assert sum(sent) == 5
    assert [image.sizes for image in images] == [[(96, 64)] if s else [] for s in sent]


@pytest.mark.parametrize("stamps", [(0,) * 5, (7,) * 5], ids=["zero", "equal"])
def test_stamps_that_stand_still_leave_the_results_in_order(stamps):
    flight = Flight(replace(FIXED, rate_mode="auto"))
    frames = []
    for number, stamp in enumerate(stamps):
        (result,) = flight.fly((96, 64), stamp, number * 0.1)
        frames.append(result.frame)
        assert result.stamp_ns == stamp
    assert frames == list(range(5))


def test_of_an_image_that_is_not_due_no_message_is_made():
    made = []

    def message():
        made.append(1)
        return image_message(np.zeros((64, 96, 3), np.uint8), 0, "cam")

    onboard, reader = OnboardPipeline(MODEL, replace(FIXED, frame_max_fps=5.0)), ImageReader()
    for number in range(30):
        now_s = number / 30
        frame = CameraFrame(reader.open_later(message), round(now_s * 1e9), "cam")
        onboard.process(frame, now_s)

    assert len(made) == onboard.stats.frames_sent == 5
