# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that both ends know symbol by symbol, from which others are predicted.

The drone keeps what it sent, the station what it decoded whole. A packet names its reference by
number and by hash, so that a station whose frame of that number is another one refuses the packet
instead of mis-decoding it.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.capture_time import Stamp
from sc2_ros.codec.header import MAX_DISTANCE
from sc2_ros.codec.packet import Geometry

WINDOW = MAX_DISTANCE
"""References are at most so many frames old; both ends keep no more."""
_HASHED = struct.Struct("<BBB")


@dataclass(frozen=True, eq=False)
class Reference:
    """A frame as both ends have it.

    Attributes:
        frame: its number, u16.
        code: rate code at which it was coded.
        geometry: its sizes and its origin.
        symbols: (C, h, w) int8.
        told: (h, w) bool, in version 4 the positions that were told anew: of a slice that needs no
            other frame all of them. None: of an earlier version.
        stamp: what it tells of the capture times of those predicted from it; not in the hash.
    """

    frame: int
    code: int
    geometry: Geometry
    symbols: npt.NDArray[np.int8]
    told: npt.NDArray[np.bool_] | None = None
    stamp: Stamp = field(default=Stamp(0))

    @cached_property
    def digest(self) -> int:
        """CRC-32 of sizes, origin, rate code, symbols and map: the hash that travels."""
        first = zlib.crc32(struct.pack("<HHHH", *self.geometry.encoded_size, *self._source))
        first = zlib.crc32(_HASHED.pack(*self.geometry.origin, self.code), first)
        first = zlib.crc32(self.symbols.tobytes(), first)
        return first if self.told is None else zlib.crc32(self.told.tobytes(), first)

    @property
    def _source(self) -> tuple[int, int]:
        return self.geometry.source_size


class ReferenceWindow:
    """The last frames of one stream that may serve as references, by number."""

    def __init__(self) -> None:
        self._frames: dict[int, Reference] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, reference: Reference) -> None:
        """Keep a frame; those more than WINDOW frames behind it, or ahead of it, are forgotten."""
        self._frames.pop(reference.frame, None)
        self._frames[reference.frame] = reference
        for number in list(self._frames):
            if (reference.frame - number) & 0xFFFF > WINDOW:
                del self._frames[number]

    def get(self, frame: int) -> Reference | None:
        """The frame with that number, if it is kept."""
        return self._frames.get(frame & 0xFFFF)

    @property
    def newest(self) -> Reference | None:
        """The frame that was put last."""
        return next(reversed(self._frames.values()), None)

    def clear(self) -> None:
        """Forget everything: the stream counts anew."""
        self._frames.clear()
