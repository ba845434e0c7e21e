# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times, and timers on a clock that a test moves."""

import pytest

from sc2_ros.runtime.clock import Clock, ClockType
from sc2_ros.runtime.timer import Timer


def test_a_time_is_told_in_seconds_and_nanoseconds():
    clock = Clock(clock_type=ClockType.ROS_TIME)
    clock.set_ros_time_override(6_500_000_000)

    now = clock.now()

    assert (now.nanoseconds, now.clock_type) == (6_500_000_000, ClockType.ROS_TIME)
    assert (now.to_msg().sec, now.to_msg().nanosec) == (6, 500_000_000)


@pytest.fixture
def clock():
    clock = Clock(clock_type=ClockType.ROS_TIME)
    clock.set_ros_time_override(1_000)
    return clock


def test_a_timer_is_due_every_period_and_skips_what_it_missed(clock):
    calls = []
    timer = Timer(100, lambda: calls.append(clock.nanoseconds()), clock)
    assert timer.wait_ns() == 100

    clock.set_ros_time_override(1_100)
    timer.call()
    assert timer.wait_ns() == 100

    clock.set_ros_time_override(1_550)
    assert timer.wait_ns() == 0
    timer.call()

    assert calls == [1_100, 1_550]
    assert timer.wait_ns() == 50


def test_a_clock_set_back_does_not_stop_a_timer(clock):
    timer = Timer(100, lambda: None, clock)

    clock.set_ros_time_override(10)

    assert timer.wait_ns() == 100


def test_a_cancelled_timer_waits_for_its_reset(clock):
    timer = Timer(100, lambda: None, clock)

    timer.cancel()
    assert timer.wait_ns() is None
    timer.reset()

    assert timer.wait_ns() == 100
