# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a frame will be coded, and what that costs on the wire, to the byte."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.rans import trimmed
from sc2_ros.codec.entropy.walk import Chosen, Walk
from sc2_ros.codec.frame.reference import Prediction
from sc2_ros.codec.slicing import Grid, coding_order
from sc2_ros.codec.wire.header import HEADER_BYTES, MAX_PACKET_BYTES
from sc2_ros.codec.wire.packet import GEOMETRY_BYTES, Geometry
from sc2_ros.codec.wire.predicted import head_bytes, header_bytes, is_moved
from sc2_ros.codec.wire.repair import BLOCK_BYTES
from sc2_ros.errors import Sc2Error

PRICED_BYTES = MAX_PACKET_BYTES - 4
"""rANS rounds its state with every symbol: some bits in 100,000 symbols, at worst one more word."""
KEYFRAME_BYTES = HEADER_BYTES + GEOMETRY_BYTES
"""Before the rANS bytes of a keyframe slice."""
_CLEAR = 0.7

Floats = npt.NDArray[np.float32]
Symbols = npt.NDArray[np.int8]
Flags = npt.NDArray[np.bool_]


class FrameTooBigError(Sc2Error):
    """Not even the lowest rate fits the frame into packets; the pipeline drops the frame."""


@dataclass(frozen=True)
class Protection:
    """What a frame is given against loss: at least so many slices, and so many repair packets."""

    slices: int = 1
    repairs: int = 0


UNPROTECTED = Protection()


@dataclass(frozen=True, eq=False)
class SourceFrame:
    """A frame of which only the rate code is open.

    Attributes:
        latent: (C, h, w) float32; not to be changed before the frame is coded.
        geometry: its sizes and its origin.
        prediction: what a frame at most 32 before predicts of it, if any.
        rdoq_lambda: (h, w) float32, or one for all positions (symbols.py).
    """

    latent: Floats
    geometry: Geometry
    prediction: Prediction | None
    rdoq_lambda: Floats | float


@dataclass(frozen=True, eq=False)
class FrameCoding:
    """How all slices of a frame are coded on one grid, either with a prediction or without.

    Attributes:
        grid: how the frame is sliced.
        code: the rate code.
        walk: that of its network.
        chosen: what is sent.
        coded: (h, w) bool, positions that are not skipped.
        shares: share class of each slice; () without a prediction.
    """

    grid: Grid
    code: int
    walk: Walk
    chosen: Chosen
    coded: Flags
    shares: tuple[int, ...]

    @cached_property
    def symbols(self) -> Symbols:
        """(C, h, w) int8, as the ground will have them."""
        ranked = self.chosen.symbols
        symbols = np.empty(ranked.shape[::-1], np.int8)
        symbols[:, coding_order(self.grid).positions] = ranked.T
        return symbols.reshape(-1, *self.coded.shape)

    @cached_property
    def cost(self) -> npt.NDArray[np.float64]:
        """(h, w), bits spent at each position."""
        cost = np.empty(self.coded.size, np.float64)
        cost[coding_order(self.grid).positions] = self.chosen.cost
        return cost.reshape(self.coded.shape)

    def payload(self, number: int) -> bytes:
        """The rANS bytes of a slice."""
        order = coding_order(self.grid)
        return trimmed(self.walk.payload(self.code, order, self.chosen, number))


@dataclass(frozen=True, eq=False)
class FramePrice:
    """What a frame costs on the wire at one rate code.

    Attributes:
        slice_bytes: (slices,) int64, size of each packet, headers and all.
        predicted: (slices,) bool, slices that are cheaper with the prediction.
        repairs: how many repair packets there are beside them.
        longest_bytes: size of the longest packet, were its header a complete one.
    """

    slice_bytes: npt.NDArray[np.int64]
    predicted: Flags
    repairs: int
    longest_bytes: int

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire of all packets of the frame, repair packets included."""
        return int(self.slice_bytes.sum()) + self.repairs * self._repair_bytes

    @property
    def fits(self) -> bool:
        """Whether every packet is sure to be within 1,200 bytes."""
        longest = self._repair_bytes if self.repairs else self.longest_bytes
        return longest <= PRICED_BYTES

    @property
    def _repair_bytes(self) -> int:
        return self.longest_bytes + BLOCK_BYTES


@dataclass(frozen=True, eq=False)
class FramePlan:
    """How a frame will be coded at one rate code on one grid.

    Attributes:
        frame: what is coded.
        code: the rate code.
        grid: how it is sliced.
        intra: how without a prediction; None: not looked at.
        predicted: how with one; None if there is none.
        protection: against loss.
    """

    frame: SourceFrame
    code: int
    grid: Grid
    intra: FrameCoding | None
    predicted: FrameCoding | None
    protection: Protection

    @cached_property
    def price(self) -> FramePrice:
        """What it costs: exact to 1 %, with the capture time offset of a steady camera."""
        return self.guess(self.grid)

    @property
    def clearly_predicted(self) -> bool:
        """Whether the prediction saves so much that it will at other rates as well."""
        if self.predicted is None or self.intra is None:
            return self.intra is None
        return bool(self.predicted.cost.sum() < _CLEAR * self.intra.cost.sum())

    def guess(self, grid: Grid) -> FramePrice:
        """What it would cost on another grid, if contexts did not change."""
        number = grid.rows * grid.cols
        sizes = np.full(number, np.iinfo(np.int64).max)
        predicted, saved = np.zeros(number, np.bool_), np.zeros(number, np.int64)
        if self.intra is not None:
            sizes = KEYFRAME_BYTES + rans_bytes(grid.sums(self.intra.cost))
        if self.predicted is not None and self.frame.prediction is not None:
            moved = is_moved(self.frame.geometry.origin, self.frame.prediction.motion)
            before = header_bytes(number) + head_bytes(moved=moved)
            with_it = before + rans_bytes(grid.sums(self.predicted.cost))
            predicted = with_it < sizes
            sizes = np.minimum(with_it, sizes)
            saved = (HEADER_BYTES - header_bytes(number)) * predicted
        longest = int((sizes + saved).max())
        return FramePrice(sizes, predicted, self.protection.repairs, longest)

    def slice_coding(self, number: int) -> FrameCoding:
        """How a slice is coded: the cheaper way."""
        coding = self.predicted if self.price.predicted[number] else self.intra
        assert coding is not None
        return coding

    def sent(self) -> tuple[Symbols, Flags]:
        """Symbols (C, h, w) and map (h, w) as the ground will have them."""
        symbols = np.zeros(self.frame.latent.shape, np.int8)
        coded = np.ones(symbols.shape[1:], np.bool_)
        for number, patch in enumerate(self.grid.patches()):
            rows, cols = slice(patch.y0, patch.y1), slice(patch.x0, patch.x1)
            coding = self.slice_coding(number)
            symbols[:, rows, cols] = coding.symbols[:, rows, cols]
            coded[rows, cols] = coding.coded[rows, cols]
        return symbols, coded


def rans_bytes(bits: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Size of trimmed rANS strings: 4 bytes of room in the state, then the bits."""
    sizes: npt.NDArray[np.int64] = np.where(bits > 0, 4 + np.maximum(np.ceil(bits / 8), 1), 0)
    return sizes.astype(np.int64)
