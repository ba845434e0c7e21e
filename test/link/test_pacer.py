# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets leave spread over the frame interval; the newest frame wins."""

import pytest

from sc2_ros.link.pacer import SPREAD, Pacer, schedule


def test_schedule_is_even_and_ends_before_the_next_frame():
    times = [time_s for time_s, _ in schedule([b"a", b"b", b"c", b"d"], 10.0, 0.4)]
    assert times == pytest.approx([10.0, 10.0 + 0.1 * SPREAD, 10 + 0.2 * SPREAD, 10 + 0.3 * SPREAD])
    assert schedule([], 1.0, 0.1) == []
    assert [time_s for time_s, _ in schedule([b"a", b"b"], 1.0, 0.0)] == [1.0, 1.0]


def test_packets_leave_when_due():
    pacer = Pacer()
    pacer.push([b"a", b"b", b"c"], 0.0, 0.3)
    assert pacer.next_s == 0.0
    assert pacer.pop(0.0) == [b"a"]
    assert pacer.pop(0.01) == []
    assert pacer.next_s == pytest.approx(0.1 * SPREAD)
    assert pacer.pop(0.3) == [b"b", b"c"]
    assert pacer.next_s is None


def test_a_frame_that_has_not_begun_is_dropped_whole():
    pacer = Pacer()
    assert pacer.push([b"a", b"b"], 0.0, 0.1) == 0
    assert pacer.push([b"c", b"d"], 0.0, 0.1) == 2
    assert pacer.pop(1.0) == [b"c", b"d"]


def test_a_frame_that_has_begun_is_finished_first():
    pacer = Pacer()
    pacer.push([b"a", b"b", b"c"], 0.0, 0.1)
    assert pacer.pop(0.0) == [b"a"]
    assert pacer.push([b"d", b"e"], 0.01, 0.1) == 0
    assert pacer.pop(0.01) == [b"b", b"c", b"d"]
    assert pacer.push([b"f"], 0.02, 0.1) == 0
    assert pacer.pop(0.02) == [b"e", b"f"]


def test_a_frame_that_has_begun_is_finished_though_two_come_at_once_behind_it():
    pacer = Pacer()
    pacer.push([b"a", b"b", b"c"], 0.0, 0.3)
    assert pacer.pop(0.0) == [b"a"]
    assert pacer.push([b"d", b"e"], 0.01, 0.3) == 0
    assert pacer.push([b"f", b"g"], 0.02, 0.3) == 2
    assert pacer.pop(0.02) == [b"b", b"c", b"f"]
    assert pacer.push([b"h"], 0.03, 0.3) == 0
    assert pacer.pop(0.03) == [b"g", b"h"]


def test_a_dropped_frame_changes_nothing():
    pacer = Pacer()
    pacer.push([b"a", b"b"], 0.0, 0.1)
    assert pacer.push([], 0.05, 0.1) == 0
    assert pacer.pop(1.0) == [b"a", b"b"]
