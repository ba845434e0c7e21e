# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a reference says about the symbols of a later frame: moved, scaled, clipped.

::

    reference's symbols (C, h', w')
      -> moved by the frame's motion        (C, h, w), known (h, w)
      -> times the ratio of the gains       to the frame's rate code
      -> clip to -3 .. 3                    predicted (C, h, w)
      -> sum over channels, then over 3x3   the reference's activity (h, w)

Integers only. Hardly one symbol in ten is not zero, so the encoder handles those alone.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import surroundings
from sc2_ros.codec.packet import STRIDE
from sc2_ros.codec.references import Reference
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.temporal_tables import GAIN_BITS, REACH, TemporalTables
from sc2_ros.errors import PacketError

TURN_UNIT = 1 / 1024
"""What 1 in `Motion.zoom` and `Motion.turn` stands for."""
_MOTION = struct.Struct("<hhbb")
MOTION_BYTES = _MOTION.size
_TURN_BITS = 10

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Motion:
    """Where a position (x, y) of a frame's grid lies on the reference's, pixels from its middle.

    ::

        x' = x + dx + (zoom x - turn y) / 1024
        y' = y + dy + (turn x + zoom y) / 1024

    dx, dy are i16, between the corners of the two grids; zoom, turn i8: up to an eighth.
    """

    dx: int = 0
    dy: int = 0
    zoom: int = 0
    turn: int = 0

    def to_bytes(self) -> bytes:
        """Six bytes, little endian."""
        try:
            return _MOTION.pack(self.dx, self.dy, self.zoom, self.turn)
        except struct.error as error:
            raise PacketError(f"{self} is out of range") from error

    @classmethod
    def from_bytes(cls, data: bytes) -> Motion:
        """Read what `to_bytes` made."""
        return cls(*_MOTION.unpack(data))


@dataclass(frozen=True, eq=False)
class Prediction:
    """A reference moved onto a frame's grid: its symbols that are not zero, and where it is known.

    Attributes:
        reference: the frame that it comes from.
        motion: how that was moved.
        known: (h, w) bool, positions that lie on the reference's grid.
        place: flat places in (C, h, w), ascending.
        channel: channel of each.
        position: flat place in (h, w) of each.
        value: the symbol, not scaled.
        told: (h, w) bool, positions that the reference was told anew; none, if it does not say.
    """

    reference: Reference
    motion: Motion
    known: npt.NDArray[np.bool_]
    place: Ints
    channel: Ints
    position: Ints
    value: Ints
    told: npt.NDArray[np.bool_]

    def symbols(self) -> npt.NDArray[np.int8]:
        """The reference's symbols on the frame's grid, (C, h, w); zero where it is not known."""
        channels = len(self.reference.symbols)
        moved = np.zeros((channels, *self.known.shape), np.int8)
        moved.reshape(-1)[self.place] = self.value
        return moved


@dataclass(frozen=True, eq=False)
class ScaledPrediction:
    """A prediction at one rate code of the frame.

    Attributes:
        value: (n,) what is predicted at each place of the Prediction, -3 .. 3.
        around: (h, w) class 0 .. A-1 of the reference's activity.
    """

    value: Ints
    around: Ints


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
    moved = np.take(symbols.reshape(len(symbols), -1), source, axis=1)
    told = np.zeros_like(known)
    if reference.told is not None:
        told = np.take(reference.told.reshape(-1), source) & known
    flat = (moved * known).reshape(-1)
    place = np.flatnonzero(flat != 0)  # of bools it takes a sixth of the time
    positions = height * width
    channel = place // positions
    return Prediction(
        reference,
        motion,
        known,
        place,
        channel,
        place - channel * positions,
        flat[place].astype(np.int64),
        told,
    )


def scale(prediction: Prediction, code: int, tables: TemporalTables) -> ScaledPrediction:
    """Scale a prediction to a rate code: rounded half away from zero, then clipped."""
    gains = tables.gains.astype(np.int64)
    ratio = (gains[code] << GAIN_BITS) // gains[prediction.reference.code]
    magnitude = np.abs(prediction.value) * ratio[prediction.channel]
    magnitude = np.minimum((magnitude + (1 << GAIN_BITS - 1)) >> GAIN_BITS, REACH)
    height, width = prediction.known.shape
    sums = np.bincount(prediction.position, magnitude, height * width)
    activity = surroundings(sums.astype(np.int32).reshape(height, width), Grid(1, 1, height, width))
    around = np.searchsorted(tables.activity, activity, side="right")
    return ScaledPrediction(np.sign(prediction.value) * magnitude, around)


def said_symbols(
    prediction: Prediction, code: int, gains: npt.NDArray[np.int32], channels: npt.NDArray[np.int32]
) -> npt.NDArray[np.int32]:
    """The symbols that a reference predicts: scaled by the gains, rounded half from zero.

    Args:
        prediction: the reference, moved.
        code: the frame's rate code.
        gains: (65, C or more), as in ContextNetwork.
        channels: (n,) those that are wanted.

    Returns:
        (h w, n), -127 .. 127; zero where the reference is not known.
    """
    wide = gains.astype(np.int64)
    ratio = (wide[code] << GAIN_BITS) // wide[prediction.reference.code]
    magnitude = np.abs(prediction.value) * ratio[prediction.channel]
    magnitude = np.minimum((magnitude + (1 << GAIN_BITS - 1)) >> GAIN_BITS, MAX_SYMBOL)
    column = np.full(len(ratio), -1, np.int64)
    column[channels] = np.arange(len(channels))
    column_of = column[prediction.channel]
    live = column_of >= 0
    said = np.zeros((prediction.known.size, len(channels)), np.int32)
    said[prediction.position[live], column_of[live]] = (np.sign(prediction.value) * magnitude)[live]
    return said


def base_contexts(
    own: npt.NDArray[np.uint8],
    known: npt.NDArray[np.bool_],
    around: Ints,
    tables: TemporalTables,
) -> Ints:
    """Contexts (h, w) where zero is predicted; elsewhere, the predicted symbol is added.

    own: (h, w), the slice's own contexts of the group.
    """
    classes = len(tables.activity) + 1
    bins = 2 * REACH + 1
    level = tables.levels[own].astype(np.int64)
    contexts: Ints = np.where(
        known, (level * classes + around) * bins + REACH, tables.known_contexts + own
    )
    return contexts
