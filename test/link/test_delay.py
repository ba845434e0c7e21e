# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One-way delay and queueing delay from times on two clocks."""

import random

import pytest

from sc2_ros.link.delay import DELAY, ClockFilter, DelayFilter, Rates


def echo(clock, sent_s, there_s, back_s, offset_s):
    rtt_s = there_s + back_s
    return clock.one_way(there_s + offset_s, rtt_s, sent_s + rtt_s)


def test_truth_lies_within_the_uncertainty():
    rng, clock = random.Random(1), ClockFilter()
    for number in range(200):
        there_s, back_s = 0.02 + rng.expovariate(50), 0.03 + rng.expovariate(50)
        one_way_s, uncertainty_s = echo(clock, number * 0.1, there_s, back_s, offset_s=-1234.5)
        assert abs(one_way_s - there_s) <= uncertainty_s + 1e-5
    assert uncertainty_s < 0.03


def test_a_clock_that_drifts_or_a_path_that_changes_is_followed():
    clock = ClockFilter()
    echo(clock, 0.0, 0.01, 0.01, offset_s=0.0)
    for second in range(1, 100):
        _, uncertainty_s = echo(clock, second, 0.1, 0.1, offset_s=0.0)
        if second == 15:
            assert uncertainty_s == pytest.approx(0.01, abs=1e-5)
    assert uncertainty_s == pytest.approx(0.1, abs=1e-5)


def test_the_queue_is_what_a_packet_waits_beyond_the_least_of_half_a_minute():
    delays = DelayFilter()
    for number in range(100):
        delays.add(7.0 + (0.08 if number > 50 else 0.0), number / 15, 1000, None, number / 15)
    assert delays.base_s == 7.0
    assert delays.queue_s == pytest.approx(0.08)
    for number in range(100, 700):
        delays.add(7.08, number / 15, 1000, None, number / 15)
    assert delays.queue_s == 0


def test_jitter_is_no_queue():
    rng, delays = random.Random(3), DelayFilter()
    for number in range(200):
        delays.add(7.0 + rng.random() * 0.03, number / 30, 1000, None, number / 30)
    assert delays.queue_s < 0.02
    assert 0.004 < delays.jitter_s < 0.016
    assert 0.02 < delays.peak_s <= 0.03


def test_a_packets_own_bits_are_no_queue():
    """The base is of 100 bytes; one of 1,000 takes 72 ms more at 100 kbit/s."""
    delays, rates = DelayFilter(), Rates(100e3, 100e3)
    delays.add(0.008, 0.0, 100, rates, 0.0)
    for number in range(1, 10):
        delays.add(0.080, number / 10, 1000, rates, number / 10)
    assert delays.queue_s == pytest.approx(0, abs=1e-9)
    delays.add(0.300, 2.0, 1000, rates, 2.0)
    delays.add(0.300, 2.2, 1000, rates, 2.2)
    delays.add(0.300, 2.4, 1000, rates, 2.4)
    assert delays.queue_s == pytest.approx(0.300 - 0.080)
    assert DELAY.most_own_s > 0.072
