# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queues of others are told from our own and competed with."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.control.competing_traffic import COMPETING, AimdShare, CompetingTraffic


def test_aimd_takes_what_reno_takes():
    """Without loss, 3 (1 - 0.7) / (1 + 0.7) packets per round trip and round trip (RFC 9438)."""
    share, target_bps = AimdShare(), 1e6
    for number in range(10):
        target_bps = share.follow(target_bps, 8, 0, 0.0, 0.2, 0.1, number / 10)
    assert target_bps - 1e6 == pytest.approx(0.529 * 9600 / 0.2 * 5, rel=0.01)
    cut_bps = share.follow(target_bps, 8, 1, 0.0, 0.2, 0.1, 1.0)
    assert cut_bps == pytest.approx(COMPETING.decrease * target_bps)
    assert share.follow(cut_bps, 8, 3, 0.0, 0.2, 0.1, 1.1) >= cut_bps  # the same round trip
    assert share.follow(cut_bps, 8, 1, 0.0, 0.2, 0.1, 1.3) < cut_bps


def test_aimd_does_not_cut_for_the_radios_loss():
    share, target_bps = AimdShare(), 1e6
    for number in range(20):
        target_bps = share.follow(target_bps, 10, 1, 0.1, 0.2, 0.07, number * 0.07)
    assert target_bps > 1e6


def stands(traffic, seconds, start_s=0.0):
    """A delay that cuts do not change; returns when, if ever, it was first taken for TCP's."""
    for number in range(round(seconds * 15)):
        now_s = start_s + number / 15
        traffic.note(0.2 + 0.03 * (number % 3), 0.03, 0.1, now_s)
        if traffic.is_there:
            return now_s
    return None


def test_a_queue_that_cuts_do_not_drain_is_tcps_after_some_round_trips():
    assert 1.2 < stands(CompetingTraffic(), 5) < 3


def test_a_queue_that_drains_is_our_own():
    traffic = CompetingTraffic()
    for number in range(150):
        traffic.note(0.2 * 0.95 ** (number % 60), 0.03, 0.1, number / 15)
        assert not traffic.is_there


def test_competition_ends_when_the_queue_is_empty_and_is_taken_up_sooner_again():
    traffic = CompetingTraffic()
    begun_s = stands(traffic, 5)
    traffic.note(0.01, 0.03, 0.1, begun_s + 0.1)
    assert not traffic.is_there
    again_s = stands(traffic, 5, begun_s + 1.5)
    assert again_s - (begun_s + 1.5) < 0.7 * begun_s


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 5)), max_size=60))
def test_any_delays_at_any_times_are_borne(history):
    traffic = CompetingTraffic()
    for now_s, queue_s in history:
        traffic.note(queue_s, 0.03, 0.1, now_s)
        assert len(traffic._recent) <= len(history)
