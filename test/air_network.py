# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ends of the air link joined in simulated time: delays, losses, groups, changed addresses."""

import heapq
import itertools
import random

from sc2_ros.link.air.key import AirKey
from sc2_ros.link.air.open import OpenLink
from sc2_ros.link.air.sealed import SealedLink
from sc2_ros.link.air.wire import Channel, Role

KEY = AirKey(bytes(range(32)))
DRONE, STATION, STATION_2 = ("10.0.0.1", 5600), ("10.0.0.2", 5600), ("10.0.0.3", 5600)
GROUP = ("239.0.0.1", 5600)


def sealed(role, remotes=(), seed=0, key=KEY, **options):
    """A sealed link whose secrets repeat with the seed."""
    return SealedLink(key, role, remotes, random=random.Random(seed).randbytes, **options)


class Network:
    """Carries datagrams between links; time passes in `run` only."""

    def __init__(self, delay_s=0.02):
        self.delay_s = delay_s
        self.now_s = 100.0
        self.links = {}
        self.groups = {}
        self.got = {}
        self.seen = []
        """(time, datagram, source, destination) of all that was sent, lost or not."""
        self.lost = lambda datagram, source, destination: False
        self.mapped = {}
        """Address of an end: the address under which others see it (a NAT)."""
        self._due = {}
        self._under_way = []
        self._order = itertools.count()

    def add(self, address, link, group=None):
        """Put a link at an address, in place of one that has died; it may join a group."""
        self.links[address] = link
        self._due[address] = self.now_s
        self.got[address] = []
        if group is not None:
            self.groups.setdefault(group, set()).add(address)
        return link

    def inject(self, datagram, source, destination, after_s=0.0):
        """Let a datagram arrive that nobody here has sent."""
        item = (self.now_s + after_s, next(self._order), datagram, source, destination)
        heapq.heappush(self._under_way, item)

    def send(self, address, payload, channel=Channel.FEATURES, to=None):
        """Send a payload from an end."""
        count = self.links[address].send(channel, payload, to, self.now_s)
        self._collect(address)
        return count

    def run(self, seconds, step_s=0.01):
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s = min(end_s, self.now_s + step_s)
            self._deliver()
            for address, link in self.links.items():
                if self.now_s >= self._due[address]:
                    self._due[address] = link.turn(self.now_s)
                    self._collect(address)

    def payloads(self, address):
        """What an end has been given, in order."""
        return [arrival.payload for arrival in self.got[address]]

    def _collect(self, address):
        for datagram, destination in self.links[address].outgoing():
            source = self.mapped.get(address, address)
            self.seen.append((self.now_s, datagram, source, destination))
            if not self.lost(datagram, address, destination):
                self.inject(datagram, source, destination, self.delay_s)

    def _deliver(self):
        while self._under_way and self._under_way[0][0] <= self.now_s:
            _, _, datagram, source, destination = heapq.heappop(self._under_way)
            for address in self._receivers(destination):
                arrival = self.links[address].receive(datagram, source, self.now_s)
                if arrival is not None:
                    self.got[address].append(arrival)
                self._collect(address)

    def _receivers(self, destination):
        if destination in self.groups:
            return sorted(self.groups[destination])
        behind = [inner for inner, outer in self.mapped.items() if outer == destination]
        direct = [destination] if destination not in self.mapped else []
        return [address for address in behind + direct if address in self.links]


class Stream:
    """A drone that sends a numbered frame every 0.1 s, and stations that report on each."""

    def __init__(self, network, drone=DRONE):
        self.network, self.drone = network, drone
        self.number = 0

    def run(self, seconds, frame_s=0.1):
        for _ in range(round(seconds / frame_s)):
            self.number += 1
            self.network.send(self.drone, b"%d" % self.number)
            before = {at: len(got) for at, got in self.network.got.items()}
            self.network.run(frame_s)
            for address, count in before.items():
                if address != self.drone:
                    for arrival in self.network.got[address][count:]:
                        self.network.send(
                            address, arrival.payload, Channel.FEEDBACK, to=arrival.peer
                        )

    def seconds_until_it_flows(self, limit_s=3.0, at=STATION):
        """Time until a frame's report is back at the drone."""
        start_s = self.network.now_s
        for address in (self.drone, at):
            self.network.got[address].clear()
        while self.network.now_s - start_s < limit_s:
            self.run(0.1)
            if self.network.got[self.drone] and self.network.got[at]:
                return self.network.now_s - start_s
        return float("inf")


def pair(remotes, link=sealed, **options):
    """A network with a drone that calls one station: (network, drone, station), no time passed."""
    network = Network()
    drone = network.add(DRONE, link(Role.ONBOARD, remotes, seed=1, **options))
    station = network.add(STATION, link(Role.GROUND, seed=2, **options))
    return network, drone, station


def opened(role, remotes=(), seed=0, **options):
    """An open link, made as `sealed` makes one."""
    return OpenLink(role, remotes, **options)
