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


def stands(queue, delay, seconds, start_s=0.0, passing=1.0, shake_s=0.0):
    """A delay that cuts do not change; returns when, if ever, it was first taken for TCP's."""
    for number in range(round(seconds * 15)):
        now_s = start_s + number / 15
        queue.own(delay + shake_s * (number % 3), 0.03, passing, 0.1, now_s)
        if queue.is_there:
            return now_s
    return None


def test_a_queue_that_cuts_do_not_drain_is_tcps_after_some_round_trips():
    assert 1.2 < stands(CompetingTraffic(), 0.2, 5, shake_s=0.03) < 3


def test_packets_that_themselves_make_the_queue_are_no_company():
    assert stands(CompetingTraffic(), 0.2, 10, passing=0.5) is None


def test_competition_ends_when_the_queue_is_empty_and_when_the_capacity_is_gone():
    for delay, passing in ((0.01, 1.0), (0.4, 0.3)):
        queue = CompetingTraffic()
        begun_s = stands(queue, 0.2, 5, shake_s=0.03)
        queue.own(delay, 0.03, passing, 0.1, begun_s + 0.1)
        assert not queue.is_there


def test_a_delay_that_stands_still_is_a_longer_route():
    queue = CompetingTraffic()
    stands(queue, 0.15, 3)
    for number in range(100):
        own_s = queue.own(0.15, 0.03, 1.0, 0.1, 3 + number / 15)
    assert not queue.is_there
    assert own_s == pytest.approx(0, abs=0.01)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.floats(0, 5), st.floats(0, 3)), max_size=60))
def test_our_part_of_a_queue_is_never_more_than_all_of_it(history):
    queue = CompetingTraffic()
    for now_s, queue_s, passing in history:
        assert 0 <= queue.own(queue_s, 0.03, passing, 0.1, now_s) <= queue_s
