# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The frames of the onboard node from their capture until their last packet has left."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sc2_ros.codec.frame.encoder import EncodedPacket

MOST_OPEN = 8
"""Frames under way to the radio; of more the oldest was dropped by the pacer."""


@dataclass
class Departure:
    """A frame on its way out.

    Attributes:
        frame: its number.
        stamp_ns: of the camera's image.
        frame_id: of the camera's image.
        rate_index: at which it was coded.
        packets: how many it has.
        size_bytes: of all of them.
        times: event -> when it was by `time.monotonic`; see stages.py.
    """

    frame: int
    stamp_ns: int
    frame_id: str
    rate_index: float
    packets: int
    size_bytes: int
    times: dict[str, float]


class Departures:
    """Enters when the packets of a frame leave; the last one ends the frame.

    Args:
        left: is told of each frame whose packets have all left.
    """

    def __init__(self, left: Callable[[Departure], None]) -> None:
        self._left = left
        self._open: dict[int, Departure] = {}
        self._to_go: dict[int, int] = {}

    def begin(
        self,
        packets: Sequence[bytes],
        stamp_ns: int,
        frame_id: str,
        rate_index: float,
        times: dict[str, float],
    ) -> None:
        """A frame was coded; packets that are no `EncodedPacket` (stream info) do not count."""
        own = [packet for packet in packets if isinstance(packet, EncodedPacket)]
        if not own:
            return
        frame = own[0].frame
        size_bytes = sum(map(len, own))
        self._open[frame] = Departure(
            frame, stamp_ns, frame_id, rate_index, len(own), size_bytes, times
        )
        self._to_go[frame] = len(own)
        while len(self._open) > MOST_OPEN:
            oldest = next(iter(self._open))
            del self._open[oldest], self._to_go[oldest]

    def on_sent(self, packet: bytes, now_s: float) -> None:
        """A packet has left."""
        if not isinstance(packet, EncodedPacket) or packet.frame not in self._open:
            return
        departure = self._open[packet.frame]
        departure.times.setdefault("first_sent", now_s)
        departure.times["last_sent"] = now_s
        self._to_go[packet.frame] -= 1
        if self._to_go[packet.frame] == 0:
            del self._open[packet.frame], self._to_go[packet.frame]
            self._left(departure)
