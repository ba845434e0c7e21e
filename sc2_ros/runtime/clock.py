# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""Time, duration and the clock that `use_sim_time` can drive, with rclpy's interface."""

import time
from enum import IntEnum
from functools import total_ordering
from typing import Any

from sc2_ros.runtime.messages import message_type

_TimeMsg = message_type("builtin_interfaces/msg/Time")
_DurationMsg = message_type("builtin_interfaces/msg/Duration")
NS_PER_S = 1_000_000_000


class ClockType(IntEnum):
    """Which clock a time was read from; times of different clocks do not compare."""

    ROS_TIME = 1
    SYSTEM_TIME = 2
    STEADY_TIME = 3


@total_ordering
class Duration:
    """Signed length of time in nanoseconds."""

    def __init__(self, *, seconds: float = 0, nanoseconds: int = 0) -> None:
        self.nanoseconds = int(seconds * NS_PER_S) + int(nanoseconds)

    def to_msg(self) -> Any:
        sec, nanosec = divmod(self.nanoseconds, NS_PER_S)
        return _DurationMsg(sec=sec, nanosec=nanosec)

    @classmethod
    def from_msg(cls, msg: Any) -> "Duration":
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Duration) and self.nanoseconds == other.nanoseconds

    def __lt__(self, other: "Duration") -> bool:
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash(self.nanoseconds)

    def __repr__(self) -> str:
        return f"Duration(nanoseconds={self.nanoseconds})"


@total_ordering
class Time:
    """Point in time in nanoseconds of one clock."""

    def __init__(
        self,
        *,
        seconds: float = 0,
        nanoseconds: int = 0,
        clock_type: ClockType = ClockType.SYSTEM_TIME,
    ) -> None:
        self.nanoseconds = int(seconds * NS_PER_S) + int(nanoseconds)
        self.clock_type = clock_type
        if self.nanoseconds < 0:
            raise ValueError("Time must not be negative")

    def seconds_nanoseconds(self) -> tuple[int, int]:
        return divmod(self.nanoseconds, NS_PER_S)

    def to_msg(self) -> Any:
        sec, nanosec = self.seconds_nanoseconds()
        return _TimeMsg(sec=sec, nanosec=nanosec)

    @classmethod
    def from_msg(cls, msg: Any, clock_type: ClockType = ClockType.ROS_TIME) -> "Time":
        return cls(seconds=msg.sec, nanoseconds=msg.nanosec, clock_type=clock_type)

    def __add__(self, other: Duration) -> "Time":
        return Time(nanoseconds=self.nanoseconds + other.nanoseconds, clock_type=self.clock_type)

    def __sub__(self, other: "Time | Duration") -> Any:
        difference = self.nanoseconds - other.nanoseconds
        if isinstance(other, Duration):
            return Time(nanoseconds=difference, clock_type=self.clock_type)
        self._check(other)
        return Duration(nanoseconds=difference)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Time):
            return NotImplemented
        self._check(other)
        return self.nanoseconds == other.nanoseconds

    def __lt__(self, other: "Time") -> bool:
        self._check(other)
        return self.nanoseconds < other.nanoseconds

    def __hash__(self) -> int:
        return hash((self.nanoseconds, self.clock_type))

    def __repr__(self) -> str:
        return f"Time(nanoseconds={self.nanoseconds}, clock_type={self.clock_type.name})"

    def _check(self, other: "Time") -> None:
        if self.clock_type != other.clock_type:
            raise TypeError("Can't compare times with different clock types")


class Clock:
    """System or steady clock; a ROS clock follows /clock once `set_ros_time_override` is used."""

    def __init__(self, *, clock_type: ClockType = ClockType.SYSTEM_TIME) -> None:
        self.clock_type = clock_type
        self._override_ns: int | None = None

    def now(self) -> Time:
        return Time(nanoseconds=self.nanoseconds(), clock_type=self.clock_type)

    def nanoseconds(self) -> int:
        if self._override_ns is not None:
            return self._override_ns
        return time.monotonic_ns() if self.clock_type == ClockType.STEADY_TIME else time.time_ns()

    @property
    def ros_time_is_active(self) -> bool:
        return self._override_ns is not None

    def set_ros_time_override(self, nanoseconds: int | None) -> None:
        """Follow simulated time from here on (`None`: the system clock again)."""
        self._override_ns = nanoseconds
