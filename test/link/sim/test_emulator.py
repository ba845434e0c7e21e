# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The link model: serialisation, queue, traces, loss, delay."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import LinkSpec, Trace, parse_link, read_trace

DATA = Path(os.environ.get("SC2_DATA", Path(__file__).parents[3] / "shared" / "data"))


def make_trace(*times_ms: int) -> LinkSpec:
    return LinkSpec(rate_bps=None, trace=Trace(np.array(times_ms), "test"), queue_bytes=10**9)


def test_packets_queue_behind_each_other():
    link = LinkModel(parse_link("80kbit,50ms"))  # 1000 bytes take 0.1 s
    assert link.send(1000, 10.0) == pytest.approx([10.15])
    assert link.send(500, 10.0) == pytest.approx([10.2])
    assert link.queued_bytes(10.0) == 1500
    assert link.queued_bytes(10.12) == 500
    assert link.send(1000, 11.0) == pytest.approx([11.15])


def test_a_full_queue_drops_the_newcomer():
    link = LinkModel(parse_link("80kbit,queue=2500B"))
    arrivals = [link.send(1000, 0.0) for _ in range(4)]
    assert [len(times) for times in arrivals] == [1, 1, 0, 0]
    assert link.packets_dropped == 2
    assert link.send(1000, 0.15) != []


def test_a_packet_larger_than_the_queue_passes_an_idle_link():
    link = LinkModel(parse_link("80kbit,queue=100B"))
    assert link.send(1000, 0.0) == pytest.approx([0.1])
    assert link.send(10, 0.05) == []  # what is being sent still takes its place
    assert link.send(1000, 0.11) == pytest.approx([0.21])


def test_unlimited_link_adds_only_the_delay():
    link = LinkModel(parse_link("unlimited,20ms"))
    assert [link.send(1200, 5.0) for _ in range(100)] == [[pytest.approx(5.02)]] * 100
    assert link.capacity_bps(5.0) == float("inf")


def test_trace_opportunities_are_shared_split_and_wasted():
    link = LinkModel(make_trace(10, 20, 30, 100))
    assert link.send(1000, 0.0) == pytest.approx([0.010])
    assert link.send(400, 0.0) == pytest.approx([0.010])  # the same opportunity
    assert link.send(1200, 0.0) == pytest.approx([0.020])  # split over two
    assert link.send(1500, 0.031) == pytest.approx([0.100])  # 30 ms was wasted
    assert link.send(1500, 0.031) == pytest.approx([0.110])  # the trace repeats


def test_trace_begins_at_its_start_time():
    link = LinkModel(make_trace(10, 20, 30, 100), start_s=1.7e9)
    assert link.send(1500, 1.7e9) == pytest.approx([1.7e9 + 0.01], abs=1e-6)
    assert link.send(1500, 1.7e9 + 100.0) == pytest.approx([1.7e9 + 100.0], abs=1e-6)


def test_an_opportunity_at_the_very_instant_serves():
    link = LinkModel(make_trace(10, 20, 100))
    assert link.send(1500, 0.1) == pytest.approx([0.1])
    assert link.send(1500, 0.1) == pytest.approx([0.11])


@given(
    st.lists(st.integers(0, 400), min_size=1, max_size=20).map(sorted).filter(lambda t: t[-1] > 0),
    st.lists(st.tuples(st.integers(1, 5000), st.integers(0, 300)), min_size=1, max_size=40),
)
def test_trace_agrees_with_a_byte_by_byte_account(times_ms, traffic):
    """The reference walks every opportunity in turn, as mahimahi's link queue does."""
    link = LinkModel(make_trace(*times_ms))
    queue, arrivals, now_ms = [], [], 0
    for size, gap_ms in traffic:
        now_ms += gap_ms
        queue.append([now_ms, size])
        arrivals += link.send(size, now_ms / 1000)
    expected, round_ms = [], 0
    while len(expected) < len(queue):
        for time_ms in times_ms:
            left = 1500
            for packet in queue[len(expected) :]:
                if packet[0] > round_ms + time_ms or left == 0:
                    break
                used = min(left, packet[1])
                left -= used
                packet[1] -= used
                if packet[1] == 0:
                    expected.append((round_ms + time_ms) / 1000)
        round_ms += times_ms[-1]
    assert arrivals == pytest.approx(expected, abs=1e-6)


def test_a_busy_link_carries_its_capacity():
    path = DATA / "traces" / "TMobile-UMTS-driving.up"
    if not path.is_file():
        pytest.skip(f"{path} is not there; set SC2_DATA")
    link = LinkModel(LinkSpec(rate_bps=None, trace=read_trace(path), queue_bytes=20_000))
    arrived_bytes, time_s = 0, 0.0
    capacity = []
    while time_s < 60:
        arrived_bytes += 1200 * sum(t < 60 for t in link.send(1200, time_s))
        capacity.append(link.capacity_bps(time_s))
        time_s += 0.002
    assert arrived_bytes * 8 / 60 == pytest.approx(np.mean(capacity), rel=0.03)


def test_loss_is_as_asked_and_uses_air_time():
    link = LinkModel(parse_link("80kbit,20%,queue=10000000B"), seed=3)
    arrivals = [link.send(100, 0.0) for _ in range(5000)]
    lost = sum(not times for times in arrivals)
    assert lost == link.packets_lost
    assert lost / 5000 == pytest.approx(0.2, abs=0.02)
    last = max(number for number, times in enumerate(arrivals) if times)
    assert arrivals[last] == pytest.approx([(last + 1) * 0.01])


def test_jitter_delays_within_its_bound_and_never_reorders():
    link = LinkModel(parse_link("unlimited,10ms,jitter=30ms"), seed=1)
    sent = [number * 0.005 for number in range(400)]
    arrivals = [link.send(100, time_s)[0] for time_s in sent]
    delays = np.subtract(arrivals, sent)
    assert arrivals == sorted(arrivals)
    assert delays.min() >= 0.01
    assert 0.035 < delays.max() <= 0.04 + 1e-9


def test_same_seed_same_fate():
    fates = []
    for _ in range(2):
        link = LinkModel(parse_link("unlimited,50%,jitter=10ms"), seed=7)
        fates.append([link.send(10, i * 0.1) for i in range(50)])
    assert fates[0] == fates[1]


def test_a_clock_that_starts_over_empties_the_queue():
    link = LinkModel(parse_link("8kbit"))
    link.send(1000, 100.0)
    assert link.send(1000, 99.99) == pytest.approx([102.0])  # a hiccup waits its turn
    assert link.send(1000, 5.0) == pytest.approx([6.0])  # a bag that loops does not


def test_pipe_hands_out_what_has_arrived():
    pipe = LinkPipe(LinkModel(parse_link("80kbit,50ms")))
    assert pipe.next_s is None
    pipe.push(b"a" * 1000, 0.0)
    pipe.push(b"b" * 1000, 0.0)
    assert pipe.next_s == pytest.approx(0.15)
    assert pipe.pop(0.14) == []
    assert pipe.pop(0.2) == [(pytest.approx(0.15), b"a" * 1000)]
    assert pipe.pop(9.0) == [(pytest.approx(0.25), b"b" * 1000)]


def test_capacity_steps_hold_for_what_is_under_way():
    link = LinkModel(parse_link("80kbit>8kbit@1s>0kbit@2s>80kbit@3s,queue=1000kB"))
    assert link.send(1000, 0.0) == pytest.approx([0.1])
    assert link.send(1000, 0.95) == pytest.approx([1.5])  # half at 80, half at 8 kbit/s
    assert link.wait_s == pytest.approx(0)
    assert link.send(1000, 1.5) == pytest.approx([3.05])  # half before the outage, half after it
    assert link.send(1000, 1.6) == pytest.approx([3.15])
    assert link.capacity_bytes(0.5, 3.5) == pytest.approx(5000 + 1000 + 5000)


def test_an_outage_holds_packets_back():
    link = LinkModel(parse_link("80kbit,50ms,outage=3s@10s,queue=1000kB"))
    assert link.send(1000, 9.8) == pytest.approx([9.95])
    assert link.send(1000, 9.95) == pytest.approx([13.15])
    assert link.send(1000, 11.0) == pytest.approx([13.25])
    assert link.wait_s == pytest.approx(0.1)
    assert link.capacity_bytes(9, 14) == pytest.approx(20_000)
    assert link.send(1000, 14.0) == pytest.approx([14.15])


def test_an_outage_on_a_trace():
    spec = parse_link("1mbit,outage=3s@0.048s")
    spec = LinkSpec(
        None, Trace(np.arange(10, 1001, 10), "test"), outages=spec.outages, queue_bytes=10**9
    )
    link = LinkModel(spec)
    assert link.send(1500, 0.0) == pytest.approx([0.01])
    assert link.send(1500, 0.045) == pytest.approx([3.05], abs=1e-6)
    assert link.send(1500, 1.0) == pytest.approx([3.06])


def test_bursts_have_the_asked_share_and_length():
    link = LinkModel(parse_link("unlimited,burst=10%x5"), seed=3)
    came = np.array([bool(link.send(100, i * 0.01)) for i in range(50_000)])
    bursts = np.count_nonzero(came[:-1] & ~came[1:])
    lost = np.count_nonzero(~came)
    assert lost == link.packets_lost
    assert lost / len(came) == pytest.approx(0.1, abs=0.02)
    assert lost / bursts == pytest.approx(5, abs=0.5)


def test_some_packets_are_overtaken_and_some_come_twice():
    link = LinkModel(parse_link("unlimited,10ms,reorder=20%x50ms,duplicate=10%"), seed=1)
    arrivals = [link.send(100, i * 0.01) for i in range(2000)]
    late = sum(times[0] - i * 0.01 > 0.05 for i, times in enumerate(arrivals))
    assert late / 2000 == pytest.approx(0.2, abs=0.03)
    assert sum(len(times) == 2 for times in arrivals) / 2000 == pytest.approx(0.1, abs=0.03)


def test_new_troubles_leave_the_old_luck_alone():
    fates = []
    for text in ("unlimited,30%", "unlimited,30%,reorder=50%x10ms,duplicate=50%"):
        link = LinkModel(parse_link(text), seed=9)
        fates.append([bool(link.send(10, i * 0.1)) for i in range(100)])
    assert fates[0] == fates[1]
