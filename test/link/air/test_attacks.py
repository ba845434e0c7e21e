# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Strangers on the air: they hear, hold back, repeat, change and invent datagrams.

`benchmarks/air.py` runs the two counts of this file in full: 10^6 forged, 10^5 replayed.
"""

import importlib.util
from pathlib import Path

import hypothesis.strategies as st
import pytest
from air_network import DRONE, GROUP, STATION, STATION_2, sealed
from hypothesis import HealthCheck, assume, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from sc2_ros.link.air import wire
from sc2_ros.link.air.arrival import Remote
from sc2_ros.link.air.calls import CALL_LIFE_S
from sc2_ros.link.air.wire import Channel, Role

STRANGER = ("6.6.6.6", 6)
ROLES = {DRONE: Role.ONBOARD, STATION: Role.GROUND, STATION_2: Role.GROUND}
KINDS = [wire.SEALED | kind for kind in (1, 2, 3, 4, 8, 9)]


def _benchmark():
    path = Path(__file__).parents[3] / "benchmarks" / "air.py"
    spec = importlib.util.spec_from_file_location("benchmark_air", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("cipher", ["aes-ccm-8", "chacha20-poly1305"])
def test_no_forged_datagram_is_accepted_or_stops_anything(cipher):
    report = _benchmark().forged_report(60_000, cipher)
    assert report["accepted"] == report["interruptions"] == 0


def test_no_replayed_datagram_is_accepted_or_stops_anything():
    report = _benchmark().replay_report(6_000)
    assert len(report) == 5
    for result in report.values():
        assert result["replayed"] >= 6_000
        assert result["accepted"] == result["interruptions"] == 0


class Strangers(RuleBasedStateMachine):
    """Drone, one or two stations, and a stranger who is the network.

    Datagrams are delivered when, to whom, how often and from where the stranger wants, as they are
    or changed; ends restart. What is accepted was sent, and is accepted once. When the stranger
    leaves, frames and reports flow again.
    """

    group = False

    def __init__(self):
        super().__init__()
        self.now_s = 0.0
        self.seed = 0
        self.ends = {}
        self.heard = []
        """(datagram, source, destination) of all that was sent."""
        self.sent = set()
        self.accepted = set()
        for address in ROLES if self.group else (DRONE, STATION):
            self.start(address)

    def start(self, address):
        self.seed += 1
        if self.group:
            remotes = [Remote(GROUP, is_group=True)]
        else:
            remotes = [Remote(STATION)] if address == DRONE else []
        self.ends[address] = sealed(ROLES[address], remotes, seed=self.seed)

    def collect(self):
        for address, end in self.ends.items():
            self.heard += [(data, address, to) for data, to in end.outgoing()]

    def deliver(self, datagram, source, address):
        arrival = self.ends[address].receive(datagram, source, self.now_s)
        self.collect()
        if arrival is None:
            return
        # What a stranger could gain: something never sent, or sent by one of our own kind, in
        # another channel, or a second time (an end that has restarted included).
        assert (arrival.channel, arrival.payload, ROLES[address].other) in self.sent
        taken = (address, arrival.channel, arrival.payload)
        assert taken not in self.accepted
        self.accepted.add(taken)

    def pick(self, data):
        assume(self.heard)
        # The newest are the interesting ones; the whole past is open, too.
        age = data.draw(st.one_of(st.integers(0, 6), st.integers(0, len(self.heard) - 1)))
        return self.heard[-1 - min(age, len(self.heard) - 1)]

    ends_drawn = st.sampled_from([DRONE, STATION, STATION_2])

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.3, 0.6, 1.5, 20.0, 1000.0]))
    def wait(self, seconds):
        self.now_s += seconds
        for end in self.ends.values():
            end.turn(self.now_s)
        self.collect()

    @rule(address=ends_drawn)
    def send(self, address):
        assume(address in self.ends)
        channel = Channel.FEATURES if address == DRONE else Channel.FEEDBACK
        payload = b"%d" % len(self.sent)
        self.sent.add((channel, payload, ROLES[address]))
        self.ends[address].send(channel, payload, None, self.now_s)
        self.collect()

    def receivers(self, destination):
        if destination == GROUP:
            return list(self.ends)
        return [destination] if destination in self.ends else []

    @rule(count=st.integers(1, 8))
    def let_through(self, count):
        for _ in range(count):
            for datagram, source, destination in self.heard[-count:]:
                for address in self.receivers(destination):
                    self.deliver(datagram, source, address)

    @rule(
        data=st.data(), address=ends_drawn, source=st.sampled_from([None, STRANGER, DRONE, STATION])
    )
    def repeat(self, data, address, source):
        assume(address in self.ends)
        datagram, sender, _ = self.pick(data)
        self.deliver(datagram, source or sender, address)

    @rule(data=st.data(), address=ends_drawn)
    def change(self, data, address):
        assume(address in self.ends)
        datagram, sender, _ = self.pick(data)
        changed = bytearray(datagram)
        for _ in range(data.draw(st.integers(1, 3))):
            changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
        self.deliver(bytes(changed), sender, address)

    @rule(data=st.data(), address=ends_drawn)
    def splice(self, data, address):
        assume(address in self.ends)
        one, sender, _ = self.pick(data)
        other, _, _ = self.pick(data)
        at = data.draw(st.integers(0, min(len(one), len(other))))
        self.deliver(one[:at] + other[at:], sender, address)

    @rule(address=ends_drawn, kind=st.sampled_from(KINDS), rest=st.binary(max_size=80))
    def invent(self, address, kind, rest):
        assume(address in self.ends)
        self.deliver(bytes([kind]) + rest, STRANGER, address)

    @rule(address=ends_drawn)
    def restart(self, address):
        assume(address in self.ends)
        self.start(address)

    @invariant()
    def what_an_end_keeps_is_bounded(self):
        for end in self.ends.values():
            assert len(end._calls._called) <= 2 * (CALL_LIFE_S / 0.25 + 1) * len(self.ends)
            assert sum(len(entries) for entries in end._index.values()) <= 80

    def teardown(self):
        """The stranger leaves: within two seconds all is as if it had never been."""
        under_way = len(self.heard)
        end_s = self.now_s + 2.0
        while self.now_s < end_s:
            self.now_s += 0.05
            for address, end in self.ends.items():
                end.turn(self.now_s)
                self.send_one(address)
            self.collect()
            under_way = self.pass_on(under_way)
        before = set(self.accepted)
        for address in self.ends:
            self.send_one(address)
        self.collect()
        self.pass_on(under_way)
        new = {address for address, *_ in set(self.accepted) - before}
        assert new == set(self.ends)

    def send_one(self, address):
        channel = Channel.FEATURES if address == DRONE else Channel.FEEDBACK
        payload = b"%d" % len(self.sent)
        self.sent.add((channel, payload, ROLES[address]))
        self.ends[address].send(channel, payload, None, self.now_s)

    def pass_on(self, first):
        while first < len(self.heard):
            datagram, source, destination = self.heard[first]
            first += 1
            for address in self.receivers(destination):
                self.deliver(datagram, source, address)
        return first


class StrangersAroundAGroup(Strangers):
    """The same with a group of two stations."""

    group = True


class OneHostileDatagram(Strangers):
    """The stranger cannot hold anything back: then nothing of what is sent is lost, ever."""

    def __init__(self):
        super().__init__()
        self.wait(0.1)
        self.wait(0.1)

    def collect(self):
        first = len(self.heard)
        super().collect()
        if not getattr(self, "passing", False):
            self.passing = True
            self.pass_on(first)
            self.passing = False

    @precondition(lambda self: all(end.peers() for end in self.ends.values()))
    @rule(address=Strangers.ends_drawn)
    def send(self, address):
        assume(address in self.ends)
        before = len(self.accepted)
        super().send(address)
        assert len(self.accepted) == before + 1

    @rule(seconds=st.sampled_from([0.01, 0.1, 0.3, 0.6, 1.5, 5.0]))
    def wait(self, seconds):
        for _ in range(round(seconds / 0.1) or 1):
            super().wait(min(seconds, 0.1))

    @rule(address=Strangers.ends_drawn)
    def restart(self, address):
        assume(address in self.ends)
        self.start(address)
        for _ in range(10):
            self.send_one(DRONE)
            self.collect()
            super().wait(0.1)


def _test(machine, examples=25):
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    return case


TestStrangers = _test(Strangers)
TestStrangersAroundAGroup = _test(StrangersAroundAGroup)
TestOneHostileDatagram = _test(OneHostileDatagram, examples=12)


def test_an_answer_held_back_and_sent_on_from_another_address_costs_two_seconds_at_most():
    """What hypothesis once found: the drone confirms to itself, and calls again in time."""
    stranger = Strangers()
    stranger.wait(0.01)
    stranger.wait(0.6)
    call, sender, _ = stranger.heard[0]
    stranger.deliver(call, sender, STATION)
    answer, *_ = stranger.heard[-1]
    stranger.deliver(answer, DRONE, DRONE)
    stranger.teardown()
