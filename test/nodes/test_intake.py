# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The thread between a packet's arrival and its decoding."""

import threading
import time

import pytest

from sc2_ros.nodes.intake import Intake

PERIOD_S = 0.005


def wait_for(condition, seconds=10.0):
    end_s = time.monotonic() + seconds
    while not condition() and time.monotonic() < end_s:
        time.sleep(0.001)
    assert condition()


def test_items_keep_their_order_and_nobody_waits_for_the_work():
    """While the first item is worked on, a hundred more are handed over."""
    gate, seen = threading.Event(), []

    def work(item):
        gate.wait(10)
        seen.append(item)

    intake = Intake(work, lambda: None, PERIOD_S)
    intake.start()
    for item in range(100):
        assert intake.put("a", item) is None
    assert seen == []
    gate.set()
    wait_for(lambda: len(seen) == 100)
    intake.stop()
    assert seen == list(range(100))


def test_keys_take_turns():
    """A drone that floods delays no other."""
    gate, seen = threading.Event(), []

    def work(item):
        gate.wait(10)
        seen.append(item)

    intake = Intake(work, lambda: None, PERIOD_S)
    for number in range(50):
        intake.put("flood", ("flood", number))
    for number in range(2):
        intake.put("calm", ("calm", number))
    intake.start()
    gate.set()
    wait_for(lambda: len(seen) == 52)
    intake.stop()
    assert [place for place, (key, _) in enumerate(seen) if key == "calm"] == [1, 3]
    assert [number for key, number in seen if key == "flood"] == list(range(50))


def test_ticks_come_with_and_without_items():
    """Feedback goes out of a station that hears nothing, and of one that is never idle."""
    ticks, worked = [], []
    intake = Intake(worked.append, lambda: ticks.append(len(worked)), PERIOD_S)
    intake.start()
    wait_for(lambda: len(ticks) > 3)
    before = len(ticks)
    while len(ticks) < before + 5:
        intake.put("a", 0)
        time.sleep(0.0002)
    intake.stop()
    assert len({count for count in ticks[before:] if count}) > 1  # in the middle of the work


def test_the_oldest_makes_room_and_is_given_back():
    """Nothing is lost without a word; what waits for longest can be seen."""
    intake = Intake(print, print, PERIOD_S, limit=2)
    assert intake.next("a") is None
    assert [intake.put("a", item) for item in (1, 2, 3)] == [None, None, 1]
    assert intake.next("a") == 2
    assert intake.put("b", 4) is None, "each has room of its own"
    intake.stop()  # was never started


def test_a_fault_is_raised_where_it_is_asked_for():
    def work(item):
        raise ValueError(item)

    intake = Intake(work, lambda: None, PERIOD_S)
    intake.start()
    intake.put("a", "broken")

    def broken():
        try:
            intake.check()
        except ValueError:
            return True
        return False

    wait_for(broken)
    with pytest.raises(ValueError, match="broken"):
        intake.check()
    intake.stop()
