# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sealed link and multicast groups, over a simulated network."""

import pytest
from air_network import DRONE, GROUP, STATION, STATION_2, Network, Stream, sealed

from sc2_ros.link.air import group
from sc2_ros.link.air import peer as peers
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.wire import Channel, Role

TO_STATION = [Remote(STATION)]
TO_GROUP = [Remote(GROUP, is_group=True)]


def _group(stations=(STATION, STATION_2)):
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_GROUP, seed=1), GROUP)
    for seed, address in enumerate(stations, 2):
        network.add(address, sealed(Role.GROUND, TO_GROUP, seed=seed), GROUP)
    return network


def test_a_group_gets_one_datagram_for_all_its_members():
    network = _group()
    stream = Stream(network)
    stream.run(1)
    sent = len(network.seen)
    assert network.send(DRONE, b"frame") == 1
    assert [to for *_, to in network.seen[sent:]] == [GROUP]
    network.run(0.1)
    assert network.payloads(STATION)[-1] == network.payloads(STATION_2)[-1] == b"frame"
    assert len(network.payloads(DRONE)) >= 10


def test_members_that_do_not_call_are_in_at_once():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_GROUP, seed=1), GROUP)
    for seed, address in enumerate((STATION, STATION_2), 2):
        network.add(address, sealed(Role.GROUND, seed=seed), GROUP)
    stream = Stream(network)
    assert stream.seconds_until_it_flows() <= 0.4
    assert stream.seconds_until_it_flows(at=STATION_2) <= 0.4


def test_a_late_member_of_a_group_is_in_within_a_second_and_opens_nothing_older():
    network = _group([STATION])
    stream = Stream(network)
    stream.run(2)
    old = [data for _, data, source, to in network.seen if (source, to) == (DRONE, GROUP)]
    network.add(STATION_2, sealed(Role.GROUND, TO_GROUP, seed=3), GROUP)
    assert stream.seconds_until_it_flows(at=STATION_2) <= 1.0
    network.got[STATION_2].clear()
    for datagram in old:
        network.inject(datagram, DRONE, STATION_2)
    network.run(0.1)
    assert network.payloads(STATION_2) == []


def test_a_late_member_that_the_drone_cannot_hear_at_the_groups_port_is_called():
    """The drone's socket has a port of its own, so that calls to the group do not reach it."""
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_GROUP, seed=1))
    network.add(STATION, sealed(Role.GROUND, TO_GROUP, seed=2), GROUP)
    stream = Stream(network)
    stream.run(2)
    network.add(STATION_2, sealed(Role.GROUND, TO_GROUP, seed=3), GROUP)
    assert stream.seconds_until_it_flows(limit_s=10, at=STATION_2) <= peers.SLOW_CALL_EVERY_S + 0.5
    sent = len(network.seen)
    stream.run(20)  # members that are there are asked, and make no further session
    calls = [datagram[0] for _, datagram, source, _ in network.seen[sent:] if source == DRONE]
    assert (calls.count(0x11), calls.count(0x13)) == (4, 0)


@pytest.mark.parametrize("who", [DRONE, STATION])
def test_a_restart_within_a_group(who):
    network = _group()
    stream = Stream(network)
    stream.run(2)
    role = Role.ONBOARD if who == DRONE else Role.GROUND
    network.add(who, sealed(role, TO_GROUP, seed=20), GROUP)
    assert stream.seconds_until_it_flows() <= 1.0
    assert stream.seconds_until_it_flows(at=STATION_2) <= 1.0


@pytest.mark.parametrize("who", [DRONE, STATION])
def test_after_a_restart_there_is_one_handshake(who):
    """What was there before is called for a while; what has taken its place hears that, too."""
    network = _group([STATION])
    stream = Stream(network)
    stream.run(2)
    role = Role.ONBOARD if who == DRONE else Role.GROUND
    network.add(who, sealed(role, TO_GROUP, seed=20), GROUP)
    sent = len(network.seen)
    stream.run(15)
    assert sum(datagram[0] == 0x13 for _, datagram, *_ in network.seen[sent:]) <= 2


def test_the_key_of_a_group_is_renewed_without_a_gap(monkeypatch):
    monkeypatch.setattr(group, "RENEW_AT", 40)
    network = _group()
    stream = Stream(network)
    stream.run(1)
    for address in (STATION, STATION_2):
        network.got[address].clear()
    first = stream.number + 1
    stream.run(20)
    expected = [b"%d" % number for number in range(first, stream.number + 1)]
    assert network.payloads(STATION) == network.payloads(STATION_2) == expected
    sessions = {d[1:3] for _, d, _, to in network.seen if to == GROUP and d[0] == 0x18}
    assert len(sessions) >= 3


def test_a_member_that_has_gone_is_called_seldom_while_others_are_there():
    network = _group()
    stream = Stream(network)
    stream.run(1)
    gone = network.links.pop(STATION_2)
    network.groups[GROUP].discard(STATION_2)
    stream.run(15)
    sent = len(network.seen)
    stream.run(60)
    calls = [to for _, datagram, _, to in network.seen[sent:] if datagram[0] == 0x11]
    assert 5 <= calls.count(STATION_2) <= 15
    assert 5 <= calls.count(GROUP) <= 15
    assert len(calls) <= 30
    # If only the cable was out, it is back at once.
    network.links[STATION_2] = gone
    network.groups[GROUP].add(STATION_2)
    assert stream.seconds_until_it_flows(at=STATION_2) <= 1.0


def test_an_outage_of_a_group():
    network = _group()
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda *_: True
    stream.run(60)
    network.lost = lambda *_: False
    assert stream.seconds_until_it_flows() <= 1.0
    assert stream.seconds_until_it_flows(at=STATION_2) <= 1.0


def test_a_member_that_missed_the_next_key_is_told_again(monkeypatch):
    monkeypatch.setattr(group, "RENEW_AT", 40)
    network = _group()
    stream = Stream(network)
    stream.run(2)
    network.got[STATION].clear()
    first = stream.number + 1
    controls = iter(range(3))
    network.lost = lambda datagram, source, destination: (
        datagram[0] == 0x14 and destination == STATION and next(controls, None) is not None
    )
    stream.run(8)
    assert next(controls, None) is None
    assert network.payloads(STATION) == [b"%d" % n for n in range(first, stream.number + 1)]


def test_a_member_that_reports_is_told_the_key_until_it_says_that_it_has_it():
    """Its reports are about packets of before, as of a drone that has restarted since."""
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_GROUP, seed=1), GROUP)
    network.add(STATION, sealed(Role.GROUND, seed=2), GROUP)
    keys = iter(range(2))
    network.lost = lambda datagram, source, destination: (
        datagram[0] == 0x14 and source == DRONE and next(keys, None) is not None
    )
    for _ in range(30):
        network.send(DRONE, b"frame")
        network.send(STATION, b"report", Channel.FEEDBACK)
        network.run(0.1)
    assert next(keys, None) is None
    assert len(network.payloads(STATION)) > 10


def test_a_member_that_the_drone_has_forgotten_finds_out():
    """It hears the group all the time; only what it says does not arrive for minutes."""
    network = _group()
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda datagram, source, destination: source == STATION_2
    stream.run(peers.FORGET_AFTER_S + 20, frame_s=0.5)
    network.lost = lambda *_: False
    assert len(network.links[DRONE].peers()) == 1
    stream.run(peers.KEEP_ALIVE_S + 2)
    network.got[DRONE].clear()
    stream.run(0.5)
    assert len(network.payloads(DRONE)) >= 8  # reports of both
