# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a controller takes of the processor."""

from __future__ import annotations

import time
from typing import Any

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import RateController, RateDecision

TIMED = 17
"""The stop-watch runs on one frame in so many: it takes longer than what it measures. Odd, since
feedback that comes with every other frame would else be in all of them or in none."""


class Timed:
    """A controller with a stop-watch of processor time, so that a busy machine does not count."""

    def __init__(self, rate: RateController) -> None:
        self.rate = rate
        self.seconds = 0.0
        self.frames = 0
        self._count = 0
        self._clock = _stopped

    @property
    def state(self) -> Any:
        """What the controller tells of itself, if anything."""
        return getattr(self.rate, "state", None)

    def allowance(self, now_s: float) -> RateDecision:
        """Counts the frames."""
        self._count += 1
        is_timed = self._count % TIMED == 0
        self._clock = time.process_time if is_timed else _stopped
        self.frames += is_timed
        begun_s = self._clock()
        decision = self.rate.allowance(now_s)
        self.seconds += self._clock() - begun_s
        return decision

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """Passed on."""
        begun_s = self._clock()
        self.rate.on_sent(size_bytes, now_s)
        self.seconds += self._clock() - begun_s

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Passed on."""
        begun_s = self._clock()
        self.rate.on_packet(frame, slice_number, size_bytes, now_s)
        self.seconds += self._clock() - begun_s

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """Passed on."""
        begun_s = self._clock()
        self.rate.on_feedback(feedback, now_s)
        self.seconds += self._clock() - begun_s


def _stopped() -> float:
    return 0.0
