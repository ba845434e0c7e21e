# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bottleneck's transmitter, first in first out; times count from the link's start."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left, bisect_right
from typing import Protocol

from sc2_ros.link.sim.spec import LinkSpec, Step
from sc2_ros.link.sim.trace import Trace

_CAPACITY_WINDOW_S = 1.0


class Server(Protocol):
    """Something that carries packets away."""

    def serve(self, size_bytes: int, now_s: float) -> tuple[float, float]:
        """When a packet handed over at ``now_s`` has left; and when, were none before it."""

    def capacity_bps(self, now_s: float) -> float:
        """Capacity around ``now_s``."""

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        """Bytes that could leave between two times."""


def make_server(spec: LinkSpec) -> Server:
    """The transmitter that a link description means."""
    server: Server
    if spec.trace is not None:
        server = _TraceServer(spec.trace)
    elif spec.steps:
        server = _StepServer(spec.steps)
    else:
        server = _FixedServer(math.inf if spec.rate_bps is None else spec.rate_bps)
    for outage in spec.outages:
        server = _OutageServer(server, *outage)
    return server


class _FixedServer:
    def __init__(self, rate_bps: float) -> None:
        self._rate_bps = rate_bps
        self._free_s = -math.inf

    def serve(self, size_bytes: int, now_s: float) -> tuple[float, float]:
        service_s = size_bytes * 8 / self._rate_bps
        self._free_s = (now_s if now_s > self._free_s else self._free_s) + service_s
        return self._free_s, now_s + service_s

    def capacity_bps(self, now_s: float) -> float:
        return self._rate_bps

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        return self._rate_bps * (last_s - first_s) / 8


class _StepServer:
    """Capacities in turn; a packet that is under way when the capacity changes goes on at it."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._times = [time_s for time_s, _ in steps]
        self._rates = [rate_bps for _, rate_bps in steps]
        self._free_s = -math.inf

    def serve(self, size_bytes: int, now_s: float) -> tuple[float, float]:
        alone_s = self._carried(size_bytes, now_s)
        if now_s < self._free_s:
            self._free_s = self._carried(size_bytes, self._free_s)
        else:
            self._free_s = alone_s
        return self._free_s, alone_s

    def _carried(self, size_bytes: int, now_s: float) -> float:
        """When a packet that is begun at ``now_s`` has left."""
        bits = size_bytes * 8.0
        index = self._index(now_s)
        while True:
            end_s = self._times[index + 1] if index + 1 < len(self._times) else math.inf
            room = self._rates[index] * (end_s - now_s) if self._rates[index] else 0.0
            if bits <= room:
                return now_s + bits / self._rates[index]
            bits -= room
            now_s = end_s
            index += 1

    def capacity_bps(self, now_s: float) -> float:
        return self._rates[self._index(now_s)]

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        edges = [first_s, *(time_s for time_s in self._times if first_s < time_s < last_s), last_s]
        return sum(
            self.capacity_bps(left) * (right - left) / 8
            for left, right in itertools.pairwise(edges)
        )

    def _index(self, now_s: float) -> int:
        return max(bisect_right(self._times, now_s) - 1, 0)


class _TraceServer:
    """Mahimahi's rule: each opportunity carries 1500 bytes of what waits, else it is wasted.

    A packet may be split over opportunities and several may share one; it has left with its last
    byte. Opportunities are numbered through all repetitions of the trace.
    """

    def __init__(self, trace: Trace) -> None:
        self._opportunity_bytes = trace.opportunity_bytes
        self._times_ms: list[int] = trace.times_ms.tolist()
        self._at_end = self._times_ms.count(self._times_ms[-1])
        self._number = -1
        self._left_bytes = 0.0

    def serve(self, size_bytes: int, now_s: float) -> tuple[float, float]:
        first, whole = self._count_before(now_s), self._opportunity_bytes
        alone, left_bytes = _taken(size_bytes, first, whole, whole)
        alone_s = max(now_s, self._time_s(alone))
        if first > self._number:
            self._number, self._left_bytes = alone, left_bytes
            return alone_s, alone_s
        self._number, self._left_bytes = _taken(size_bytes, self._number, self._left_bytes, whole)
        return max(now_s, self._time_s(self._number)), alone_s

    def capacity_bps(self, now_s: float) -> float:
        half = _CAPACITY_WINDOW_S / 2
        return self.capacity_bytes(now_s - half, now_s + half) * 8 / _CAPACITY_WINDOW_S

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        count = self._count_before(last_s) - self._count_before(first_s)
        return count * self._opportunity_bytes

    def _time_s(self, number: int) -> float:
        rounds, index = divmod(number, len(self._times_ms))
        return (rounds * self._times_ms[-1] + self._times_ms[index]) / 1000.0

    def _count_before(self, time_s: float) -> int:
        """How many opportunities lie strictly before ``time_s`` (microsecond resolution)."""
        period_ms = self._times_ms[-1]
        rounds, rest_us = divmod(round(time_s * 1e6), period_ms * 1000)
        # The ceiling makes "strictly before" exact on the trace's whole milliseconds.
        index = bisect_left(self._times_ms, -(-rest_us // 1000))
        if rest_us == 0:
            # The last opportunity of a round falls on the same instant as the next one's zero.
            index -= self._at_end
        return rounds * len(self._times_ms) + index


def _taken(size_bytes: int, number: int, left_bytes: float, whole: float) -> tuple[int, float]:
    """The opportunity that carries a packet's last byte, and what it has left.

    Opportunity ``number`` has ``left_bytes``, the later ones are ``whole``.
    """
    beyond = size_bytes - left_bytes
    if beyond <= 0:
        return number, -beyond
    more = math.ceil(beyond / whole)
    return number + more, more * whole - beyond


class _OutageServer:
    """Nothing leaves between two times; what was on its way then starts again afterwards."""

    def __init__(self, server: Server, first_s: float, last_s: float) -> None:
        self._server = server
        self._first_s = first_s
        self._last_s = last_s

    def serve(self, size_bytes: int, now_s: float) -> tuple[float, float]:
        begun_s = self._beyond(now_s)
        departure_s, alone_s = self._server.serve(size_bytes, begun_s)
        if begun_s < self._first_s:
            if self._first_s < departure_s <= self._last_s:
                departure_s, _ = self._server.serve(size_bytes, self._last_s)
            if self._first_s < alone_s <= self._last_s:
                alone_s += self._last_s - begun_s
        return departure_s, alone_s

    def capacity_bps(self, now_s: float) -> float:
        down = self._first_s <= now_s < self._last_s
        return 0.0 if down else self._server.capacity_bps(now_s)

    def capacity_bytes(self, first_s: float, last_s: float) -> float:
        total = self._server.capacity_bytes(first_s, last_s)
        left, right = max(first_s, self._first_s), min(last_s, self._last_s)
        return total - (self._server.capacity_bytes(left, right) if left < right else 0.0)

    def _beyond(self, now_s: float) -> float:
        return self._last_s if self._first_s <= now_s < self._last_s else now_s
