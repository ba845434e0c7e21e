# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Timers over a clock of ROS."""

import math
from collections.abc import Callable
from typing import Any

from .clock import Clock


class Timer:
    """Calls back every period of its clock; periods that passed meanwhile are skipped."""

    def __init__(self, period_ns: int, callback: Callable[[], Any], clock: Clock) -> None:
        self.timer_period_ns = period_ns
        self.callback = callback
        self._clock = clock
        self._canceled = False
        self.reset()

    def reset(self) -> None:
        self._canceled = False
        self._next_ns = self._clock.nanoseconds() + self.timer_period_ns

    def cancel(self) -> None:
        self._canceled = True

    def wait_ns(self) -> int | None:
        """Nanoseconds of its clock until it is due (0: now); None where it is cancelled."""
        if self._canceled:
            return None
        now_ns = self._clock.nanoseconds()
        if self._next_ns - now_ns > self.timer_period_ns:  # the clock was set back
            self._next_ns = now_ns + self.timer_period_ns
        return max(0, self._next_ns - now_ns)

    def call(self) -> None:
        late_ns = self._clock.nanoseconds() - self._next_ns
        period_ns = max(1, self.timer_period_ns)
        self._next_ns += period_ns * max(1, math.ceil(late_ns / period_ns))
        self.callback()
