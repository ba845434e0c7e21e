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
    drone = network.links[DRONE]
    assert {peer.address for peer in drone.peers()} == {GROUP, STATION, STATION_2}
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
    for datagram in (b"\x29report", b"\x24\x03wxyz", b"\x24\x02wxyz"):
        station.receive(datagram, STRANGER, network.now_s)
    for datagram in (b"\x28frame", b"\x24\x01wxyz", b"\x24\x00wxyz"):
        drone.receive(datagram, STRANGER, network.now_s)
    assert (drone.counts.accepted, station.counts.accepted) == before[:2]
    assert station.outgoing() == drone.outgoing() == []
    assert len(drone.peers()) == len(station.peers()) == 1


OTHER_ADDRESS = ("192.168.7.2", 5600)


def _multi_homed(remotes):
    """A drone, and a station that hears both of its addresses and sends from the other one."""
    network = Network()
    drone = network.add(DRONE, opened(Role.ONBOARD, remotes))
    network.add(STATION, opened(Role.GROUND), group=STATION)
    network.mapped[STATION] = OTHER_ADDRESS
    return network, drone


def _fly(network, packets):
    """Ten packets a second, each with a report."""
    for _ in range(packets):
        network.send(DRONE, b"frame")
        network.send(STATION, b"report", Channel.FEEDBACK)
        network.run(0.1)


def test_a_station_that_answers_from_another_address_gets_every_packet_once():
    network, drone = _multi_homed([Remote(STATION)])
    # Its reports are here before its answer: the other address is a peer for a while.
    network.lost = lambda datagram, source, destination: datagram[:1] == b"\x24"
    network.inject(b"\x28first", DRONE, STATION)
    _fly(network, 3)
    assert OTHER_ADDRESS in [peer.address for peer in drone.peers()]
    network.lost = lambda datagram, source, destination: False
    _fly(network, 10)
    before = len(network.seen)
    network.got[STATION].clear()
    _fly(network, 100)
    assert network.payloads(STATION) == [b"frame"] * 100
    assert [peer.address for peer in drone.peers()] == [STATION]
    pings = [one for one in network.seen[before:] if one[1][:1] == b"\x24"]
    assert pings == []


def test_a_station_that_answers_from_another_address_may_be_chosen_among_several():
    remote = Remote(STATION)
    network, drone = _multi_homed([remote, Remote(STATION_2)])
    drone.used = frozenset([remote])
    network.run(0.5)
    network.got[DRONE].clear()
    _fly(network, 20)
    assert network.payloads(DRONE) == [b"report"] * 20
    assert drone.counts.unused == 0
    assert drone.unanswered_s(remote, network.now_s) < 0.2
    assert network.now_s - drone.heard_s(remote) < 0.2


def test_who_answers_no_question_of_ours_is_nobody():
    network, drone, _ = _pair()
    network.run(1)
    _fly(network, 3)
    token = next(one[1][2:] for one in network.seen if one[1][:2] == b"\x24\x01")
    forged = bytes([token[0] ^ 1]) + token[1:]
    for datagram in (b"\x24\x02" + forged, b"\x24\x02", b"\x24\x02" + token + b"x"):
        assert drone.receive(datagram, STRANGER, network.now_s) is None
    assert (drone.counts.unknown, drone.counts.malformed) == (1, 2)
    assert [peer.address for peer in drone.peers()] == [STATION]
    # What it sends is believed, but is not the station's.
    drone.used = frozenset([Remote(STATION)])
    assert drone.receive(b"\x29report", STRANGER, network.now_s) is None
    assert drone.counts.unused == 1


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
