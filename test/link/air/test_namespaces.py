# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The air link over the kernel's networking: narrow and lossy links, outages, NAT, restarts.

Outages are short here; `benchmarks/air_outages.py` has those of 5, 15 and 60 s.
"""

import time

import air_flight as flights
import pytest

WHY_NOT = flights.why_not()
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "runs")

BACK_WITHIN_S = 2.0
"""The link has to do it in one second; a crowded machine gets twice that."""


@pytest.fixture
def flight(net, key_file):
    made = flights.Flight(net, key_file)
    assert made.seconds_until_it_flows() < BACK_WITHIN_S
    yield made
    made.stop()


def test_a_narrow_link(net, flight):
    net.do("drone", "tc qdisc add dev radio root tbf rate 200kbit burst 3000 latency 200ms")
    try:
        flight.frames.clear()
        flight.fly(1.0, size_bytes=600)
        time.sleep(0.3)
        assert len(flight.frames) >= 15
        assert flight.seconds_until_it_flows() < BACK_WITHIN_S
    finally:
        net.do("drone", "tc qdisc del dev radio root")


def test_joining_with_a_fifth_of_all_datagrams_lost(net, key_file):
    net.lose(20)
    try:
        flight = flights.Flight(net, key_file)
        assert flight.seconds_until_it_flows() < 2 * BACK_WITHIN_S
        flight.stop()
    finally:
        net.lose(0)


def test_an_outage_of_the_link(net, flight):
    net.cut()
    flight.fly(1.5)
    assert flight.drone.status().send_errors  # counted, not raised
    net.mend()
    assert flight.seconds_until_it_flows() < BACK_WITHIN_S


def test_the_drone_gets_another_address(net, flight):
    flight.fly(0.3)
    net.move_drone(3)
    try:
        assert flight.seconds_until_it_flows() < BACK_WITHIN_S
        (peer,) = flight.ground.status().peers
        assert peer.address[0] == "10.77.1.3"
    finally:
        net.move_drone(2)


def test_a_nat_router_that_forgets_its_mapping(net, key_file):
    net.translate(True)
    try:
        flight = flights.Flight(net, key_file)
        assert flight.seconds_until_it_flows() < BACK_WITHIN_S
        assert flight.ground.status().peers[0].address[0] == "10.77.2.1"
        net.move_router(9)
        assert flight.seconds_until_it_flows() < BACK_WITHIN_S
        (peer,) = flight.ground.status().peers
        assert peer.address[0] == "10.77.2.9"
        flight.stop()
    finally:
        net.translate(False)
        net.move_router(1)


@pytest.mark.parametrize("who", ["drone", "ground"])
def test_a_restart(flight, who):
    flight.fly(0.3)
    getattr(flight, who).stop()
    getattr(flight, f"start_{who}")()
    assert flight.seconds_until_it_flows() < BACK_WITHIN_S


def test_nothing_but_our_datagrams_is_on_the_cable(net, flight):
    flight.fly(0.2)
    before, sent = net.counters("drone"), flight.drone.status()
    flight.fly(1.0)
    after, status = net.counters("drone"), flight.drone.status()
    ethernet = 14
    count = status.sent - sent.sent
    ours = status.sent_bytes - sent.sent_bytes + count * ethernet
    arp_bytes = 42
    assert 0 <= after[0] - before[0] - ours <= 3 * arp_bytes
    assert 0 <= after[1] - before[1] - count <= 3
