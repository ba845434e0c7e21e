# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The sealed link over a simulated network: joining, outages, restarts, addresses, renewal."""

import itertools

import pytest
from air_network import DRONE, GROUP, KEY, STATION, STATION_2, Network, Stream, pair, sealed

from sc2_ros.link.air import aead, wire
from sc2_ros.link.air import peer as peers
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.key import AirKey
from sc2_ros.link.air.sealed import MAX_PEERS
from sc2_ros.link.air.wire import Channel, Role

TO_STATION = [Remote(STATION)]
TO_GROUP = [Remote(GROUP, is_group=True)]


def test_payloads_go_both_ways_after_two_round_trips():
    network, drone, station = pair(TO_STATION)
    assert network.send(DRONE, b"too early") == 0
    assert drone.counts.unsent == 1
    network.run(0.1)
    assert len(drone.peers()) == len(station.peers()) == 1
    network.send(DRONE, b"frame")
    network.send(STATION, b"report", Channel.FEEDBACK, to=station.peers()[0].number)
    network.run(0.03)
    assert [(a.channel, a.payload) for a in network.got[STATION]] == [(Channel.FEATURES, b"frame")]
    assert [(a.channel, a.payload) for a in network.got[DRONE]] == [(Channel.FEEDBACK, b"report")]


@pytest.mark.parametrize("cipher", list(aead.CIPHERS))
def test_every_cipher_works(cipher):
    network, _, _ = pair(TO_STATION, cipher=cipher)
    assert Stream(network).seconds_until_it_flows() <= 0.3


def test_two_ciphers_do_not_and_say_so():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=1, cipher="aes-gcm"))
    station = network.add(STATION, sealed(Role.GROUND, seed=2))
    network.run(1)
    assert station.peers() == []
    assert station.counts.other_cipher > 0


def test_another_key_stays_outside():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=1, key=AirKey(bytes(32))))
    station = network.add(STATION, sealed(Role.GROUND, seed=2))
    network.run(1)
    assert station.peers() == []
    assert [source for _, _, source, _ in network.seen if source == STATION] == []


def test_the_station_may_call_the_drone():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, seed=1))
    network.add(STATION, sealed(Role.GROUND, [Remote(DRONE)], seed=2))
    assert Stream(network).seconds_until_it_flows() <= 0.3


def test_both_may_call_and_have_one_link():
    network = Network()
    drone = network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=1))
    station = network.add(STATION, sealed(Role.GROUND, [Remote(DRONE)], seed=2))
    stream = Stream(network)
    stream.run(2)
    assert len(drone.peers()) == len(station.peers()) == 1
    assert len(network.payloads(STATION)) >= 17
    assert len(set(network.payloads(STATION))) == len(network.payloads(STATION))


@pytest.mark.parametrize("delay_s", [0.005, 0.1, 0.3])
@pytest.mark.parametrize("to_group", [False, True])
def test_where_both_call_at_once_nothing_is_lost_for_it(delay_s, to_group):
    """They do at the start, and whenever the session is renewed."""
    network, group = Network(delay_s), GROUP if to_group else None
    to_drone = TO_GROUP if to_group else [Remote(DRONE)]
    remotes = TO_GROUP if to_group else TO_STATION
    network.add(DRONE, sealed(Role.ONBOARD, remotes, seed=1, renew_s=25.0), group)
    network.add(STATION, sealed(Role.GROUND, to_drone, seed=2, renew_s=25.0), group)
    stream = Stream(network)
    stream.run(3)
    first = stream.number + 1
    stream.run(70)
    network.run(1)
    expected = set(range(first, stream.number + 1))
    assert expected <= set(map(int, network.payloads(STATION)))
    assert len(expected - set(map(int, network.payloads(DRONE)))) <= 10  # the last are under way


@pytest.mark.parametrize("outage_s", [0.4, 5, 15, 60, 200])
def test_traffic_is_back_within_a_second_after_an_outage(outage_s):
    network, _, _ = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda *_: True
    stream.run(outage_s)
    network.lost = lambda *_: False
    assert stream.seconds_until_it_flows() <= 1.0


@pytest.mark.parametrize("silent", [STATION, DRONE])
def test_one_direction_lost_for_minutes(silent):
    network, _, _ = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda datagram, source, destination: source == silent
    stream.run(300, frame_s=0.5)
    if silent == STATION:  # What the drone sends still comes in.
        assert len(network.payloads(STATION)) > 590
    network.lost = lambda *_: False
    assert stream.seconds_until_it_flows() <= 1.0


@pytest.mark.parametrize("who", ["drone", "station"])
@pytest.mark.parametrize("dead_s", [0.0, 2.0, 60.0])
def test_traffic_is_back_within_a_second_after_a_restart(who, dead_s):
    network, _, _ = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    address = DRONE if who == "drone" else STATION
    dead = network.links.pop(address)
    network.lost = lambda datagram, source, destination: address in (source, destination)
    while network.now_s < 101 + dead_s:
        network.run(0.1)
    network.lost = lambda *_: False
    if who == "drone":
        network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=11))
    else:
        network.add(STATION, sealed(Role.GROUND, seed=12))
    assert dead is not network.links[address]
    assert stream.seconds_until_it_flows() <= 1.0


def test_a_station_that_has_restarted_replaces_what_it_was():
    network, drone, _ = pair(TO_STATION)
    stream = Stream(network)
    for seed in range(12, 15):
        stream.run(1)
        network.add(STATION, sealed(Role.GROUND, seed=seed))
    stream.run(3)
    assert len(drone.peers()) == 1
    sent = len(network.seen)
    stream.run(5)
    assert [1 for _, datagram, *_ in network.seen[sent:] if datagram[0] == 0x11] == []


def test_with_a_station_that_calls_a_restarted_drone_is_called_in_time():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, seed=1))
    network.add(STATION, sealed(Role.GROUND, [Remote(DRONE)], seed=2))
    stream = Stream(network)
    stream.run(1)
    network.add(DRONE, sealed(Role.ONBOARD, seed=11))
    assert stream.seconds_until_it_flows() <= 1.0


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_joining_over_a_lossy_link(loss):
    import random

    chance = random.Random(5)
    late = 0
    for seed in range(20):
        network = Network()
        network.lost = lambda *_: chance.random() < loss
        network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=seed))
        network.add(STATION, sealed(Role.GROUND, seed=100 + seed))
        late += Stream(network).seconds_until_it_flows(limit_s=10) > (1.0 if loss < 0.2 else 3.0)
    assert late <= 1


def _of_kind(network, kind, after_s=0.0):
    return [data for at, data, *_ in network.seen if data[0] == wire.SEALED | kind and at > after_s]


def test_a_slow_link_is_not_called_again_and_again():
    network, _, _ = pair(TO_STATION)
    network.delay_s = 0.35
    stream = Stream(network)
    stream.run(5)
    assert len(network.payloads(DRONE)) > 25
    # Calls were under way before the first answer came; they make one session.
    assert len(_of_kind(network, wire.HELLO)) <= 3
    assert len(_of_kind(network, wire.FINISH)) == 1
    network.run(3)
    stream.run(3)
    assert _of_kind(network, wire.HELLO, after_s=102) == []


@pytest.mark.parametrize("remotes", [TO_STATION, TO_GROUP])
def test_an_answer_that_comes_twice_makes_no_second_session_with_the_same_keys(remotes):
    """It would seal under counters that were used, and open what has come before."""
    network = Network()
    drone = network.add(DRONE, sealed(Role.ONBOARD, remotes, seed=1), GROUP)
    network.add(STATION, sealed(Role.GROUND, seed=2), GROUP)
    network.run(0.15)
    (welcome,) = _of_kind(network, wire.WELCOME)
    entries = drone._index
    for _ in range(3):
        network.inject(welcome, STATION, DRONE)
        network.run(0.1)
    assert len(_of_kind(network, wire.FINISH)) == 1
    assert drone._index == entries


def test_a_changed_address_is_followed():
    network, _, station = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    for port in (1111, 2222):  # A NAT router forgets the mapping and makes another.
        network.mapped[DRONE] = ("203.0.113.9", port)
        assert stream.seconds_until_it_flows() <= 0.3
        assert [peer.address for peer in station.peers()] == [("203.0.113.9", port)]


def test_what_was_under_way_when_it_moved_does_not_move_it_back():
    network, _, station = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda datagram, source, destination: source == DRONE
    for number in range(3):
        network.send(DRONE, b"slow %d" % number)
    slow = [datagram for _, datagram, *_ in network.seen[-3:]]
    network.lost = lambda *_: False
    network.mapped[DRONE] = ("203.0.113.9", 1111)
    stream.run(1)
    for datagram in slow:
        network.inject(datagram, DRONE, STATION)
    network.run(0.01)
    assert network.payloads(STATION)[-3:] == [b"slow 0", b"slow 1", b"slow 2"]
    assert [peer.address for peer in station.peers()] == [("203.0.113.9", 1111)]


def test_one_datagram_that_a_stranger_sent_on_first_moves_nobody():
    network, _, station = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    network.lost = lambda datagram, source, destination: source == DRONE
    network.send(DRONE, b"caught")
    network.inject(network.seen[-1][1], ("6.6.6.6", 6), STATION)
    network.lost = lambda *_: False
    network.run(0.01)
    assert network.payloads(STATION)[-1] == b"caught"
    assert [peer.address for peer in station.peers()] == [DRONE]
    # And nobody is lost to it who sends from where it was.
    stream.run(1)
    assert [peer.address for peer in station.peers()] == [DRONE]
    assert len(network.payloads(DRONE)) >= 18


def test_a_replayed_datagram_moves_nobody():
    network, _, station = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    for _, datagram, source, destination in network.seen[:]:
        if source == DRONE:
            network.inject(datagram, ("6.6.6.6", 6), destination)
    network.run(0.1)
    assert [peer.address for peer in station.peers()] == [DRONE]


def test_a_second_station_is_in_within_a_second():
    network, drone, _ = pair([Remote(STATION), Remote(STATION_2)])
    stream = Stream(network)
    stream.run(3)
    network.add(STATION_2, sealed(Role.GROUND, seed=3))
    assert stream.seconds_until_it_flows(at=STATION_2) <= 1.0
    network.got[STATION].clear()
    network.got[STATION_2].clear()
    stream.run(1)
    assert network.payloads(STATION) == network.payloads(STATION_2)
    assert len(network.payloads(STATION)) >= 9


def test_two_drones_at_one_station_and_each_gets_its_own_reports():
    network = Network()
    other = ("10.0.0.9", 5600)
    network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=1))
    network.add(other, sealed(Role.ONBOARD, TO_STATION, seed=3))
    station = network.add(STATION, sealed(Role.GROUND, seed=2))
    network.run(0.5)
    network.send(DRONE, b"one")
    network.send(other, b"two")
    network.run(0.1)
    for arrival in network.got[STATION]:
        network.send(STATION, b"of " + arrival.payload, Channel.FEEDBACK, to=arrival.peer)
    network.run(0.1)
    assert network.payloads(DRONE) == [b"of one"]
    assert network.payloads(other) == [b"of two"]
    assert len(station.peers()) == 2


@pytest.mark.parametrize("by", ["age", "counter"])
def test_a_session_is_renewed_without_a_gap(by, monkeypatch):
    if by == "counter":
        monkeypatch.setattr(peers, "RENEW_AT", 40)
    network, drone, station = pair(TO_STATION, renew_s=4.0 if by == "age" else 900.0)
    stream = Stream(network)
    stream.run(1)
    network.got[STATION].clear()
    first = stream.number + 1
    stream.run(20)
    expected = [b"%d" % number for number in range(first, stream.number + 1)]
    assert network.payloads(STATION) == expected
    sessions = {datagram[1:3] for _, datagram, *_ in network.seen if datagram[0] == 0x18}
    assert len(sessions) >= 4
    assert len(drone.peers()) == len(station.peers()) == 1


@pytest.mark.parametrize("sender", [DRONE, STATION])
def test_who_sends_alone_has_its_counter_renewed(sender, monkeypatch):
    monkeypatch.setattr(peers, "RENEW_AT", 40)
    network, _, _ = pair(TO_STATION)
    network.run(1)
    for number in range(100):
        network.send(sender, b"%d" % number)
        network.run(0.1)
    receiver = STATION if sender == DRONE else DRONE
    assert network.payloads(receiver) == [b"%d" % number for number in range(100)]
    counters = [int.from_bytes(d[3:6], "big") for _, d, *_ in network.seen if d[0] == 0x18]
    assert max(counters) < 60


def test_a_station_that_restarts_again_and_again_gets_each_frame_once():
    network = Network()
    drone = network.add(DRONE, sealed(Role.ONBOARD, seed=1))
    for seed in range(2, 6):
        network.add(STATION, sealed(Role.GROUND, [Remote(DRONE)], seed=seed))
        network.run(1)
    assert len(drone.peers()) == 4
    sent = len(network.seen)
    assert network.send(DRONE, b"frame") == 1
    network.run(0.05)
    assert len(network.seen) == sent + 1
    assert network.payloads(STATION) == [b"frame"]


def test_the_keys_of_a_session_that_was_replaced_are_forgotten():
    network, drone, station = pair(TO_STATION, renew_s=30.0)
    network.run(45)
    for end in (drone, station):
        assert sum(len(entries) for entries in end._index.values()) == 1


def test_a_tunnel_with_two_ports():
    """wfb-ng: one takes at a fixed port, and what comes in comes from some other port."""
    network = Network()
    here, there = ("127.0.0.1", 1), ("127.0.0.1", 2)  # where both tunnels take
    drone = network.add(DRONE, sealed(Role.ONBOARD, [Remote(here, True)], seed=1, fixed=True))
    network.add(STATION, sealed(Role.GROUND, [Remote(there, True)], seed=2, fixed=True))
    network.add(STATION_2, sealed(Role.GROUND, [Remote(there, True)], seed=3, fixed=True))
    network.groups[here] = {STATION, STATION_2}
    network.groups[there] = {DRONE}
    stream = Stream(network)
    assert stream.seconds_until_it_flows() <= 0.5
    assert stream.seconds_until_it_flows(at=STATION_2) <= 0.5
    assert {to for _, _, source, to in network.seen if source == DRONE} == {here}
    assert network.send(DRONE, b"one for all") == 1
    assert len(drone.peers()) == 2


def test_an_idle_link_costs_little():
    network, _, _ = pair(TO_STATION)
    network.run(1)
    sent = len(network.seen)
    network.run(60, step_s=0.05)
    idle_bytes = sum(28 + len(datagram) for _, datagram, *_ in network.seen[sent:])
    assert idle_bytes <= 700
    # And often enough for NAT routers, which may forget after 30 s.
    times = [at for at, _, source, _ in network.seen if source == DRONE]
    assert max(after - before for before, after in itertools.pairwise(times)) < 20


def test_an_answer_that_was_held_back_delays_no_later_call():
    network, _, _ = pair(TO_STATION)
    network.lost = lambda datagram, source, destination: datagram[0] == 0x12
    network.run(2.9)
    held = next(data for _, data, *_ in network.seen if data[0] == 0x12)
    network.inject(held, STATION, DRONE)
    stream = Stream(network)
    stream.run(1)
    assert network.payloads(DRONE)
    network.lost = lambda *_: False
    network.add(STATION, sealed(Role.GROUND, seed=12))
    assert stream.seconds_until_it_flows() <= 1.5


def test_a_link_that_is_down_costs_little():
    network, _, _ = pair(TO_STATION)
    network.run(1)
    network.lost = lambda *_: True
    network.send(DRONE, b"into nowhere")
    network.run(5)
    sent = len(network.seen)
    network.run(60, step_s=0.05)
    down_bytes = sum(28 + len(datagram) for _, datagram, *_ in network.seen[sent:])
    assert down_bytes / 60 <= 260


def test_calls_into_nowhere_are_few_and_small():
    network = Network()
    network.add(DRONE, sealed(Role.ONBOARD, TO_STATION, seed=1))
    network.run(10)
    assert all(len(datagram) == 48 for _, datagram, *_ in network.seen)
    assert len(network.seen) <= 10 / peers.CALL_EVERY_S + 1


def test_the_number_of_peers_is_bounded():
    network = Network()
    station = network.add(STATION, sealed(Role.GROUND, seed=2))
    for number in range(MAX_PEERS + 8):
        address = (f"10.1.0.{number}", 5600)
        network.add(address, sealed(Role.ONBOARD, TO_STATION, seed=100 + number))
        network.run(0.2)
        del network.links[address]
    assert len(station.peers()) == MAX_PEERS


def test_silent_peers_are_forgotten_by_who_was_called():
    network, _, station = pair(TO_STATION)
    network.run(1)
    del network.links[DRONE]
    network.run(peers.FORGET_AFTER_S - 20, step_s=1)
    assert len(station.peers()) == 1
    network.run(30, step_s=1)
    assert station.peers() == []


def test_a_clock_that_was_set_back_stops_nothing():
    """Time is time.monotonic, so this is about a machine that was suspended or replayed."""
    network, _, _ = pair(TO_STATION)
    stream = Stream(network)
    stream.run(1)
    network.now_s -= 50
    network._under_way.clear()
    for address in network._due:
        network._due[address] = network.now_s
    stream.run(1)
    assert len(network.payloads(STATION)) >= 17


def test_nothing_in_a_links_shown_form_is_its_key():
    network, drone, station = pair(TO_STATION)
    network.run(1)
    secret = KEY._secret
    for shown in (repr(drone), repr(station), repr(drone.peers()), repr(drone.counts)):
        assert secret.hex() not in shown
        assert repr(secret)[2:-1] not in shown
