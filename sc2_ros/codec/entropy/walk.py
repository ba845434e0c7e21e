# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkerboard walk: the one order in which encoder and decoder go through the symbols.

::

    predicted frames only:
      map steps     phase 0, phase 1: is each position coded?                  every position
      skipped positions take the predicted symbols
    symbol steps    group by group, in each phase 0, phase 1                   coded positions

The encoder walks all slices of a frame at once, for they never look at each other, and chooses the
symbols as it goes; the decoder walks one slice and learns them. The walk is written twice: in C
(compiled_walk.py), and in numpy (plain_walk.py) for machines where that could not be built. Both
give the same, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.slicing import CodingOrder

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]
Tables = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class PredictedInput:
    """What a reference predicts.

    Attributes:
        symbols: (P, n) int32, by rank; zero in channels that are not coded at the rate code.
        planes: (h w, n + 2) int8, by position of the frame: the reference's map, the symbols
            clipped to -7 .. 7, 1 where the reference is known.
        around: (P, 9) int32, positions of the frame around each rank; h w: beyond its edge.
        shares: (P,) uint8, share class of each rank's slice.
    """

    symbols: Values
    planes: npt.NDArray[np.int8]
    around: npt.NDArray[np.int32]
    shares: npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Candidates:
    """What the encoder may send, by rank.

    Attributes:
        symbols: (P, n) int32, rounded; what is predicted where a position is skipped.
        rest: (P, n) float32, what rounding took off.
        rdoq_lambda: (P,) float32.
        coded: (P,) bool, the skip map of a predicted frame; None: all are coded.
    """

    symbols: Values
    rest: Floats
    rdoq_lambda: Floats
    coded: Flags | None = None


@dataclass(frozen=True, eq=False)
class Chosen:
    """What the encoder sends, by rank. c = n, or n + 1 with the skip map, which comes first.

    Attributes:
        symbols: (P, n) int32, as the ground will have them.
        tables: (P, c) uint8, the table of each symbol; NOT_CODED where none is coded.
        values: (P, c) int8, what is coded: the symbol less its mean.
        cost: (P,) float64, bits.
    """

    symbols: Values
    tables: Tables
    values: npt.NDArray[np.int8]
    cost: npt.NDArray[np.float64]


class Walk(Protocol):
    """Walks slices with one network."""

    def choose(
        self,
        code: int,
        order: CodingOrder,
        candidates: Candidates,
        predicted: PredictedInput | None = None,
    ) -> Chosen:
        """Choose the symbols of a frame at a rate code, by their rate and distortion together."""

    def payload(self, code: int, order: CodingOrder, chosen: Chosen, number: int) -> bytes:
        """The rANS bytes of a slice: step by step, in each the positions, of each the channels."""

    def read(
        self, code: int, order: CodingOrder, data: bytes, predicted: PredictedInput | None = None
    ) -> tuple[Values, Flags]:
        """Symbols (P, n) and skip map (P,) of a slice.

        Raises:
            PacketError: the bytes are none that an encoder makes.
        """
