# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A falling signal lowers the rate at once; nothing that a radio says raises it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.link.control.radio import LEAST_SHARE, SILENCE_S, RadioHint, radio_status_margin

TARGET_BPS = 1e6


def steady(hint, signal_db, first_s, last_s, target_bps=TARGET_BPS):
    """Ten reports a second; gives the shares after each."""
    shares = []
    for number in range(round((last_s - first_s) * 10)):
        now_s = first_s + number / 10
        hint.on_signal(signal_db, now_s)
        shares.append(hint.share(target_bps, now_s))
    return shares


def test_a_fall_counts_at_once_and_wears_off():
    hint = RadioHint()
    assert set(steady(hint, -60.0, 0, 5)) == {1.0}
    shares = steady(hint, -70.0, 5, 12)
    assert shares[0] == pytest.approx(0.5, abs=0.03), "10 dB: 4 of dead band, 6 that halve"
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_a_rise_does_nothing_but_lift_the_cap():
    hint = RadioHint()
    steady(hint, -60.0, 0, 2)
    assert steady(hint, -75.0, 2, 2.5)[-1] < 0.5
    assert set(steady(hint, -50.0, 2.5, 4)) == {1.0}


def test_fading_is_no_fall():
    hint = RadioHint()
    for number in range(100):
        hint.on_signal(-60.0 + 2 * math.sin(number), number / 10)
        assert hint.share(TARGET_BPS, number / 10) == 1.0


def test_a_controller_that_has_followed_is_not_cut_twice():
    hint = RadioHint()
    steady(hint, -60.0, 0, 2)
    hint.on_signal(-70.0, 2.0)
    assert hint.share(TARGET_BPS, 2.0) < 0.6
    assert hint.share(TARGET_BPS / 2, 2.1) > 0.95


def test_a_silent_radio_does_not_count():
    hint = RadioHint()
    assert hint.share(TARGET_BPS, 0.0) == 1.0
    steady(hint, -60.0, 0, 2)
    hint.on_signal(-90.0, 2.0)
    assert hint.share(TARGET_BPS, 2.0) == LEAST_SHARE
    assert hint.share(TARGET_BPS, 2.0 + SILENCE_S) == 1.0
    hint.on_signal(-90.0, 9.0)
    assert hint.share(TARGET_BPS, 9.0) == 1.0, "a radio that comes back weak begins anew"


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(allow_nan=True, allow_infinity=True),
            st.floats(-10, 1e6),
            st.floats(1e3, 1e8),
        ),
        max_size=30,
    )
)
def test_any_reports_at_any_times_give_a_share(reports):
    hint = RadioHint()
    for signal_db, now_s, target_bps in reports:
        hint.on_signal(signal_db, now_s)
        assert LEAST_SHARE <= hint.share(target_bps, now_s) <= 1.0


def test_the_margin_of_a_radio_status():
    assert radio_status_margin(200, 150, 40, 55) == pytest.approx(50.0)
    assert radio_status_margin(200, 255, 10, 30) == pytest.approx(100.0)
    assert radio_status_margin(190, 0, 255, 30) == pytest.approx(100.0)
    assert radio_status_margin(255, 255, 40, 40) is None
    assert radio_status_margin(0, 0, 0, 0) is None
