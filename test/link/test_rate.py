# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The two simple controllers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.rate import BudgetRate, FixedRate, RateDecision, code_of, index_of


@pytest.mark.parametrize(("index", "code"), [(0, 0), (0.5, 32), (1, 64), (-3, 0), (7, 64)])
def test_fixed_rate(index, code):
    assert FixedRate(index).allowance(0.0) == RateDecision(None, code)


def test_codes_and_indices_are_inverse():
    assert [code_of(index_of(code)) for code in range(65)] == list(range(65))


def test_every_frame_gets_its_share():
    rate = BudgetRate(max_kbps=300, fps=30)
    for number in range(100):
        decision = rate.allowance(1000 + number / 30)
        assert decision == RateDecision(1250, None)
        rate.on_sent(decision.budget_bytes - 100, 1000 + number / 30)


def test_a_slow_camera_gets_larger_frames():
    rate = BudgetRate(max_kbps=80, fps=30)
    rate.allowance(0.0)
    rate.on_sent(300, 0.0)
    assert rate.allowance(0.5).budget_bytes == 5000


def test_shares_of_dropped_frames_add_up():
    rate = BudgetRate(max_kbps=24, fps=10)
    assert [rate.allowance(number / 10).budget_bytes for number in range(3)] == [300, 600, 900]
    rate.on_sent(700, 0.2)
    assert rate.allowance(0.3).budget_bytes == 300


def test_a_pause_is_not_saved_up():
    rate = BudgetRate(max_kbps=80, fps=10)
    rate.allowance(0.0)
    rate.on_sent(500, 0.0)
    assert rate.allowance(500.0).budget_bytes == 10_000


frames = st.lists(st.tuples(st.floats(0.001, 0.5), st.integers(30, 5000)), min_size=1, max_size=200)


@given(st.floats(8, 5000), frames)
def test_the_budget_holds_over_any_run_of_frames(max_kbps, flight):
    """Frames of any price: sent when they fit, dropped when they do not."""
    rate, now_s, sent = BudgetRate(max_kbps, fps=30), 0.0, 0
    for gap_s, price in flight:
        now_s += gap_s
        if price <= rate.allowance(now_s).budget_bytes:
            rate.on_sent(price, now_s)
            sent += price
    assert sent <= max_kbps * 125 * (now_s + 1 / 30) + 1


@given(st.lists(st.floats(-1e9, 1e9), max_size=50))
def test_a_clock_that_jumps_is_survived(times):
    rate = BudgetRate(max_kbps=80, fps=10)
    for now_s in times:
        budget = rate.allowance(now_s).budget_bytes
        assert 0 <= budget <= 10_000
        rate.on_sent(budget, now_s)


def test_a_clock_that_starts_over_costs_no_frame():
    rate = BudgetRate(max_kbps=80, fps=10)
    for now_s in (500.0, 1.0):
        assert rate.allowance(now_s).budget_bytes == 1000
        rate.on_sent(1000, now_s)
