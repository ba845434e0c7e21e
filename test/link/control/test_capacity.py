# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the link carries on average, and how unsteady it is."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.control.capacity import Capacity


def test_a_steady_link_is_known_exactly_and_a_lively_one_as_unsteady():
    steady, lively = Capacity(), Capacity()
    for number in range(200):
        steady.measured(1e6 + 1e4 * (number % 2), math.inf, 1 / 15)
        lively.measured(1e6 * (0.5 + number % 2), math.inf, 1 / 15)
    assert steady.mean_bps == pytest.approx(1e6, rel=0.02)
    assert steady.unsteadiness == 0
    assert lively.mean_bps == pytest.approx(1e6, rel=0.1)
    assert lively.unsteadiness == 1


def test_one_step_of_a_steady_link_is_followed_within_a_second():
    capacity = Capacity()
    for _ in range(100):
        capacity.measured(2e6, 2e6, 1 / 15)
    for _ in range(15):
        capacity.measured(1e6, 1e6, 1 / 15)
    assert capacity.mean_bps < 1.3e6


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 2), st.booleans()), max_size=60))
def test_the_mean_lies_among_what_was_measured(history):
    capacity = Capacity()
    for passed_bps, elapsed_s, queue in history:
        if queue:
            capacity.measured(passed_bps, passed_bps, elapsed_s)
        else:
            capacity.at_least(passed_bps, elapsed_s)
        assert 0 <= capacity.mean_bps <= max(passed for passed, _, _ in history) * (1 + 1e-9)
        assert 0 <= capacity.unsteadiness <= 1
