# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone with two stations, over a simulated network: which of them gets its packets."""

import pytest
from air_network import DRONE, STATION, STATION_2, Network, opened, sealed

from sc2_ros.errors import AirAddressError
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.endpoint import AirConfig, open_link
from sc2_ros.link.air.handover import AFTER_S, HOLD_S, Handover
from sc2_ros.link.air.wire import Channel, Role

STEP_S = 0.1
HOME, OTHER = Remote(STATION), Remote(STATION_2)


class Flight:
    """A drone that sends ten packets a second, and two stations that answer each with a report."""

    def __init__(self, link):
        self.network, self._link, self._seed = Network(), link, 0
        self.drone = self.network.add(DRONE, self._new(Role.ONBOARD, [HOME, OTHER]))
        for address in (STATION, STATION_2):
            self.start(address)
        self.handover = Handover(self.drone, [(HOME,), (OTHER,)])
        self.dead = set()
        self.network.lost = lambda datagram, source, destination: bool(
            self.dead & {source, destination}
        )

    def _new(self, *arguments):
        self._seed += 1
        return self._link(*arguments, seed=self._seed)

    def start(self, address):
        """A process begins there, in place of one that has ended."""
        self.network.add(address, self._new(Role.GROUND))

    def fly(self, seconds, sends=True):
        """What each station got, packet by packet: a string of 1 and 2 (B: both, 0: none)."""
        history = ""
        for _ in range(round(seconds / STEP_S)):
            before = {at: len(got) for at, got in self.network.got.items()}
            if sends:
                self.network.send(DRONE, b"packet")
            for _ in range(10):
                self.handover.turn(self.network.now_s)
                self.network.run(STEP_S / 10)
            got = []
            for address in (STATION, STATION_2):
                arrivals = self.network.got[address][before[address] :]
                got.append(bool(arrivals) and address not in self.dead)
                for arrival in arrivals:
                    self.network.send(address, b"report", Channel.FEEDBACK, to=arrival.peer)
            history += {(0, 0): "0", (1, 0): "1", (0, 1): "2", (1, 1): "B"}[tuple(got)]
        return history


@pytest.fixture(params=[opened, sealed], ids=["open", "sealed"])
def flight(request):
    made = Flight(request.param)
    made.fly(1)
    return made


def test_packets_go_to_the_first_station_alone(flight):
    assert set(flight.fly(20)) == {"1"}
    assert flight.drone.counts.unused == 0


def test_a_station_that_dies_is_stood_in_for_and_taken_back(flight):
    flight.dead = {STATION}
    lost = flight.fly(10)
    assert set(lost.lstrip("0")) == {"2"}
    assert len(lost) - len(lost.lstrip("0")) <= (AFTER_S + 0.3) / STEP_S
    flight.dead = set()
    flight.start(STATION)
    back = flight.fly(30)
    assert set(back.lstrip("2")) == {"1"}
    assert len(back) - len(back.lstrip("2")) <= (HOLD_S + 5.5) / STEP_S


def test_nothing_changes_while_the_radio_is_down(flight):
    flight.dead = {STATION, STATION_2}
    assert set(flight.fly(5)) == {"0"}
    flight.dead = set()
    assert set(flight.fly(20).lstrip("0")) == {"1"}


def test_nothing_changes_while_there_is_nothing_to_send(flight):
    flight.fly(60, sends=False)
    assert flight.handover.place == 0
    assert flight.fly(1).lstrip("0")[:1] == "1"


def test_two_addresses_of_one_station_are_two_ways_to_it():
    """Its session stays with the first that answers, and goes over to the other one without it."""
    flight = Flight(sealed)
    flight.network.links[STATION_2] = flight.network.links[STATION]
    flight.fly(1)
    assert set(flight.fly(15)) == {"1"}
    flight.dead = {STATION}
    assert flight.fly(8).endswith("2" * 10)


def test_a_station_that_dies_again_and_again_is_used_less_and_less(flight):
    """It lives for six seconds and is dead for six."""
    history = ""
    for _ in range(20):
        flight.dead = set()
        flight.start(STATION)
        history += flight.fly(6)
        flight.dead = {STATION}
        history += flight.fly(6)
    lost = history.count("0")
    assert lost < 0.05 * len(history)
    assert history.count("21") + history.count("201") <= 4
    flight.dead = set()
    flight.start(STATION)
    assert flight.fly(100)[-1] == "1"


def test_reports_of_a_station_that_stands_by_are_not_heeded(flight):
    flight.fly(1)
    before = len(flight.network.got[DRONE])
    numbers = [peer.number for peer in flight.network.links[STATION_2].peers()]
    for number in numbers:
        flight.network.send(STATION_2, b"stale", Channel.FEEDBACK, to=number)
    flight.network.run(0.1)
    assert numbers
    assert flight.drone.counts.unused == len(numbers)
    assert b"stale" not in [arrival.payload for arrival in flight.network.got[DRONE][before:]]


def test_a_dead_station_costs_little(flight):
    flight.dead = {STATION}
    flight.fly(30)
    before = len(flight.network.seen)
    flight.fly(60)
    calls = [one for one in flight.network.seen[before:] if one[3] == STATION]
    assert sum(len(datagram) + 28 for _, datagram, _, _ in calls) / 60 < 30


@pytest.mark.parametrize(
    "config",
    [
        AirConfig(standby=("127.0.0.1:2",)),
        AirConfig(remotes=("127.0.0.1:1",), standby=("127.0.0.1:1",)),
        AirConfig(remotes=("239.1.1.1:1",), standby=("127.0.0.1:1",)),
        AirConfig(remotes=("127.0.0.1:1",), standby=("127.0.0.1:2",), fixed=True),
    ],
    ids=["no remote", "twice", "group", "fixed"],
)
def test_what_cannot_be_handed_over_is_refused(config):
    with pytest.raises(AirAddressError):
        open_link(config, Role.ONBOARD, None)
