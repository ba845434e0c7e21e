# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The calibration over the radio: what is new, seldom, and no more than fits."""

import numpy as np

from sc2_ros.media.messages import header
from sc2_ros.nodes.camera_info import LONGEST_PAUSE_S, MOST_COEFFICIENTS, CameraInfoRelay
from sc2_ros.runtime.ros import CameraInfo


class Radio:
    """Takes a camera's messages for some seconds and keeps what is published."""

    def __init__(self):
        self.times, self.told, self.warnings, self.now_s = [], [], [], 0.0
        self.relay = CameraInfoRelay(lambda *_: self, "/features", self.warnings.append)

    def publish(self, message):
        self.told.append(message)
        self.times.append(self.now_s)

    def fly(self, messages, fps=30):
        for message in messages:
            self.relay.take(message, self.now_s)
            self.now_s += 1 / fps
        return self


def info(focal=500.0, stamp_ns=0, d=(0.1, 0.0)):
    message = CameraInfo(width=640, height=480, distortion_model="plumb_bob")
    message.header = header(stamp_ns, "cam")
    message.k = np.array([focal, 0, 320, 0, focal, 240, 0, 0, 1])
    message.d = list(d)
    return message


def test_a_camera_that_stays_the_same_is_told_once():
    radio = Radio().fly(info(stamp_ns=n) for n in range(300))
    assert len(radio.told) == 1


def test_nan_is_told_once():
    radio = Radio().fly(info(focal=np.nan, d=(np.nan, 0.0)) for _ in range(300))
    assert len(radio.told) == 1


def test_a_zoom_lens_is_told_at_most_once_a_second_and_ever_more_seldom():
    radio = Radio().fly(info(focal=500.0 + n) for n in range(30 * 120))
    assert np.diff(radio.times).min() > 0.99
    assert len(radio.told) <= 9
    assert np.diff(radio.times).max() <= LONGEST_PAUSE_S + 1


def test_two_drivers_taking_turns_are_told_seldom():
    radio = Radio().fly(info(focal=500.0 + n % 2) for n in range(30 * 120))
    assert len(radio.told) <= 9


def test_the_last_change_is_told_though_no_message_follows_it():
    radio = Radio().fly([info(500.0), info(600.0)])
    assert [message.k[0] for message in radio.told] == [500.0]

    radio.relay.flush(0.9)
    assert len(radio.told) == 1
    radio.relay.flush(1.1)
    assert [message.k[0] for message in radio.told] == [500.0, 600.0]


def test_a_change_that_is_taken_back_is_not_told():
    radio = Radio().fly([info(500.0), info(600.0), info(500.0)])
    radio.relay.flush(5.0)
    assert [message.k[0] for message in radio.told] == [500.0]


def test_a_change_after_a_long_time_is_told_at_once():
    radio = Radio().fly([info(500.0)])
    radio.now_s = 100.0
    radio.fly([info(600.0)])
    assert radio.times == [0.0, 100.0]


def test_what_is_too_long_for_a_radio_is_not_passed_on_and_said_once():
    radio = Radio().fly(info(d=[0.0] * (MOST_COEFFICIENTS + 1)) for _ in range(5))
    assert radio.told == []
    (warning,) = radio.warnings
    assert "33 distortion coefficients" in warning
