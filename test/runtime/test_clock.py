# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Times, durations, and timers on a clock that a test moves."""

import pytest

from sc2_ros.runtime.clock import Clock, ClockType, Duration, Time
from sc2_ros.runtime.executor import Timer


def test_times_and_durations_calculate():
    start = Time(seconds=5, clock_type=ClockType.ROS_TIME)
    end = start + Duration(seconds=1.5)

    assert (end - start) == Duration(nanoseconds=1_500_000_000)
    assert (start - end).nanoseconds == -1_500_000_000
    assert start < end
    assert Time.from_msg(end.to_msg()) == end
    assert end.seconds_nanoseconds() == (6, 500_000_000)
    assert Duration.from_msg(Duration(nanoseconds=-1).to_msg()).nanoseconds == -1


def test_times_of_different_clocks_do_not_mix():
    with pytest.raises(TypeError, match="different clock types"):
        _ = Time(seconds=1) - Time(seconds=1, clock_type=ClockType.ROS_TIME)


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
