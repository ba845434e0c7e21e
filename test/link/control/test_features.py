# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Each part of the rate control, by what goes wrong without it.

Every test here fails when its part is switched off: the constant to do so stands beside it. The
figures in brackets are those with the part, and without it.
"""

import math
import random
from statistics import fmean

import pytest

from sc2_ros.link.control.auto import AutoConfig, AutoRate
from sc2_ros.link.control.in_flight import room_bytes
from sc2_ros.link.control.law import LAW, TargetLaw
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.link.sender_log import LinkEstimate
from sc2_ros.link.sim.content import Content
from sc2_ros.link.sim.scenarios import Scenario, find_scenario, play
from sc2_ros.link.sim.summary import summarise

CURVE = ((0, 240.0, 0.751), (16, 400.0, 0.782), (32, 513.0, 0.803), (64, 1553.0, 0.82))
"""Much as the shipped checkpoint's."""


def simulate(scenario, seconds, *, back="unlimited,50ms", content=None, seed=1, fps=30, **config):
    """A run of a scenario by name or of a link, and its figures."""
    if "," in scenario:
        scenario = Scenario("link", "", scenario, back, seconds)
    else:
        scenario = find_scenario(scenario)
    rates = [AutoRate(AutoConfig(20_000, **config)) for _ in scenario.starts_s]
    run = play(scenario, rates, seconds=seconds, seed=seed, content=content, fps=fps)
    return run, summarise(run, scenario.name)


def fading(seed, kbps=200, seconds=60):
    """A link whose capacity wanders by a factor of e and more within a second."""
    rng, level, steps = random.Random(seed), 0.0, []
    for number in range(seconds * 5):
        level = 0.9 * level + 0.44 * rng.gauss(0, 1)
        at = f"@{number / 5}s" if number else ""
        steps.append(f"{kbps * math.exp(0.8 * level - 0.32):.0f}kbit{at}")
    return ">".join(steps) + ",20ms"


def fly_fading(seed):
    content = Content(curve=CURVE)
    return simulate(
        fading(seed), 60, back="unlimited,20ms", content=content, value_curve=ValueCurve(CURVE)
    )[1]


def sent_kbps(run, first_s, last_s):
    sizes = [p.size_bytes for p in run.logs[0].packets if first_s <= p.time_s < last_s]
    return sum(sizes) * 8e-3 / (last_s - first_s)


def estimate(**known):
    """A link without queue or loss at 1 Mbit/s, save what is given."""
    fields = dict.fromkeys(LinkEstimate._fields, 0)
    fields.update(passed_bps=1e6, received_bps=1e6, rtt_s=0.1, new_packets=8, progress=True)
    return LinkEstimate(**{**fields, **known})


def follow(law, estimates, start_s=100.0):
    """Feed estimates to a law, 15 a second; returns its targets."""
    targets = []
    for number, link in enumerate(estimates):
        law.follow(link, 1 / 15, 1 / 15, start_s + number / 15)
        targets.append(law.target_bps)
    return targets


def test_frames_are_smaller_where_the_link_is_short_of_bytes():
    """PRICE.price_s = 1e9. Latency (178 ms, 309 ms)."""
    assert fly_fading(1)["latency_ms"]["p95"] < 250


def test_jitter_makes_no_byte_dear_where_there_is_room():
    """_own_queue_s takes jitter for a queue. Of the bytes without jitter (0.76, 0.66)."""
    content, curve = Content(curve=CURVE), ValueCurve(CURVE)
    links = ("4mbit,40ms", "4mbit,40ms,jitter=30ms")
    steady, jittery = (
        sent_kbps(simulate(link, 30, content=content, value_curve=curve)[0], 10, 30)
        for link in links
    )
    assert jittery > 0.7 * steady


def test_in_flight_limit():
    """IN_FLIGHT.most_wait_s = 10. Latency (239 ms, 787 ms)."""
    assert fly_fading(2)["latency_ms"]["p95"] < 400


def test_cautious_forecast_on_an_unsteady_link():
    """cautious_bps returns the target. Queueing (120 ms, 169 ms)."""
    assert fly_fading(2)["queue_delay_ms"]["p95"] < 140


def test_packets_that_are_overdue_count_as_queue():
    """SenderLog._overdue_s returns 0. Queueing (120 ms, 563 ms)."""
    assert fly_fading(2)["queue_delay_ms"]["p95"] < 250


def test_skipped_frames_leave_their_bytes_to_the_next():
    """AUTO.saved_s = 0. Frames shown (3,361, 3,241)."""
    assert sum(fly_fading(seed)["frames_shown"] for seed in (1, 2)) > 3300


def test_a_silent_link_is_expected_to_be_slower():
    """IN_FLIGHT.window_s = 1e9. Room (3.3 kB, 7.9 kB) for a frame."""
    heard = estimate(clear_s=10.0)
    silent = estimate(clear_s=10.0, overdue_s=0.35)
    assert room_bytes(heard, 2000, 1e6, 0.08, 10.0) == pytest.approx(8000)
    assert room_bytes(silent, 2000, 1e6, 0.08, 10.0) == pytest.approx(3000)


def test_little_is_sent_before_anything_is_heard():
    """IN_FLIGHT.first_s = 2. Bytes in the first half second (3.3 kB, 13 kB)."""
    run, _ = simulate("1mbit,40ms,outage=2s@0s", 3)
    assert 0 < sum(p.size_bytes for p in run.logs[0].packets if p.time_s < 0.5) <= 4000


def test_frames_larger_than_the_first_allowance_are_sent_all_the_same():
    content = Content(smallest_bytes=9000.0)
    _, row = simulate("1mbit,40ms", 20, content=content)
    assert row["frames_shown"] > 150


def unsteady_law():
    """A law that has seen the capacity jump between 0.5 and 1.5 Mbit/s, with a queue."""
    law = TargetLaw(24e3, 20e6, False)
    follow(
        law, [estimate(queue_s=0.05, passed_bps=1e6 + 5e5 * (-1) ** (n // 3)) for n in range(150)]
    )
    assert law.capacity.unsteadiness == 1
    return law


def test_an_unsteady_link_is_not_followed_into_every_dip():
    """CAPACITY.slow_s = CAPACITY.quick_s. Target after a dip of 0.2 s (0.9, 0.7 Mbit/s)."""
    law = unsteady_law()
    dip = [estimate(queue_s=0.04, passed_bps=5e5)] * 4
    assert follow(law, dip, 110.0)[-1] > 0.8e6


def test_an_unsteady_link_is_drained_more_slowly():
    """LAW.unsteady_drain_s = 0. Target over capacity with 140 ms too much (0.83, 0.6)."""
    law = unsteady_law()
    (target_bps,) = follow(law, [estimate(queue_s=0.16)], 110.0)
    assert target_bps > 0.75 * law.capacity.mean_bps


def test_an_unsteady_link_may_keep_more_queue():
    """LAW.unsteady_packets = 0. Set point at 1 Mbit/s (39 ms, 29 ms)."""
    law = unsteady_law()
    law.target_bps = 1e6
    assert law._set_point() > 0.035


def test_what_the_link_has_carried_lately_is_reached_again_soon():
    """LAW.known_share = 0. Target 1 s after a drop has ended (0.65, 0.37 Mbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    follow(law, [estimate(queue_s=0.03, passed_bps=2e6)] * 15)
    follow(law, [estimate(queue_s=0.10, passed_bps=4e5)] * 15, 101.0)
    before_bps = law.target_bps
    after_bps = follow(law, [estimate(passed_bps=1e6, rtt_s=0.05)] * 15, 102.0)[-1]
    assert after_bps > 2 * before_bps


def test_growth_accelerates_with_the_time_since_the_last_queue():
    """LAW.accelerate_s = 1e9. Seconds to follow a rise (2.4, 7.5)."""
    _, row = simulate("1mbit>2.5mbit@20s>600kbit@40s>1mbit@50s,50ms", 60)
    assert row["reaction_s"]["rise"] < 4


def test_growth_is_fast_before_the_first_queue():
    """LAW.start_growth = LAW.most_growth. Target after 2 s (1.7, 0.5 Mbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    assert follow(law, [estimate(passed_bps=2e6)] * 30)[-1] > 1e6


def test_the_target_does_not_run_away_from_content_that_does_not_fill_it():
    """LAW.most_ahead = 100. Target with 200 kbit/s of content (350, 20,000 kbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    assert follow(law, [estimate(passed_bps=2e5)] * 600)[-1] == pytest.approx(350e3)


def test_the_slower_of_two_streams_gains_on_the_faster():
    """LAW.queue_packets = 0. The second one's rate over the first's (0.9, 0.3)."""
    _, row = simulate("fairness", 70)
    first, second = row["shares_kbps"]
    assert second > 0.7 * first


def test_jitter_widens_the_set_point_of_a_steady_link():
    """LAW.jitter_share = 0. Target over capacity at 50 ms of queue (1, 0.94)."""
    law = TargetLaw(24e3, 20e6, False)
    follow(law, [estimate(queue_s=0.06)] * 3)
    (target_bps,) = follow(law, [estimate(queue_s=0.05, jitter_s=0.04)], 103.0)
    assert target_bps > 0.97e6


def test_the_queue_is_drained_now_and_then_to_see_the_base_delay():
    """DRAIN.share = 1. Queueing (38 ms, 67 ms)."""
    _, row = simulate("steady", 60)
    assert row["queue_delay_ms"]["p95"] < 50


def test_a_stalled_link_gets_probes_and_nothing_else():
    """STALL.patience_s = STALL.silence_s = 1e9. Sent into an outage of 20 s (9, 163 kbit/s)."""
    run, _ = simulate("1mbit,40ms,outage=20s@10s", 30)
    assert 0 < sent_kbps(run, 13, 30) < 24


def test_after_a_stall_the_rate_is_what_it_was():
    """LAW.recovery = 0.01, or SenderLog.restart does nothing. (1,910, 68 or 81 kbit/s)."""
    run, row = simulate("2mbit,40ms,outage=3s@10s", 15)
    assert row["reaction_s"]["recovery"] < 1
    assert sent_kbps(run, 13.2, 15) > 1000


def fly_outage(link, outage_s, fps=15):
    """Both ways stop at 20 s for so long; every byte pays."""
    link, back = (f"{way},outage={outage_s}s@20s" for way in (link, "unlimited,20ms"))
    return simulate(link, outage_s + 23, back=back, fps=fps, content=Content(curve=CURVE))[0]


def bytes_after(run, end_s):
    """Of a frame from the third second after an outage, over those before it."""
    frames = [(frame.captured_s, frame.size_bytes) for frame in run.logs[0].frames]
    after = fmean(size for time_s, size in frames if end_s + 2 <= time_s < end_s + 3)
    return after / fmean(size for time_s, size in frames if 15 <= time_s < 20)


@pytest.mark.parametrize(("rate", "outage_s"), [("500kbit", 10), ("200kbit", 30), ("1mbit", 30)])
def test_what_waited_through_an_outage_tells_nothing_of_the_link_after_it(rate, outage_s):
    """SenderLog.restart leaves _old at 0. Bytes (0.9, 0.8)."""
    assert bytes_after(fly_outage(f"{rate},40ms,2%", outage_s), 20 + outage_s) > 0.8


def test_a_report_that_has_waited_for_the_way_back_ends_no_stall():
    """LOG.late_s = 1e9. Seconds until a picture taken after it is shown (0.5, 1.8)."""
    run = fly_outage("60kbit,40ms", 10)
    assert min(f.shown_s for f in run.logs[0].frames if f.captured_s >= 30) < 31


def test_reports_that_a_nearly_stopped_link_holds_up_end_no_stall():
    """LOG.late_s = 1e9. Seconds until a picture taken after it is shown (0.3, 2.4)."""
    ends_s = range(23, 270, 60)
    steps = "".join(
        f">1kbit@{s - 3}s>500kbit@{s}s>100kbit@{s + 17}s>500kbit@{s + 25}s" for s in ends_s
    )
    link = f"500kbit{steps},40ms,2%"
    content = Content(curve=tuple((code, 2 * size, value) for code, size, value in CURVE))
    run, _ = simulate(link, 266, back=link, content=content, fps=15, value_curve=ValueCurve(CURVE))
    for end_s in ends_s:
        shown_s = [f.shown_s for f in run.logs[0].frames if f.captured_s >= end_s]
        assert min(shown_s) - end_s < 1


@pytest.mark.parametrize("rate", ["200kbit", "500kbit"])
def test_what_an_outage_has_dropped_is_not_waited_for(rate):
    """STALL.vain_s = 1e9. Seconds until a picture taken after it is shown (0.8, 1.6)."""
    content = longer(1.5)
    link = f"{rate},40ms,2%,outage=10s@20s"
    curve = ValueCurve(content.curve)
    run, _ = simulate(link, 33, back=link, content=content, fps=15, value_curve=curve)
    assert min(f.shown_s for f in run.logs[0].frames if f.captured_s >= 30) < 31


def test_nor_where_reports_trickled_through_the_outage():
    """STALL.vain_s = 1e9. Seconds until a picture taken after it is shown (0.7, 2.4)."""
    content = longer(2)
    link, back = (f"500kbit>{rate}@20.1s>500kbit@23.1s,40ms,2%" for rate in ("1kbit", "2kbit"))
    curve = ValueCurve(content.curve)
    run, _ = simulate(link, 28, back=back, content=content, fps=15, value_curve=curve)
    assert min(f.shown_s for f in run.logs[0].frames if f.captured_s >= 23.1) < 24.1


def stay_ms(factor, first_s):
    """95th percentile of a packet's time at 100 kbit/s, own bits included; every byte pays."""
    run, row = simulate("100kbit,40ms", 30, content=longer(factor), fps=15)
    assert row["utilisation"] > 0.95
    packets = [p for p in run.logs[0].packets if not p.dropped and p.time_s >= first_s]
    stays = sorted(p.wait_s + p.size_bytes * 8 / 100e3 for p in packets)
    return 1e3 * stays[round(0.95 * len(stays))]


def longer(factor):
    """Frames of so many times the bytes."""
    return Content(curve=tuple((code, factor * size, value) for code, size, value in CURVE))


def test_on_a_scarce_link_the_queue_is_kept_shorter():
    """LAW.most_stay_s = 9. Stay (93 ms, 137 ms)."""
    assert stay_ms(1, 10) < 115


def test_what_a_queue_dropped_at_the_start_is_no_rate_that_the_link_has_carried():
    """Capacity.measured takes passed_bps, or LOG.scarce_bps = 0. Stay (112 ms, 141 or 146 ms)."""
    assert stay_ms(1.5, 1) < 125


def test_a_share_is_taken_beside_tcp():
    """COMPETING.patience_s = 1e9. Of the link (42 %, 4 %)."""
    _, row = simulate("tcp", 60)
    ours, tcp = row["shares_kbps"]
    assert 0.25 < ours / (ours + tcp) < 0.75


def test_cuts_in_vain_are_undone_when_the_queue_proves_to_be_anothers():
    """LAW.restored = 0. Target (1.0, 0.2 Mbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    law.target_bps = 2e6
    follow(law, [estimate(queue_s=0.02, passed_bps=2e6)])
    follow(law, [estimate(queue_s=0.3 + 0.02 * (n % 3), passed_bps=4e5) for n in range(26)], 102.0)
    assert law.competing.is_there
    assert law.target_bps > 0.9e6


def test_a_queue_too_short_to_be_seen_is_found_by_its_loss():
    """LOSS.margin = LOSS.hopeless = 9. Lost (0.8 %, 68 %)."""
    _, row = simulate("short-queue", 60)
    assert row["own_loss"] < 0.02


def test_a_congestion_mark_is_answered_as_loss_by_overflow():
    """estimate.new_marked is not looked at. Target (0.92, 1.08 Mbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    law.target_bps = 1e6
    (target_bps,) = follow(law, [estimate(new_marked=1)])
    assert target_bps < 0.95e6


def test_marks_of_one_round_are_one_answer():
    """LOSS.every_s = 0. Target after 0.4 s of marks (0.85, 0.4 Mbit/s)."""
    law = TargetLaw(24e3, 20e6, False)
    law.target_bps = 1e6
    assert follow(law, [estimate(new_marked=1)] * 6)[-1] > 0.8e6


def test_marks_count_beside_tcp():
    """AimdShare is given no marks. Target (0.7, 1)."""
    law = TargetLaw(24e3, 20e6, False)
    law.target_bps = 1e6
    law.competing.is_there = True
    queue = {"queue_s": 0.2, "rtt_s": 0.3}
    before_bps, after_bps = follow(law, [estimate(**queue), estimate(**queue, new_marked=1)])
    assert after_bps == pytest.approx(0.7 * before_bps, rel=0.05)


def test_a_queue_that_overflows_again_and_again_is_kept_shorter():
    """LOSS.lasts_s = 1e9. Lost (0.8 %, 3.1 %)."""
    _, row = simulate("short-queue", 60)
    assert row["own_loss"] < 0.02


def test_the_target_creeps_around_the_rate_at_which_the_queue_overflowed():
    """LOSS.short_s = 0. Lost (0.8 %, 3.0 %)."""
    _, row = simulate("short-queue", 60)
    assert row["own_loss"] < 0.02


def test_the_creep_gets_faster_with_the_distance():
    """LOSS.haste = 0. Used (97.6 %, 95.7 %)."""
    _, row = simulate("short-queue", 60)
    assert row["utilisation"] > 0.97


def test_a_packets_own_bits_are_no_queue_on_a_slow_link():
    """DELAY.most_own_s = 0. Lost in a queue of 30 ms (0.8 %, 6 %)."""
    _, row = simulate("short-queue", 60)
    assert row["own_loss"] < 0.02


def test_loss_of_the_radio_is_no_reason_to_slow_down():
    """RandomLoss.share is 0. Used with 20 % of loss (99.6 %, 23 %)."""
    _, row = simulate("rfc8868-50ms-20%", 40)
    assert row["utilisation"] > 0.9


def test_a_policer_is_heeded_though_it_has_no_queue():
    """LOSS.hopeless = 9. Lost (31 %, 82 %)."""
    _, row = simulate("1mbit,40ms,queue=1kB", 40)
    assert row["own_loss"] < 0.5


def test_latency_is_preferred_where_it_is_asked_for():
    """AutoConfig.prefer = "accuracy". Queueing (10 ms, 37 ms)."""
    _, row = simulate("1mbit,40ms", 30, prefer="latency")
    assert row["queue_delay_ms"]["p95"] < 25


def test_fewer_frames_are_sent_where_small_ones_have_next_to_no_value():
    """ValueCurve.least_code = 0. Value (202, 110)."""
    steep = ((0, 600.0, 0.02), (20, 1740.0, 0.6), (64, 18000.0, 0.8))
    content = Content(curve=steep)
    _, row = simulate("150kbit,20ms", 30, content=content, value_curve=ValueCurve(steep))
    assert row["value"] > 150


def test_no_frame_is_sent_that_would_come_too_late():
    """IN_FLIGHT.most_wait_s = 10. Seconds to drain a drop (0.9, 5.2)."""
    _, row = simulate("1mbit>2.5mbit@20s>600kbit@40s>1mbit@50s,50ms", 50)
    assert row["reaction_s"]["drain"] < 2


def test_the_law_cuts_by_no_more_than_its_limit():
    law = TargetLaw(24e3, 20e6, False)
    (target_bps,) = follow(law, [estimate(queue_s=5.0)])
    assert target_bps == pytest.approx((1 - LAW.most_cut) * 1e6)
