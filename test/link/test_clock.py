# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Clock offset and one-way delay from echoes."""

import random

import pytest

from sc2_ros.link.clock import WINDOW_S, ClockFilter


def echo(clock, sent_s, there_s, back_s, offset_s, hold_s=0.02):
    arrival_us = round((sent_s + there_s + offset_s) * 1e6) & 0xFFFFFFFF
    return clock.update(sent_s, arrival_us, hold_s, sent_s + there_s + hold_s + back_s)


def test_truth_lies_within_the_uncertainty():
    rng, clock = random.Random(1), ClockFilter()
    first_there_s = None
    for number in range(200):
        there_s, back_s = 0.02 + rng.expovariate(50), 0.03 + rng.expovariate(50)
        first_there_s = first_there_s or there_s
        estimate = echo(clock, number * 0.1, there_s, back_s, offset_s=-1234.5)
        assert estimate.rtt_s == pytest.approx(there_s + back_s, abs=1e-5)
        assert abs(estimate.delay_s - there_s) <= estimate.uncertainty_s + 1e-5
    assert estimate.uncertainty_s < 0.03


def test_microseconds_wrap():
    """The ground's 32-bit microseconds overflow every 71.6 minutes."""
    clock = ClockFilter()
    delays = [
        echo(clock, number * 1.0, 0.05, 0.05, offset_s=2**32 / 1e6 - 5.0).delay_s
        for number in range(10)
    ]
    assert delays == pytest.approx([0.05] * 10, abs=1e-5)


def test_a_clock_that_drifts_or_a_path_that_changes_is_followed():
    clock = ClockFilter()
    echo(clock, 0.0, 0.01, 0.01, offset_s=0.0)
    echo(clock, 1.0, 0.1, 0.1, offset_s=0.0)
    late = echo(clock, 3 * WINDOW_S, 0.1, 0.1, offset_s=0.0)
    assert late.uncertainty_s == pytest.approx(0.1, abs=1e-5)
