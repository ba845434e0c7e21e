# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Time and the clock that `use_sim_time` can drive, with rclpy's interface."""

import time
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from .messages import message_type

_TimeMsg = message_type("builtin_interfaces/msg/Time")
NS_PER_S = 1_000_000_000


class ClockType(IntEnum):
    """Which clock a time was read from."""

    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3


@dataclass(frozen=True)
class Time:
    """Point in time in nanoseconds of one clock."""

    nanoseconds: int
    clock_type: ClockType

    def to_msg(self) -> Any:
        sec, nanosec = divmod(self.nanoseconds, NS_PER_S)
        return _TimeMsg(sec=sec, nanosec=nanosec)


class Clock:
    """System or steady clock; a ROS clock follows /clock once `set_ros_time_override` is used."""

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self.clock_type = clock_type
        self._override_ns: int | None = None

    def now(self) -> Time:
        return Time(self.nanoseconds(), self.clock_type)

    def nanoseconds(self) -> int:
        if self._override_ns is not None:
            return self._override_ns
        return time.monotonic_ns() if self.clock_type == ClockType.STEADY_TIME else time.time_ns()

    def set_ros_time_override(self, nanoseconds: int | None) -> None:
        """Follow simulated time from here on (`None`: the system clock again)."""
        self._override_ns = nanoseconds
