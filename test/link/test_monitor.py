# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's view of the link, against links whose truth is known."""

import random

import pytest

from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.monitor import LinkMonitor
from sc2_ros.link.receiver_log import FeedbackBuilder
from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import parse_link


def fly(link, *, seconds=10.0, ground_clock_s=0.0, back="unlimited,30ms", monitor=None, session=1):
    """Send 4 packets of 500 bytes 30 times a second, feedback 15 times a second; both pure."""
    monitor = monitor or LinkMonitor()
    builder = FeedbackBuilder(session)
    down = LinkPipe(LinkModel(parse_link(link), seed=1))
    up = LinkPipe(LinkModel(parse_link(back), seed=2))
    for tick in range(int(seconds * 1000)):
        now_s = tick / 1000
        if tick % 33 == 0:
            for part in range(4):
                monitor.on_sent(tick // 33 & 0xFFFF, part, now_s)
                down.push(bytes([part]) + (tick // 33).to_bytes(4, "little") + bytes(495), now_s)
        for _, packet in down.pop(now_s):
            frame = int.from_bytes(packet[1:5], "little") & 0xFFFF
            builder.on_packet(frame, packet[0], 4, len(packet), now_s + ground_clock_s)
        if tick % 66 == 0 and (payload := builder.build(now_s + ground_clock_s)):
            up.push(payload, now_s)
        for _, payload in up.pop(now_s):
            monitor.on_feedback(parse_feedback(payload), now_s)
    return monitor


@pytest.mark.parametrize("ground_clock_s", [0.0, 1.7e9, -3600.0])
def test_delays_need_no_common_clock(ground_clock_s):
    stats = fly("unlimited,50ms", ground_clock_s=ground_clock_s).stats
    assert stats.rtt_s == pytest.approx(0.08, abs=0.002)
    # 50 ms down and 30 ms up look like 40 and 40 to anyone with two clocks.
    assert stats.delay_s == pytest.approx(0.04, abs=0.002)
    assert abs(stats.delay_s - 0.05) <= stats.uncertainty_s
    assert stats.loss == 0
    assert stats.received_kbps == pytest.approx(4 * 500 * 8 / 33, rel=0.05)


def test_loss_is_measured_and_lost_feedback_costs_nothing():
    stats = fly("unlimited,50ms,20%", back="unlimited,30ms,50%").stats
    assert stats.loss == pytest.approx(0.2, abs=0.08)


def test_queueing_shows_as_delay():
    monitor = fly("600kbit,20ms", seconds=3.0)
    relaxed_s = monitor.stats.delay_s
    monitor = fly("300kbit,20ms,queue=400ms", seconds=10.0)
    assert monitor.stats.delay_s > relaxed_s + 0.2
    assert monitor.stats.loss > 0.2


def test_old_doubled_and_foreign_feedback_is_refused():
    monitor, builder = LinkMonitor(), FeedbackBuilder(session=1)
    monitor.on_sent(0, 0, 1.0)
    builder.on_packet(0, 0, 1, 100, 1.1)
    first = parse_feedback(builder.build(1.1))
    second = parse_feedback(builder.build(1.2))
    assert monitor.on_feedback(second, 1.3)
    assert not monitor.on_feedback(first, 1.3)
    assert not monitor.on_feedback(second, 1.3)
    builder.on_packet(9, 0, 1, 100, 1.3)
    assert not monitor.on_feedback(parse_feedback(builder.build(1.3)), 1.4)


def test_a_restarted_ground_is_believed_at_once():
    monitor = fly("unlimited,50ms", seconds=5.0)
    fly("unlimited,50ms", seconds=3.0, monitor=monitor, session=2, ground_clock_s=500.0)
    assert monitor.stats.loss == 0
    assert monitor.stats.rtt_s == pytest.approx(0.08, abs=0.002)


def test_memory_is_bounded_without_feedback():
    monitor = LinkMonitor()
    for number in range(20_000):
        monitor.on_sent(number & 0xFFFF, 0, number * 0.01)
    assert len(monitor._sent) <= 4096


def test_any_order_of_any_feedback_keeps_the_figures_sane():
    rng = random.Random(5)
    monitor, builder = LinkMonitor(), FeedbackBuilder(session=1)
    messages = []
    for number in range(400):
        monitor.on_sent(number, 0, number * 0.03)
        if rng.random() < 0.7:
            builder.on_packet(number, 0, 1, 100, number * 0.03)
        if payload := builder.build(number * 0.03):
            messages.append(parse_feedback(payload))
    rng.shuffle(messages)
    now_s = 12.0
    for message in messages:
        now_s += rng.uniform(-0.5, 1.0)
        monitor.on_feedback(message, now_s)
        stats = monitor.stats
        assert stats.loss is None or 0 <= stats.loss <= 1
        assert stats.rtt_s is None or 0 <= stats.rtt_s < 1000
        assert stats.delay_s is None or stats.delay_s >= 0
