# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ground that is behind lowers the frame rate, and nothing else."""

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.onboard.frame_rate import FrameRate
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

FPS = 15.0


class Flight:
    """Both pipelines without a link; the ground needs `show_s` for a frame and skips older ones."""

    def __init__(self, **config):
        model = checkpoint.untrained()
        self.drone = OnboardPipeline(model, OnboardConfig(rate_mode="auto", **config))
        self.ground = GroundPipeline(model, GroundConfig(mask=False, preview=False))
        self.show_s = 0.0
        self.sent, self.shown, self.indices = [], [], []
        self._free_s = 0.0
        self._number = 0
        self._waiting = []
        self.is_down = False
        self._on_link = []
        pictures = np.random.default_rng(0).integers(0, 255, (5, 48, 64, 3), np.uint8)
        self._pictures = list(pictures)

    def fly(self, seconds):
        for _ in range(round(seconds * FPS)):
            now_s = self._number / FPS
            picture = self._pictures[self._number % len(self._pictures)]
            self._number += 1
            frame = CameraFrame(picture, self._number, "camera")
            packets = self.drone.process(frame, now_s)
            if packets:
                self.sent.append(now_s)
                self.indices.append(self.drone.stats.rate_index)
            for packet in packets:
                self.drone.on_sent(packet, now_s)
                self._on_link.append(packet)
            if not self.is_down:
                for packet in self._on_link:
                    self._waiting += self.ground.accept(packet, now_s + 0.02)
                self._on_link.clear()
            if self._waiting and now_s >= self._free_s - 1e-9:
                self.ground.show(self._waiting[-1])
                self._waiting.clear()
                self.shown.append(now_s)
                self._free_s = now_s + self.show_s
            for report in self.ground.feedback(now_s + 0.03):
                self.drone.on_feedback(report, now_s + 0.05)

    def sent_fps(self, first_s, last_s):
        return sum(first_s <= time_s < last_s for time_s in self.sent) / (last_s - first_s)


def test_the_drone_sends_what_a_slow_ground_shows_at_full_quality_and_all_of_it_again():
    flight = Flight()
    flight.fly(6.0)
    assert flight.sent_fps(2, 6) == pytest.approx(FPS, rel=0.05)
    before = flight.indices[-1]

    flight.show_s = 0.199  # shows 5 frames/s
    flight.fly(14.0)
    assert 4 <= flight.sent_fps(12, 20) <= 7
    assert flight.indices[-1] >= before
    skipped = 1 - sum(12 <= t < 20 for t in flight.shown) / sum(12 <= t < 20 for t in flight.sent)
    assert skipped < 0.25
    assert flight.drone.stats.shown_fps is not None

    flight.show_s = 0.0
    flight.fly(14.0)
    assert flight.sent_fps(30, 34) == pytest.approx(FPS, rel=0.05)
    assert flight.drone.stats.shown_fps is None


def test_a_ground_that_shows_two_frames_a_second_is_not_sent_a_burst_now_and_then():
    flight = Flight()
    flight.show_s = 0.45
    flight.fly(48.0)
    shown = sum(8 <= time_s < 48 for time_s in flight.shown)
    assert shown >= 0.85 * 40 / 0.45
    assert flight.sent_fps(8, 48) * 40 < 1.6 * shown


def test_a_ground_that_stops_for_a_moment_is_not_taken_for_a_slow_one():
    """SHOWN.most_fall = 0: one frame/s for seconds, two results/s over these ten seconds."""
    flight = Flight()
    flight.show_s = 0.04
    flight.fly(6.0)
    flight.show_s = 1.5  # the next frame alone
    flight.fly(2 / FPS)
    flight.show_s = 0.04
    flight.fly(10.0)
    assert sum(6 <= time_s < 16 for time_s in flight.shown) > 60


def test_a_frame_that_is_skipped_now_and_then_limits_nothing():
    flight = Flight()
    flight.fly(2.0)
    for _ in range(10):
        flight.show_s = 0.13  # misses one frame
        flight.fly(2 / FPS)
        flight.show_s = 0.0
        flight.fly(1.0)
    assert flight.sent_fps(3, 12) == pytest.approx(FPS, rel=0.05)


def test_what_waited_on_a_link_that_had_stopped_is_not_a_slow_ground():
    """SHOWN.stop_s = 1e9: one or two frames/s for ten seconds and more."""
    flight = Flight()
    flight.fly(4.0)
    flight.is_down = True
    flight.fly(5.0)
    flight.is_down, flight.show_s = False, 0.05
    flight.fly(4.0)
    assert flight.drone.stats.shown_fps is None
    assert flight.sent_fps(10.5, 13) == pytest.approx(FPS, rel=0.1)


def test_the_limit_that_is_set_is_met_on_average():
    rate = FrameRate()
    rate.configure(10.0)
    taken = [number / 30 for number in range(300) if rate.is_due(number / 30)]
    assert len(taken) == pytest.approx(100, abs=2)
