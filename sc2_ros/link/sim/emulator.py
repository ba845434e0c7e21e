# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model of one direction of a radio link, shared by the emulator node and the offline replay.

    packet -> [drop-tail queue] -> [rate, steps or trace] -> [loss] -> [delay + jitter] -> arrival
                                         outages             random,    reordering,
                                                             bursts     duplicates

Loss comes after the bottleneck, as on a radio: a lost packet has used its air time. Loss in bursts
is Gilbert's model: a good state without loss, a bad one in which every packet is lost.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque

from sc2_ros.link.sim.servers import Server, make_server
from sc2_ros.link.sim.spec import LinkSpec

_JUMP_BACK_S = 1.0
_DUPLICATE_S = 0.001
_SECOND_SEED = 0x5C2


class LinkModel:
    """One direction of a link; deterministic for a given specification, seed and traffic.

    ``start_s`` is the time at which a trace begins. A clock that steps back by more than a second
    (a bag that starts over) empties the queue; smaller steps back are ignored.
    """

    def __init__(self, spec: LinkSpec, seed: int = 0, start_s: float = 0.0) -> None:
        self.spec = spec
        self.packets_sent = 0
        self.packets_dropped = 0
        """Packets that found the queue full."""
        self.packets_lost = 0
        """Packets lost at random or in bursts."""
        self.wait_s = 0.0
        """By how much the last packet left later than it would have on an idle link, seconds."""
        self._random = random.Random(seed)
        # Apart from the first, so that bursts and reordering do not change the other draws.
        self._second = random.Random(seed ^ _SECOND_SEED)
        self._in_burst = False
        self._start_s = start_s
        self._last_s = -math.inf
        self._reset()

    def _reset(self) -> None:
        self._server: Server = make_server(self.spec)
        self._queue: deque[tuple[float, int]] = deque()
        self._queued_bytes = 0
        self._last_arrival_s = -math.inf

    def send(self, size_bytes: int, now_s: float) -> list[float]:
        """Put a packet on the link; returns its arrival times in seconds (none: it is lost)."""
        now_s, spec = self._advance(now_s), self.spec
        self.packets_sent += 1
        # An empty queue takes a packet of any size: it goes straight to the transmitter.
        if self._queue and self._queued_bytes + size_bytes > spec.queue_bytes:
            self.packets_dropped += 1
            return []
        departure_s, alone_s = self._server.serve(size_bytes, now_s - self._start_s)
        self.wait_s = departure_s - alone_s
        departure_s += self._start_s
        if departure_s > now_s:
            self._queue.append((departure_s, size_bytes))
            self._queued_bytes += size_bytes
        # Both draws are always made, so that a seed means the same luck on every link.
        lost = self._random.random() < spec.loss
        jitter_s = self._random.random() * spec.jitter_s
        if spec.burst_loss > 0 and self._burst():
            lost = True
        if lost:
            self.packets_lost += 1
            return []
        arrival_s = departure_s + spec.delay_s + jitter_s
        if arrival_s < self._last_arrival_s:
            arrival_s = self._last_arrival_s
        if spec.reorder > 0 and self._second.random() < spec.reorder:
            arrival_s += spec.reorder_s
        else:
            self._last_arrival_s = arrival_s
        if spec.duplicate > 0 and self._second.random() < spec.duplicate:
            return [arrival_s, arrival_s + _DUPLICATE_S]
        return [arrival_s]

    def queued_bytes(self, now_s: float) -> int:
        """Bytes that wait at the bottleneck."""
        self._advance(now_s)
        return self._queued_bytes

    def capacity_bps(self, now_s: float) -> float:
        """Capacity in bit/s; of a trace, over the second around ``now_s``; ``inf`` if unlimited."""
        return self._server.capacity_bps(now_s - self._start_s)

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        """Bytes that the link could carry between two times."""
        return self._server.capacity_bytes(first_s - self._start_s, last_s - self._start_s)

    def _burst(self) -> bool:
        """Whether the packet falls into a burst of losses (Gilbert 1960, all lost when bad)."""
        share, length = self.spec.burst_loss, self.spec.burst_packets
        change = 1 / length if self._in_burst else share / (length * (1 - share))
        if self._second.random() < change:
            self._in_burst = not self._in_burst
        return self._in_burst

    def _advance(self, now_s: float) -> float:
        if now_s < self._last_s - _JUMP_BACK_S:
            self._reset()
            self._last_s = now_s
        if now_s < self._last_s:
            now_s = self._last_s
        self._last_s = now_s
        queue = self._queue
        while queue and queue[0][0] <= now_s:
            self._queued_bytes -= queue.popleft()[1]
        return now_s


class LinkPipe:
    """A link with the packets that are under way on it: push them in, take out what has arrived."""

    def __init__(self, model: LinkModel) -> None:
        self.model = model
        self._flying: list[tuple[float, int, bytes]] = []
        self._count = 0

    def push(self, packet: bytes, now_s: float) -> None:
        """Send a packet at ``now_s``."""
        for arrival_s in self.model.send(len(packet), now_s):
            heapq.heappush(self._flying, (arrival_s, self._count, packet))
            self._count += 1

    @property
    def next_s(self) -> float | None:
        """When the next packet arrives, in seconds; ``None`` if none is under way."""
        return self._flying[0][0] if self._flying else None

    def pop(self, now_s: float) -> list[tuple[float, bytes]]:
        """The packets that have arrived by ``now_s``, with their arrival times, in order."""
        arrived = []
        while self._flying and self._flying[0][0] <= now_s:
            arrival_s, _, packet = heapq.heappop(self._flying)
            arrived.append((arrival_s, packet))
        return arrived
