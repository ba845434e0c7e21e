# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parts of the control law, each by itself, and the whole under clocks that jump."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.link.control.auto import AutoConfig, AutoRate
from sc2_ros.link.control.capacity import Capacity
from sc2_ros.link.control.competing_traffic import COMPETING, AimdShare, CompetingTraffic
from sc2_ros.link.control.drain_probe import QueueDrainProbe
from sc2_ros.link.control.in_flight import expected_queue_s
from sc2_ros.link.control.stall import StallProbe
from sc2_ros.link.sim.scenarios import find_scenario, play

times = st.lists(st.floats(-1e6, 1e6), max_size=40)


def test_what_waits_passes_at_the_capacity():
    """10 kB behind a packet that passed at 1.0 s, 400 kbit/s: the last passes at 1.2 s."""
    assert expected_queue_s(1.0, 10_000, 400e3, 1.05) == pytest.approx(0.15)
    assert expected_queue_s(1.0, 10_000, 400e3, 1.3) == 0
    assert expected_queue_s(1.0, 0, 400e3, 1.0) == 0
    assert expected_queue_s(None, 10_000, 400e3, 1.0) == 0
    assert expected_queue_s(1.0, 10_000, 0.0, 1.0) == math.inf


def test_a_steady_link_is_known_exactly_and_a_lively_one_as_unsteady():
    steady, lively = Capacity(), Capacity()
    for number in range(200):
        steady.measured(1e6 + 1e4 * (number % 2), 1 / 15)
        lively.measured(1e6 * (0.5 + number % 2), 1 / 15)
    assert steady.mean_bps == pytest.approx(1e6, rel=0.02)
    assert steady.unsteadiness == 0
    assert lively.mean_bps == pytest.approx(1e6, rel=0.1)
    assert lively.unsteadiness == 1


def test_one_step_of_a_steady_link_is_followed_within_a_second():
    capacity = Capacity()
    for _ in range(100):
        capacity.measured(2e6, 1 / 15)
    for _ in range(15):
        capacity.measured(1e6, 1 / 15)
    assert capacity.mean_bps < 1.3e6


@given(st.lists(st.tuples(st.floats(0, 1e9), st.floats(0, 2), st.booleans()), max_size=60))
def test_the_mean_lies_among_what_was_measured(history):
    capacity = Capacity()
    for passed_bps, elapsed_s, queue in history:
        (capacity.measured if queue else capacity.at_least)(passed_bps, elapsed_s)
        assert 0 <= capacity.mean_bps <= max(passed for passed, _, _ in history) * (1 + 1e-9)
        assert 0 <= capacity.unsteadiness <= 1


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


def test_a_stall_is_noticed_probed_and_ended():
    stall = StallProbe()
    stall.progress(10.0)
    assert not stall.check(10.1, None, 0.1, 0.07, 10.3)
    assert stall.check(10.1, 10.6, 0.1, 0.07, 10.7)
    probes = [t / 100 for t in range(1070, 1370) if stall.is_due(-math.inf, t / 100)]
    assert probes  # the first one at once; the next ones count from the last frame
    assert not stall.is_due(13.6, 13.7)
    assert stall.progress(14.0)
    assert not stall.check(None, None, 0.1, 0.07, 14.1)


def test_silence_after_good_news_is_borne_longer_and_not_for_ever():
    stall = StallProbe()
    stall.progress(10.0)
    assert not stall.check(10.1, 10.0, 0.1, 0.07, 11.9)
    assert stall.check(10.1, 10.0, 0.1, 0.07, 12.2)


@given(times)
def test_the_probe_is_short_under_any_clock(moments):
    probe = QueueDrainProbe()
    for now_s in moments:
        probe.note(False, now_s)
        assert 0.5 < probe.share(now_s) <= 1
        assert probe.share(now_s + 10) == 1


class Jumping:
    """A controller whose clock jumps while the world's does not."""

    def __init__(self, rate, at_s, by_s):
        self.rate, self.at_s, self.by_s = rate, at_s, by_s

    def _now(self, now_s):
        return now_s + (self.by_s if now_s > self.at_s else 0.0)

    def allowance(self, now_s):
        return self.rate.allowance(self._now(now_s))

    def on_sent(self, size_bytes, now_s):
        self.rate.on_sent(size_bytes, self._now(now_s))

    def on_packet(self, frame, slice_number, size_bytes, now_s):
        self.rate.on_packet(frame, slice_number, size_bytes, self._now(now_s))

    def on_feedback(self, feedback, now_s):
        self.rate.on_feedback(feedback, self._now(now_s))


def sent_bps(run, first_s, last_s):
    sizes = [p.size_bytes for p in run.logs[0].packets if first_s <= p.time_s < last_s]
    return sum(sizes) * 8 / (last_s - first_s)


@settings(max_examples=6)
@given(st.sampled_from([-1e5, -30.0, -1.0, -0.2, 0.2, 3.0, 100.0, 1e6]))
def test_after_a_jump_of_its_clock_the_stream_fills_the_link_again(by_s):
    rate = Jumping(AutoRate(AutoConfig(max_kbps=5000)), 8.0, by_s)
    run = play(find_scenario("1mbit,40ms"), [rate], seconds=55)
    assert sent_bps(run, 45, 55) > 0.8e6
    assert sent_bps(run, 45, 55) < 1.1e6


@settings(max_examples=4)
@given(st.integers(0, 11), st.sampled_from(["30%", "60%", "burst=40%x20"]))
def test_lost_feedback_costs_little(seed, loss):
    scenario = find_scenario("1mbit,40ms")
    scenario = type(scenario)("x", "", scenario.up, f"unlimited,40ms,{loss}", 25)
    run = play(scenario, [AutoRate(AutoConfig(max_kbps=5000))], seed=seed)
    assert sent_bps(run, 10, 25) > 0.6e6
