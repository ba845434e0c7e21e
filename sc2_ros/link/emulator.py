# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A model of one direction of a radio link, shared by the emulator node and the offline replay.

    packet -> [drop-tail queue] -> [rate or trace] -> [loss] -> [delay + jitter] -> arrival

Random loss comes after the bottleneck, as on a radio: a lost packet has used its air time.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from typing import Protocol

from sc2_ros.link.spec import OPPORTUNITY_BYTES, LinkSpec, Trace

_JUMP_BACK_S = 1.0
_CAPACITY_WINDOW_S = 1.0


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
        """Packets lost at random."""
        self._random = random.Random(seed)
        self._start_s = start_s
        self._last_s = -math.inf
        self._reset()

    def _reset(self) -> None:
        spec = self.spec
        self._server: _Server = (
            _TraceServer(spec.trace) if spec.trace else _FixedServer(spec.rate_bps or math.inf)
        )
        self._queue: deque[tuple[float, int]] = deque()
        self._queued_bytes = 0
        self._last_arrival_s = -math.inf

    def send(self, size_bytes: int, now_s: float) -> list[float]:
        """Put a packet on the link; returns its arrival times in seconds (none: it is lost)."""
        now_s = self._advance(now_s)
        self.packets_sent += 1
        # An empty queue takes a packet of any size: it goes straight to the transmitter.
        if self._queue and self._queued_bytes + size_bytes > self.spec.queue_bytes:
            self.packets_dropped += 1
            return []
        departure_s = self._server.serve(size_bytes, now_s - self._start_s) + self._start_s
        if departure_s > now_s:
            self._queue.append((departure_s, size_bytes))
            self._queued_bytes += size_bytes
        # Both draws are always made, so that a seed means the same luck on every link.
        lost = self._random.random() < self.spec.loss
        jitter_s = self._random.random() * self.spec.jitter_s
        if lost:
            self.packets_lost += 1
            return []
        arrival_s = max(departure_s + self.spec.delay_s + jitter_s, self._last_arrival_s)
        self._last_arrival_s = arrival_s
        return [arrival_s]

    def queued_bytes(self, now_s: float) -> int:
        """Bytes that wait at the bottleneck."""
        self._advance(now_s)
        return self._queued_bytes

    def capacity_bps(self, now_s: float) -> float:
        """Capacity in bit/s; of a trace, over the second around ``now_s``; ``inf`` if unlimited."""
        return self._server.capacity_bps(now_s - self._start_s)

    def _advance(self, now_s: float) -> float:
        if now_s < self._last_s - _JUMP_BACK_S:
            self._reset()
            self._last_s = now_s
        now_s = self._last_s = max(now_s, self._last_s)
        while self._queue and self._queue[0][0] <= now_s:
            self._queued_bytes -= self._queue.popleft()[1]
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


class _Server(Protocol):
    """The bottleneck's transmitter, first in first out; times count from the link's start."""

    def serve(self, size_bytes: int, now_s: float) -> float:
        """Time at which a packet handed over at ``now_s`` has left."""

    def capacity_bps(self, now_s: float) -> float:
        """Capacity around ``now_s``."""


class _FixedServer:
    def __init__(self, rate_bps: float) -> None:
        self._rate_bps = rate_bps
        self._free_s = -math.inf

    def serve(self, size_bytes: int, now_s: float) -> float:
        self._free_s = max(now_s, self._free_s) + size_bytes * 8 / self._rate_bps
        return self._free_s

    def capacity_bps(self, now_s: float) -> float:
        return self._rate_bps


class _TraceServer:
    """Mahimahi's rule: each opportunity carries 1500 bytes of what waits, else it is wasted.

    A packet may be split over opportunities and several may share one; it has left with its last
    byte. Opportunities are numbered through all repetitions of the trace.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._times_ms: list[int] = trace.times_ms.tolist()
        self._at_end = self._times_ms.count(self._times_ms[-1])
        self._number = -1
        self._left_bytes = 0

    def serve(self, size_bytes: int, now_s: float) -> float:
        first = self._count_before(now_s)
        if first > self._number:
            self._number, self._left_bytes = first, OPPORTUNITY_BYTES
        beyond = size_bytes - self._left_bytes
        if beyond > 0:
            more = -(-beyond // OPPORTUNITY_BYTES)
            self._number += more
            self._left_bytes = more * OPPORTUNITY_BYTES - beyond
        else:
            self._left_bytes = -beyond
        return max(now_s, self._time_s(self._number))

    def capacity_bps(self, now_s: float) -> float:
        half = _CAPACITY_WINDOW_S / 2
        count = self._count_before(now_s + half) - self._count_before(now_s - half)
        return count * OPPORTUNITY_BYTES * 8 / _CAPACITY_WINDOW_S

    def _time_s(self, number: int) -> float:
        rounds, index = divmod(number, len(self._times_ms))
        return (rounds * self._times_ms[-1] + self._times_ms[index]) / 1000.0

    def _count_before(self, time_s: float) -> int:
        """How many opportunities lie strictly before ``time_s`` (microsecond resolution)."""
        period_ms = self._times_ms[-1]
        rounds, rest_us = divmod(round(time_s * 1e6), period_ms * 1000)
        # The ceiling makes "strictly before" exact on the trace's whole milliseconds.
        index = int(self._trace.times_ms.searchsorted(-(-rest_us // 1000), side="left"))
        if rest_us == 0:
            # The last opportunity of a round falls on the same instant as the next one's zero.
            index -= self._at_end
        return int(rounds) * len(self._times_ms) + index
