# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's memory of the packets that left, against which feedback is read."""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

REMEMBERED_PACKETS = 4096


class SentPacket(NamedTuple):
    """One packet that left.

    Attributes:
        time_s: when.
        number: how many had left with it.
        total_bytes: their bytes.
        size_bytes: its own.
    """

    time_s: float
    number: int
    total_bytes: int
    size_bytes: int


class SentLog:
    """The last packets that left, by frame and slice, and in order."""

    def __init__(self) -> None:
        self.count = 0
        self.total_bytes = 0
        self._packets: dict[int, SentPacket] = {}
        self._times: deque[float] = deque(maxlen=REMEMBERED_PACKETS)

    def add(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Enter that a packet left at ``now_s``."""
        self.count += 1
        self.total_bytes += size_bytes
        key, packets = frame << 8 | slice_number, self._packets
        if key in packets:
            del packets[key]  # frame numbers wrap: the newest comes last
        packets[key] = SentPacket(now_s, self.count, self.total_bytes, size_bytes)
        self._times.append(now_s)
        if len(packets) > REMEMBERED_PACKETS:
            del packets[next(iter(packets))]

    def get(self, frame: int, slice_number: int) -> SentPacket | None:
        """The packet, if it is remembered."""
        return self._packets.get(frame << 8 | slice_number)

    def time_of(self, count: int) -> float | None:
        """When the packet with that count left, if it did and is remembered."""
        behind = self.count - count
        return self._times[-1 - behind] if 0 <= behind < len(self._times) else None
