# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The controller: invariants under any feedback, and what it does on simulated links."""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.link.control.auto import AUTO, AutoConfig, AutoRate
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.link.feedback import Feedback, FrameReport
from sc2_ros.link.sim.content import Content
from sc2_ros.link.sim.scenarios import SCENARIOS, Scenario, find_scenario, play
from sc2_ros.link.sim.summary import summarise

CURVE = ValueCurve([(0, 500, 0.4), (9, 800, 0.7), (30, 2000, 0.8), (64, 9000, 0.81)])
STEEP = ValueCurve([(0, 600, 0.02), (20, 1740, 0.6), (64, 18000, 0.8)])
"""Fewer frames at code 20 have a higher value than more of fewer bytes."""


def simulate(scenario, seconds=None, seed=1, **config):
    if isinstance(scenario, str):
        scenario = find_scenario(scenario)
    settings_ = AutoConfig(**{"max_kbps": 20_000, **config})
    controllers = [AutoRate(settings_) for _ in scenario.starts_s]
    run = play(scenario, controllers, seconds=seconds, seed=seed)
    return run, summarise(run, scenario.name)


def rate_between(run, first_s, last_s, flow=0):
    packets = run.logs[flow].packets
    return (
        sum(p.size_bytes for p in packets if first_s <= p.time_s < last_s) * 8 / (last_s - first_s)
    )


reports = st.builds(
    FrameReport,
    frame=st.integers(0, 65535),
    expected=st.integers(1, 256),
    received=st.integers(1, 256),
    bitmap=st.integers(0, 65535),
    age_s=st.floats(0, 6.5535),
)
feedbacks = st.builds(
    Feedback,
    session=st.integers(0, 2),
    number=st.integers(0, 65535),
    newest_frame=st.integers(0, 40),
    newest_slice=st.integers(0, 3),
    hold_s=st.floats(0, 4295),
    arrival_us=st.integers(0, 2**32 - 1),
    packets=st.integers(0, 2**32 - 1),
    size_bytes=st.integers(0, 2**32 - 1),
    frames_decoded=st.integers(0, 65535),
    frames=st.lists(reports, max_size=5).map(tuple),
)
steps = st.lists(
    st.tuples(
        st.one_of(st.floats(-5, 5), st.floats(-1e6, 1e6), st.just(0.033)),
        st.one_of(st.none(), feedbacks),
    ),
    max_size=80,
)


@settings(max_examples=60)
@given(steps, st.floats(30, 5000), st.sampled_from(["accuracy", "latency"]))
def test_whatever_is_heard_and_whatever_the_clock_does_the_figures_stay_sane(history, most, prefer):
    rate = AutoRate(AutoConfig(max_kbps=most, prefer=prefer, value_curve=CURVE))
    now_s = 1000.0
    for frame, (gap_s, feedback) in enumerate(history):
        now_s += gap_s
        if feedback is not None:
            rate.on_feedback(feedback, now_s)
        decision = rate.allowance(now_s)
        state = rate.state
        assert AUTO.floor_bps * 0.999 <= state.target_bps <= most * 1e3
        if decision.budget_bytes is not None:
            assert 0 <= decision.budget_bytes <= most * 1e3 / 8 * 2 + 1
        for number in (state.queue_delay_s, state.loss, state.rtt_s, state.random_loss):
            assert number is None or math.isfinite(number)
        if decision.budget_bytes != 0:
            size = decision.budget_bytes or 500
            rate.on_sent(size, now_s)
            rate.on_packet(frame & 0xFFFF, 0, size, now_s)


@settings(max_examples=5)
@given(st.lists(feedbacks, max_size=30), st.integers(0, 3))
def test_after_any_feedback_the_stream_fills_the_link_again(history, seed):
    """Junk first; then the same controller on a good link."""
    rate = AutoRate(AutoConfig(max_kbps=5000))
    for number, feedback in enumerate(history):
        now_s = -10.0 + number * 0.07
        rate.allowance(now_s)
        rate.on_sent(700, now_s)
        rate.on_packet(number, 0, 700, now_s)
        rate.on_feedback(replace(feedback, newest_frame=number, newest_slice=0), now_s + 0.05)
    run = play(find_scenario("1mbit,40ms"), [rate], seconds=20, seed=seed)
    assert rate_between(run, 15, 20) > 0.8e6


@pytest.mark.parametrize("most", [50, 300, 900])
def test_never_more_than_the_maximum(most):
    run, _ = simulate("2mbit,20ms", 20, max_kbps=most)
    for second in range(2, 20):
        frame_bits = 8 * 1200
        assert rate_between(run, second, second + 1) <= most * 1e3 * 1.05 + frame_bits
    if most >= 300:
        assert rate_between(run, 5, 20) > 0.85 * most * 1e3


def test_a_steady_link_is_full_and_its_queue_short():
    _, row = simulate("steady", 30)
    assert row["utilisation"] > 0.93
    assert row["queue_delay_ms"]["p95"] <= 60
    assert row["own_loss"] < 0.01


def test_a_drop_is_followed_within_a_second_and_drained_within_two():
    _, row = simulate("halved", 40)
    assert row["reaction_s"]["drop"] <= 1
    assert row["reaction_s"]["drain"] <= 2


def test_a_rise_is_used_within_four_seconds():
    _, row = simulate("doubled", 45)
    assert row["reaction_s"]["rise"] <= 4


@pytest.mark.parametrize("loss", [1, 10])
def test_random_loss_is_not_taken_for_congestion(loss):
    _, row = simulate(f"rfc8868-50ms-{loss}%", 40)
    assert row["utilisation"] > 0.9


def test_an_overflowing_queue_too_short_to_be_seen_is_noticed_by_its_loss():
    _, row = simulate("short-queue", 40)
    assert row["own_loss"] < 0.02
    assert row["utilisation"] > 0.9


def test_results_come_again_within_a_second_of_the_links_return():
    for name, seconds in (("outage-3s", 30), ("outage-30s", 60)):
        run, row = simulate(name, seconds)
        assert row["reaction_s"]["recovery"] <= 1
        back_s = 23 if name == "outage-3s" else 50
        assert rate_between(run, back_s + 5, back_s + 7) > 0.8e6


def test_silence_sends_only_a_cheapest_frame_now_and_then():
    run, _ = simulate("1mbit,40ms,outage=20s@10s", 30)
    assert 0 < rate_between(run, 13, 30) <= 1.2 * AUTO.floor_bps


def test_two_drones_share_and_neither_starves():
    run, row = simulate("fairness", 60)
    shares = [rate_between(run, 45, 60, flow) for flow in (0, 1)]
    assert min(shares) > 0.25 * sum(shares)
    assert row["queue_delay_ms"]["p95"] <= 100


def test_beside_tcp_the_stream_takes_its_share_and_leaves_one():
    run, _ = simulate("tcp", 70)
    ours = rate_between(run, 30, 70)
    tcp = sum(size for t, size in run.tcp[0].sent if 30 <= t < 70) * 8 / 40
    assert 0.25 < ours / (ours + tcp) < 0.75
    shown = [frame.result_s for frame in run.logs[0].frames]
    assert all(any(first <= t < first + 2 for t in shown) for first in range(20, 68, 2))


def test_after_tcp_the_queue_is_short_again():
    run, _ = simulate("tcp", 100)
    waits = sorted(p.wait_s for p in run.logs[0].packets if p.time_s > 85)
    assert waits[int(0.95 * len(waits))] < 0.1
    assert rate_between(run, 90, 100) > 0.85 * 2e6


def test_a_long_way_does_not_overfill_the_queue():
    _, row = simulate("rfc8868-300ms-0%", 40)
    assert row["queue_delay_ms"]["p95"] <= 100
    assert row["utilisation"] > 0.9


def test_two_streams_drain_a_drop_within_two_seconds():
    _, row = simulate("rfc8867-5.2", 110)
    assert row["reaction_s"]["drop"] <= 1
    assert row["reaction_s"]["drain"] <= 2


def test_a_longer_route_is_not_taken_for_a_queue_for_ever():
    """The delay rises by 150 ms for good: after some seconds the rate is back."""
    route = Scenario("route", "", "2mbit,20ms", "unlimited,20ms", 60)
    rate = AutoRate(AutoConfig())
    real = rate._log._raw_s
    now = [0.0]
    rate._log._raw_s = lambda us, sent_s: real(us, sent_s) + (0.15 if now[0] > 20 else 0.0)
    hear = rate.on_feedback

    def on_feedback(feedback, now_s):
        now[0] = now_s
        hear(feedback, now_s)

    rate.on_feedback = on_feedback
    run = play(route, [rate], seconds=60)
    assert rate_between(run, 40, 60) > 0.7 * rate_between(run, 10, 20)


def test_disorder_does_not_matter():
    _, row = simulate("disorder", 30)
    assert row["utilisation"] > 0.9
    assert row["frames_decoded"] > 850


def test_the_same_seed_is_the_same_run():
    rows = [simulate("rfc8868-50ms-5%", 15, seed=5)[1] for _ in range(2)]
    assert rows[0] == rows[1]


def test_frames_that_are_not_worth_sending_are_skipped():
    few, _ = simulate("150kbit,20ms", 20, value_curve=STEEP)
    many, _ = simulate("150kbit,20ms", 20)
    assert 0 < few.logs[0].frames_sent < 0.7 * many.logs[0].frames_sent
    mean = [
        sum(p.size_bytes for p in run.logs[0].packets) / run.logs[0].frames_sent
        for run in (few, many)
    ]
    assert mean[0] > 1.3 * mean[1]


def test_every_scenario_has_a_link_that_parses():
    for name in SCENARIOS:
        run, row = simulate(name, 1.5)
        assert row["frames_sent"] > 0
        assert run.seconds == 1.5


def test_frames_are_smaller_where_their_last_bytes_bring_less_than_they_delay():
    """At 15 frames/s a full link of 500 kbit/s takes 67 ms for a frame of this content."""
    curve = [(0, 500, 0.6), (20, 1200, 0.8), (40, 2400, 0.83), (64, 9000, 0.831)]
    content = Content(curve=tuple(curve))
    figures = {}
    for name, read in (("curve", ValueCurve(curve)), ("none", ValueCurve())):
        rate = AutoRate(AutoConfig(value_curve=read))
        run = play(find_scenario("500kbit,40ms"), [rate], seconds=20, fps=15, content=content)
        figures[name] = summarise(run, name)

    assert figures["curve"]["latency_ms"]["p50"] < figures["none"]["latency_ms"]["p50"] - 30
    assert figures["curve"]["value"] > 0.99 * figures["none"]["value"]
    assert figures["curve"]["utilisation"] > 0.5


def test_on_a_wide_link_bytes_delay_nothing_and_all_of_them_pay():
    curve = [(0, 500, 0.6), (20, 1200, 0.8), (40, 2400, 0.83), (64, 4000, 0.84)]
    rate = AutoRate(AutoConfig(value_curve=ValueCurve(curve)))
    run = play(
        find_scenario("20mbit,40ms"),
        [rate],
        seconds=20,
        fps=15,
        content=Content(curve=tuple(curve)),
    )
    late = [frame for frame in run.logs[0].frames if 15 < frame.captured_s < 19]
    assert sum(frame.size_bytes for frame in late) / len(late) > 3500


def test_few_frames_on_a_wide_link_are_not_made_small():
    """Four frames per second of a busy computer: what little is sent is no sign of a slow link."""
    curve = ((0, 230, 0.75), (19, 460, 0.80), (32, 750, 0.808), (48, 1400, 0.82), (64, 2300, 0.82))
    means = []
    for link in ("500kbit,40ms", "500kbit,40ms,outage=3s@8s"):
        rate = AutoRate(AutoConfig(value_curve=ValueCurve(curve)))
        content = Content(curve=curve)
        run = play(find_scenario(link), [rate], seconds=40, fps=4, content=content)
        sizes = [frame.size_bytes for frame in run.logs[0].frames if 20 < frame.captured_s < 39]
        means.append(sum(sizes) / len(sizes))
    assert means[1] > 0.85 * means[0]
