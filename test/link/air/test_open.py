# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
from air_network import DRONE, GROUP, KEY, STATION, STATION_2, Network, opened, pair
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.open import MAX_PEERS, OpenLink
from sc2_ros.link.air.peer import FORGET_AFTER_S
from sc2_ros.link.air.sealed import SealedLink
from sc2_ros.link.air.wire import Channel, Role
from sc2_ros.link.on_air import HEADERS

STRANGER = ("6.6.6.6", 6)


def _pair(**options):
    return pair(
        [Remote(STATION)], lambda role, remotes=(), seed=0, **more: opened(role, remotes, **more)
    )


def test_payloads_go_both_ways_with_one_byte_more():
    network, drone, station = _pair()
    network.run(0.1)
    assert network.send(DRONE, b"frame") == 1
    assert network.seen[-1][1] == b"\x28frame"
    assert drone.overhead_bytes == 1
    network.run(0.05)
    (arrival,) = network.got[STATION]
    network.send(STATION, b"report", Channel.FEEDBACK, to=arrival.peer)
    network.run(0.05)
    assert [(a.channel, a.payload) for a in network.got[DRONE]] == [(Channel.FEEDBACK, b"report")]
    assert [peer.address for peer in station.peers()] == [DRONE]


def test_reports_count_the_headers_that_packets_get():
    sealed = SealedLink(KEY, Role.GROUND)
    found = [28 + link.overhead_bytes for link in (OpenLink(Role.GROUND), sealed)]
    assert found == [HEADERS["udp"], HEADERS["udp_sealed"]]


def test_a_remote_is_sent_to_even_where_nothing_ever_comes_back():
    network, _, _ = _pair()
    network.lost = lambda datagram, source, destination: source == STATION
    for number in range(20):
        network.send(DRONE, b"%d" % number)
        network.run(1)
    assert len(network.payloads(STATION)) == 20


def test_the_station_learns_a_restarted_and_a_moved_drone_before_any_frame():
    network, _, station = _pair()
    network.run(1)
    network.mapped[DRONE] = ("203.0.113.9", 7)
    network.add(DRONE, opened(Role.ONBOARD, [Remote(STATION)]))
    network.run(0.5)
    assert ("203.0.113.9", 7) in [peer.address for peer in station.peers()]


def test_members_of_a_group():
    network = Network()
    remotes = [Remote(GROUP, is_group=True)]
    network.add(DRONE, OpenLink(Role.ONBOARD, remotes), GROUP)
    for address in (STATION, STATION_2):
        network.add(address, OpenLink(Role.GROUND, remotes), GROUP)
    network.run(1)
    sent = len(network.seen)
    assert network.send(DRONE, b"frame") == 1
    network.run(0.1)
    assert network.payloads(STATION) == network.payloads(STATION_2) == [b"frame"]
    (arrival,) = network.got[STATION]
    assert network.send(STATION, b"report", Channel.FEEDBACK, to=arrival.peer) == 1
    network.run(0.1)
    assert network.payloads(DRONE) == [b"report"]
    assert network.payloads(STATION_2) == [b"frame"]
    network.run(60, step_s=0.05)
    assert len(network.seen) - sent < 60


def test_what_its_own_kind_sends_is_not_for_an_end():
    network, drone, station = _pair()
    network.run(1)
    before = (drone.counts.accepted, station.counts.accepted, len(network.seen))
    for datagram in (b"\x29report", b"\x24\x03", b"\x24\x02"):
        station.receive(datagram, STRANGER, network.now_s)
    for datagram in (b"\x28frame", b"\x24\x01", b"\x24\x00"):
        drone.receive(datagram, STRANGER, network.now_s)
    assert (drone.counts.accepted, station.counts.accepted) == before[:2]
    assert station.outgoing() == drone.outgoing() == []
    assert len(drone.peers()) == len(station.peers()) == 1


def test_a_tunnel_with_two_ports():
    link = OpenLink(Role.GROUND, [Remote(("127.0.0.1", 1), True)], fixed=True)
    arrival = link.receive(b"\x28frame", ("127.0.0.1", 40000), 0.0)
    assert link.send(Channel.FEEDBACK, b"report", arrival.peer, 0.0) == 1
    assert link.outgoing() == [(b"\x29report", ("127.0.0.1", 1))]


def test_idle_costs_little():
    network, _, _ = _pair()
    network.run(1)
    sent = len(network.seen)
    network.run(60, step_s=0.05)
    assert sum(28 + len(data) for _, data, *_ in network.seen[sent:]) <= 300


def test_peers_are_bounded_and_forgotten():
    link = OpenLink(Role.GROUND)
    for port in range(MAX_PEERS + 20):
        link.receive(b"\x28x", ("6.6.6.6", port), float(port))
    assert len(link.peers()) == MAX_PEERS
    link.turn(MAX_PEERS + 20 + FORGET_AFTER_S)
    assert link.peers() == []
    assert link.send(Channel.FEEDBACK, b"x", None, 0.0) == 0
    assert link.counts.unsent == 1


@given(st.binary(max_size=60))
def test_what_is_not_ours_is_counted(datagram):
    link = OpenLink(Role.GROUND)
    arrival = link.receive(datagram, STRANGER, 0.0)
    assert link.counts.accepted == (arrival is not None)
    if datagram[:1] not in (b"\x28", b"\x24"):
        assert link.counts.malformed == 1
        assert link.peers() == []
