# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sender log, against links whose truth is known."""

import random

import pytest

from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.link.sender_log import REMEMBERED_PACKETS, SenderLog
from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import parse_link


def fly(
    link,
    *,
    seconds=10.0,
    ground_clock_s=0.0,
    back="unlimited,30ms",
    log=None,
    session=1,
    restart_s=None,
    order=(0, 1, 2, 3),
):
    """Send 4 packets of 500 bytes 30 times a second, feedback 15 times a second."""
    log = log or SenderLog()
    received = ReceiverLog(session)
    down = LinkPipe(LinkModel(parse_link(link), seed=1))
    up = LinkPipe(LinkModel(parse_link(back), seed=2))
    for tick in range(int(seconds * 1000)):
        now_s = tick / 1000
        if now_s == restart_s:
            log.restart()
        if tick % 33 == 0:
            for part in order:
                log.on_packet(tick // 33 & 0xFFFF, part, 500, now_s)
                down.push(bytes([part]) + (tick // 33).to_bytes(4, "little") + bytes(495), now_s)
        for _, packet in down.pop(now_s):
            frame = int.from_bytes(packet[1:5], "little") & 0xFFFF
            received.on_packet(frame, packet[0], 4, len(packet), now_s + ground_clock_s)
        if tick % 66 == 0 and (payload := received.build(now_s + ground_clock_s)):
            up.push(payload, now_s)
        for _, payload in up.pop(now_s):
            log.on_feedback(parse_feedback(payload), now_s)
    return log


@pytest.mark.parametrize("ground_clock_s", [0.0, 1.7e9, -3600.0])
def test_delays_need_no_common_clock(ground_clock_s):
    link = fly("unlimited,50ms", ground_clock_s=ground_clock_s).latest
    assert link.rtt_s == pytest.approx(0.08, abs=0.002)
    # 50 ms there and 30 ms back look like 40 and 40 to anyone with two clocks.
    assert link.one_way_s == pytest.approx(0.04, abs=0.002)
    assert abs(link.one_way_s - 0.05) <= link.uncertainty_s
    assert link.loss == 0
    assert link.passed_bps == pytest.approx(4 * 500 * 8 / 0.033, rel=0.05)


@pytest.mark.parametrize("seconds", [2.0, 2.01, 2.03, 5.0])
@pytest.mark.parametrize(
    "link", ["1mbit,20ms", "300kbit,20ms,queue=400ms,2%", "1mbit,20ms,outage=3s@2s"]
)
def test_in_which_order_the_slices_of_a_frame_leave_changes_nothing(link, seconds):
    in_order = fly(link, seconds=seconds)
    objects_first = fly(link, seconds=seconds, order=(2, 0, 3, 1))

    assert objects_first.latest == in_order.latest
    assert objects_first.in_flight_bytes == in_order.in_flight_bytes
    assert objects_first.oldest_unheard_s == in_order.oldest_unheard_s


def test_packets_that_the_network_swaps_are_not_under_way_again():
    log, received = SenderLog(), ReceiverLog(1)
    for part in range(3):
        log.on_packet(0, part, 500, 0.01 * part)
    for part, when_s in ((0, 0.05), (2, 0.07), (1, 0.08)):
        received.on_packet(0, part, 3, 500, when_s)
        log.on_feedback(parse_feedback(received.build(when_s)), when_s + 0.05)

    assert log.in_flight_bytes == 0
    assert log.latest.loss == 0


def test_loss_is_measured_and_lost_feedback_costs_nothing():
    losses = []
    for seconds in (6, 7, 8, 9, 10):
        losses.append(fly("unlimited,50ms,20%", back="unlimited,30ms,50%", seconds=seconds).latest)
    assert sum(link.loss for link in losses) / 5 == pytest.approx(0.2, abs=0.05)


def test_queueing_shows_as_delay():
    relaxed = fly("600kbit,20ms", seconds=3.0).latest
    assert relaxed.queue_s < 0.03
    full = fly("300kbit,20ms,queue=400ms", seconds=10.0).latest
    assert full.queue_s > 0.3
    assert full.one_way_s > relaxed.one_way_s + 0.2
    assert full.loss > 0.2
    assert full.received_bps == pytest.approx(300e3, rel=0.1)


def test_a_packet_that_does_not_come_is_overdue():
    log = fly("1mbit,20ms,outage=3s@2s", seconds=2.5)
    assert 0.3 < log.latest.overdue_s < 0.5
    assert log.in_flight_bytes > 15 * 4 * 500 * 0.8
    assert log.oldest_unheard_s == pytest.approx(2.0, abs=0.1)


def test_what_was_sent_before_a_restart_is_no_queue():
    """A backlog of 180 kB takes 0.7 s to pass when the link is back at 5 s."""
    link = "2mbit,20ms,outage=3s@2s,queue=200kB"
    assert fly(link, seconds=5.3).latest.queue_s > 1
    assert fly(link, seconds=5.3, restart_s=5.1).latest.queue_s == 0


def test_old_doubled_and_unknown_feedback_is_refused():
    log, received = SenderLog(), ReceiverLog(session=1)
    log.on_packet(0, 0, 100, 1.0)
    received.on_packet(0, 0, 1, 100, 1.1)
    first = parse_feedback(received.build(1.1))
    second = parse_feedback(received.build(1.2))
    assert log.on_feedback(second, 1.3)
    assert not log.on_feedback(first, 1.3)
    assert not log.on_feedback(second, 1.3)
    received.on_packet(9, 0, 1, 100, 1.3)
    assert not log.on_feedback(parse_feedback(received.build(1.3)), 1.4)
    assert log.latest.rtt_s == pytest.approx(0.2)


def test_a_restarted_ground_is_believed_at_once():
    log = fly("unlimited,50ms", seconds=5.0)
    fly("unlimited,50ms", seconds=3.0, log=log, session=2, ground_clock_s=500.0)
    assert log.latest.loss == 0
    assert log.latest.rtt_s == pytest.approx(0.08, abs=0.002)
    assert log.latest.one_way_s == pytest.approx(0.04, abs=0.002)


def test_memory_is_bounded_without_feedback():
    log = SenderLog()
    for number in range(20_000):
        log.on_packet(number & 0xFFFF, 0, 100, number * 0.01)
    assert len(log._packets) <= REMEMBERED_PACKETS
    assert len(log._times) <= REMEMBERED_PACKETS


def test_any_order_of_any_feedback_keeps_the_figures_sane():
    rng = random.Random(5)
    log, received = SenderLog(), ReceiverLog(session=1)
    messages = []
    for number in range(400):
        log.on_packet(number, 0, 100, number * 0.03)
        if rng.random() < 0.7:
            received.on_packet(number, 0, 1, 100, number * 0.03)
        if payload := received.build(number * 0.03):
            messages.append(parse_feedback(payload))
    rng.shuffle(messages)
    now_s = 12.0
    for message in messages:
        now_s += rng.uniform(-0.5, 1.0)
        if (link := log.on_feedback(message, now_s)) is not None:
            assert 0 <= link.loss <= 1
            assert 0 <= link.rtt_s < 1000
            assert link.one_way_s >= 0
            assert link.queue_s >= 0


def test_marks_are_counted_between_reports():
    log, received = SenderLog(), ReceiverLog(session=1, marked=14)
    new = []
    for number, marked in enumerate((14, 14, 15, 18, 18)):
        log.on_packet(number, 0, 100, number * 0.1)
        received.on_packet(number, 0, 1, 100, number * 0.1 + 0.02)
        received.marked = marked
        report = parse_feedback(received.build(number * 0.1 + 0.03))
        new.append(log.on_feedback(report, number * 0.1 + 0.05).new_marked)
    assert new == [0, 0, 1, 3, 0]
