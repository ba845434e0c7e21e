# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames that both ends know symbol by symbol, and what they predict of a later frame.

::

    reference's symbols (C, h', w')
      -> moved by the frame's motion        (C, h, w), known (h, w)          predict
      -> times the ratio of the gains       to the frame's rate code         predicted_symbols

The drone keeps what it sent, the ground what it decoded completely. A packet names its reference by
number and by hash, so that a ground station whose frame of that number is another one refuses the
packet instead of mis-decoding it. Integers only.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL
from sc2_ros.codec.entropy.context_network import REACH
from sc2_ros.codec.entropy.walk import PredictedInput
from sc2_ros.codec.slicing import Grid, coding_order
from sc2_ros.codec.tables import GAIN_BITS
from sc2_ros.codec.wire.capture_time import Stamp
from sc2_ros.codec.wire.header import MAX_DISTANCE, STRIDE
from sc2_ros.codec.wire.packet import Geometry
from sc2_ros.codec.wire.predicted import Motion

_TURN_BITS = 10
_HASHED = struct.Struct("<HHHHBBB")

Symbols = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reference:
    """A frame as both ends have it.

    Attributes:
        frame: its number, u16.
        code: rate code at which it was coded.
        geometry: its sizes and its origin.
        symbols: (C, h, w) int8.
        coded: (h, w) bool, positions that were not skipped: of a keyframe slice, all.
        stamp: what it says of the capture times of those predicted from it; not in the digest.
    """

    frame: int
    code: int
    geometry: Geometry
    symbols: Symbols
    coded: Flags
    stamp: Stamp = field(default=Stamp(0))

    @cached_property
    def digest(self) -> int:
        """CRC-32 of sizes, origin, rate code, symbols and map; a hash of it travels."""
        sizes = (*self.geometry.encoded_size, *self.geometry.source_size)
        first = zlib.crc32(_HASHED.pack(*sizes, *self.geometry.origin, self.code))
        return zlib.crc32(self.coded.tobytes(), zlib.crc32(self.symbols.tobytes(), first))


class ReferenceWindow:
    """The last frames of one stream that may serve as references, by number."""

    def __init__(self) -> None:
        self._frames: dict[int, Reference] = {}

    def __len__(self) -> int:
        return len(self._frames)

    def put(self, reference: Reference) -> None:
        """Keep a frame; those more than MAX_DISTANCE frames behind it, or ahead, are forgotten."""
        self._frames.pop(reference.frame, None)
        self._frames[reference.frame] = reference
        for number in list(self._frames):
            if (reference.frame - number) & 0xFFFF > MAX_DISTANCE:
                del self._frames[number]

    def get(self, frame: int) -> Reference | None:
        """The frame with that number, if it is kept."""
        return self._frames.get(frame & 0xFFFF)

    @property
    def newest(self) -> Reference | None:
        """The frame that was put last."""
        return next(reversed(self._frames.values()), None)

    def forget(self, frame: int) -> None:
        """Do not keep this frame any more."""
        self._frames.pop(frame & 0xFFFF, None)

    def forget_ahead(self, frame: int) -> None:
        """Keep none that is ahead of this number."""
        for number in list(self._frames):
            if 0 < (number - frame) & 0xFFFF < 0x8000:
                del self._frames[number]

    def clear(self) -> None:
        """Forget everything: the stream counts anew."""
        self._frames.clear()


@dataclass(frozen=True, eq=False)
class Prediction:
    """A reference moved onto a frame's grid.

    Attributes:
        reference: the frame that it comes from.
        motion: how that was moved.
        symbols: (C, h, w) int8, not scaled; zero where the reference is not known.
        known: (h, w) bool, positions that lie on the reference's grid.
        coded: (h, w) bool, positions that were coded in the reference.
    """

    reference: Reference
    motion: Motion
    symbols: Symbols
    known: Flags
    coded: Flags


def predict(reference: Reference, motion: Motion, height: int, width: int) -> Prediction:
    """Move a reference onto a grid of height x width positions: each takes the nearest symbol."""
    symbols = reference.symbols
    _, ref_height, ref_width = symbols.shape
    # Middles of the positions, in pixels from the middle of the grid.
    half = STRIDE // 2
    x = np.arange(width) * STRIDE + half - width * half
    y = (np.arange(height) * STRIDE + half - height * half)[:, None]
    across = x + motion.dx + ((motion.zoom * x - motion.turn * y) >> _TURN_BITS)
    down = y + motion.dy + ((motion.turn * x + motion.zoom * y) >> _TURN_BITS)
    column = (across + width * half) // STRIDE
    row = (down + height * half) // STRIDE
    known = (column >= 0) & (column < ref_width) & (row >= 0) & (row < ref_height)
    row, column = np.clip(row, 0, ref_height - 1), np.clip(column, 0, ref_width - 1)
    source = row * ref_width + column
    moved = np.take(symbols.reshape(len(symbols), -1), source, axis=1) * known
    coded = np.take(reference.coded.reshape(-1), source) & known
    return Prediction(reference, motion, moved, known, coded)


def gain_ratio(prediction: Prediction, code: int, gains: Ints) -> Ints:
    """(C,) int64, what a reference's symbols are scaled by at a rate code, in units of 1/4096."""
    ratio: Ints = (gains[code] << GAIN_BITS) // gains[prediction.reference.code]
    return ratio


def predicted_symbols(
    prediction: Prediction, code: int, gains: Ints, channels: int
) -> npt.NDArray[np.int32]:
    """The symbols that a reference predicts: scaled by the gains, rounded half away from zero.

    Args:
        prediction: the reference, moved.
        code: the frame's rate code.
        gains: (65, C) int64 in units of 1/4096, `CodingTables.integer_gains`.
        channels: how many are coded at this rate code; the others are zero.

    Returns:
        (h w, C), -127 .. 127; zero where the reference is not known.
    """
    ratio = gain_ratio(prediction, code, gains)
    ratio[channels:] = 0
    flat = prediction.symbols.reshape(len(ratio), -1).T.astype(np.int64, order="C")
    magnitude = (np.abs(flat) * ratio + (1 << GAIN_BITS - 1)) >> GAIN_BITS
    np.minimum(magnitude, MAX_SYMBOL, out=magnitude)
    symbols: npt.NDArray[np.int32] = (np.sign(flat) * magnitude).astype(np.int32)
    return symbols


def planes(prediction: Prediction, symbols: npt.NDArray[np.int32]) -> npt.NDArray[np.int8]:
    """What the network sees of a reference at each position, (h w, n + 2): map, symbols, known.

    symbols: (h w, n), of `predicted_symbols`.
    """
    found = np.empty((len(symbols), symbols.shape[1] + 2), np.int8)
    found[:, 0] = prediction.coded.reshape(-1)
    np.clip(symbols, -REACH, REACH, out=found[:, 1:-1], casting="unsafe")
    found[:, -1] = prediction.known.reshape(-1)
    return found


def predicted_input(
    prediction: Prediction,
    symbols: npt.NDArray[np.int32],
    grid: Grid,
    shares: npt.NDArray[np.uint8],
) -> PredictedInput:
    """The input of a walk over all slices of a frame.

    symbols: of `predicted_symbols`; shares: (h w,) share class of each rank's slice.
    """
    order = coding_order(grid)
    around = order.compact_frame_around
    return PredictedInput(symbols[order.positions], planes(prediction, symbols), around, shares)


def slice_input(whole: PredictedInput, grid: Grid, number: int, share: int) -> PredictedInput:
    """The input of a walk over one slice, from that over all slices of the frame."""
    ranks = coding_order(grid).slice_ranks(number)
    shares = np.full(len(ranks), share, np.uint8)
    return PredictedInput(whole.symbols[ranks], whole.planes, whole.around[ranks], shares)
