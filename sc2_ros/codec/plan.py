# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a frame will be coded, and what that costs on the wire, to the byte."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sc2_ros.codec import version4
from sc2_ros.codec.compact import COMPACT_BYTES, USUAL_TIME_BYTES
from sc2_ros.codec.intra_pricing import Trace
from sc2_ros.codec.learned import LearnedTrace
from sc2_ros.codec.packet import GEOMETRY_BYTES, HEADER_BYTES, MAX_PACKET_BYTES
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.repair import BLOCK_BYTES
from sc2_ros.codec.short import SHORT_BYTES, SLICED_BYTES
from sc2_ros.codec.skip_pricing import SkipTrace
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Ints
from sc2_ros.codec.temporal_pricing import PredictedTrace
from sc2_ros.codec.version2 import INTRA_HEAD_BYTES, PREDICTED_HEAD_BYTES
from sc2_ros.codec.version3 import head_bytes
from sc2_ros.errors import Sc2Error

# rANS rounds its state with every symbol: some bits in 100,000 symbols, at worst one more word.
PRICED_BYTES = MAX_PACKET_BYTES - 4
_CLEAR = 0.7


@dataclass(frozen=True)
class Protection:
    """What a frame is given against loss: at least so many slices, and so many repair packets."""

    slices: int = 1
    repairs: int = 0


UNPROTECTED = Protection()


class FrameTooBigError(Sc2Error):
    """Not even the lowest rate fits the frame into packets; the pipeline drops the frame."""


@dataclass(frozen=True, eq=False)
class FramePrice:
    """What a frame costs on the wire at one rate code.

    Attributes:
        code: the rate code.
        grid: how the frame is sliced.
        slice_bytes: (rows * cols,) int64, size of each packet, headers and all.
        repairs: how many repair packets there are beside them.
        predicted: (rows * cols,) bool, slices that are cheaper with the prediction.
        longest_bytes: size of the longest packet, were its header a long one.
    """

    code: int
    grid: Grid
    slice_bytes: Ints
    repairs: int
    predicted: npt.NDArray[np.bool_]
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
        code: the rate code.
        grid: how the frame is sliced.
        intra: how without a prediction; None: not looked at.
        predicted: how with one; None if there is none.
        moved: whether the frame's origin is not (0, 0), which version 1 cannot tell.
        repairs: how many repair packets follow its slices.
        learned: whether the traces are those of a learned context model.
        motion: of the prediction.
        skip: whether predicted slices are those of a skip network, version 4.
    """

    code: int
    grid: Grid
    intra: Trace | LearnedTrace | None
    predicted: PredictedTrace | LearnedTrace | SkipTrace | None
    moved: bool
    repairs: int
    learned: bool = False
    motion: Motion = field(default_factory=Motion)
    skip: bool = False

    @cached_property
    def price(self) -> FramePrice:
        """What it costs."""
        return self.guess(self.grid)

    @property
    def shares(self) -> tuple[int, ...]:
        """Share class of each slice, should it be predicted with a skip network."""
        return self.predicted.shares if isinstance(self.predicted, SkipTrace) else ()

    @property
    def clearly_predicted(self) -> bool:
        """Whether the prediction saves so much that it will at other rates as well."""
        if self.predicted is None or self.intra is None:
            return self.intra is None
        return bool(self.predicted.cost.sum() < _CLEAR * self.intra.cost.sum())

    def guess(self, grid: Grid) -> FramePrice:
        """What it would cost on another grid, if contexts did not change; exact for its own.

        Save for the capture time of version 4: it is taken to be that of a steady camera.
        """
        number = grid.rows * grid.cols
        string_bytes = trimmed_bytes if self.learned else rans_bytes
        sizes, predicted = np.full(number, np.iinfo(np.int64).max), np.zeros(number, np.bool_)
        saved = np.zeros(number, np.int64)
        if self.intra is not None:
            sizes = HEADER_BYTES + INTRA_HEAD_BYTES + string_bytes(grid.sums(self.intra.cost))
        if self.predicted is not None:
            header, head = self._predicted_bytes(number)
            with_it = header + head + string_bytes(grid.sums(self.predicted.cost))
            predicted = with_it < sizes
            sizes = np.minimum(with_it, sizes)
            saved = (HEADER_BYTES - header) * predicted
        if not (self.learned or self.moved or predicted.any()):
            sizes = sizes - (INTRA_HEAD_BYTES - GEOMETRY_BYTES)
        longest = int((sizes + saved).max())
        return FramePrice(self.code, grid, sizes, self.repairs, predicted, longest)

    def _predicted_bytes(self, slices: int) -> tuple[int, int]:
        """Sizes of the header and the head of a predicted slice, one of so many."""
        sliced = SLICED_BYTES * (slices > 1)
        if self.skip:
            header = COMPACT_BYTES + USUAL_TIME_BYTES + sliced
            return header, version4.head_bytes(self.moved, self.motion)
        if self.learned:
            return SHORT_BYTES + sliced, head_bytes(self.moved, self.motion)
        return HEADER_BYTES, PREDICTED_HEAD_BYTES


def rans_bytes(bits: npt.NDArray[np.float64]) -> Ints:
    """Size of rANS strings: a 64-bit state, of which 32 bits are room, then 32-bit words."""
    words = np.where(bits > 0, 1 + np.maximum(np.ceil(bits / 32), 1), 0)
    sizes: Ints = (4 * words).astype(np.int64)
    return sizes


def trimmed_bytes(bits: npt.NDArray[np.float64]) -> Ints:
    """The same of version 3, which leaves out zero bytes of the state."""
    whole: Ints = np.where(bits > 0, 4 + np.maximum(np.ceil(bits / 8), 1), 0).astype(np.int64)
    return whole
