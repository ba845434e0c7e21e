# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame costs on the wire, to the byte, from the tables alone; and how it is sliced.

Almost all symbols are zero, so a position is priced as if all of its symbols were, which depends on
its contexts only, and what the others cost beyond that is looked up one by one.

Where there is a prediction (temporal_pricing.py), each slice takes the cheaper way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import contexts_from_activity
from sc2_ros.codec.learned import LearnedPricer, LearnedTrace, side_input
from sc2_ros.codec.packet import GEOMETRY_BYTES, HEADER_BYTES, MAX_PACKET_BYTES
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.repair import BLOCK_BYTES
from sc2_ros.codec.slicing import Grid, grids
from sc2_ros.codec.symbols import (
    Ints,
    Scaled,
    SparseGroup,
    Symbols,
    counted,
    group_bounds,
    sparse,
)
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.temporal_pricing import PredictedTrace, TemporalPricer
from sc2_ros.codec.version2 import INTRA_HEAD_BYTES, PREDICTED_HEAD_BYTES
from sc2_ros.errors import Sc2Error

# rANS rounds its state with every symbol: some bits in 100,000 symbols, at worst one more word.
_PRICED_BYTES = MAX_PACKET_BYTES - 4
_CLEAR = 0.7
_LEAST_BITS = 3.0
"""Without a prediction, a symbol that is not zero hardly takes less, with those around it that are.

HIT-UAV val, all rates: 3.1 to 4.2 bits, in the mean of a frame 3.6 to 3.7."""
_SURE = 0.85


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
    """

    code: int
    grid: Grid
    slice_bytes: Ints
    repairs: int
    predicted: npt.NDArray[np.bool_]

    @property
    def size_bytes(self) -> int:
        """Bytes on the wire of all packets of the frame, repair packets included."""
        return int(self.slice_bytes.sum()) + self.repairs * self._repair_bytes

    @property
    def fits(self) -> bool:
        """Whether every packet is sure to be within 1,200 bytes."""
        longest = self._repair_bytes if self.repairs else int(self.slice_bytes.max())
        return longest <= _PRICED_BYTES

    @property
    def _repair_bytes(self) -> int:
        return int(self.slice_bytes.max()) + BLOCK_BYTES


@dataclass(frozen=True, eq=False)
class Trace:
    """How a frame is coded without a prediction, on one grid.

    Attributes:
        contexts: for every group, (h, w) uint8.
        kept: flat places in (C, h, w) of the symbols that are neither zero nor skipped.
        values: what they are.
        cost: (h, w) float64, bits spent at each position.
    """

    contexts: list[npt.NDArray[np.uint8]]
    kept: Ints
    values: Ints
    cost: npt.NDArray[np.float64]


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
    """

    code: int
    grid: Grid
    intra: Trace | LearnedTrace | None
    predicted: PredictedTrace | LearnedTrace | None
    moved: bool
    repairs: int
    learned: bool = False

    @cached_property
    def price(self) -> FramePrice:
        """What it costs."""
        return self.guess(self.grid)

    @property
    def clearly_predicted(self) -> bool:
        """Whether the prediction saves so much that it will at other rates as well."""
        if self.predicted is None or self.intra is None:
            return self.intra is None
        return bool(self.predicted.cost.sum() < _CLEAR * self.intra.cost.sum())

    def guess(self, grid: Grid) -> FramePrice:
        """What it would cost on another grid, if contexts did not change; exact for its own."""
        number = grid.rows * grid.cols
        sizes, predicted = np.full(number, np.iinfo(np.int64).max), np.zeros(number, np.bool_)
        if self.intra is not None:
            sizes = HEADER_BYTES + INTRA_HEAD_BYTES + rans_bytes(grid.sums(self.intra.cost))
        if self.predicted is not None:
            with_it = rans_bytes(grid.sums(self.predicted.cost))
            with_it += HEADER_BYTES + PREDICTED_HEAD_BYTES
            predicted = with_it < sizes
            sizes = np.minimum(with_it, sizes)
        if not (self.learned or self.moved or predicted.any()):
            sizes = sizes - (INTRA_HEAD_BYTES - GEOMETRY_BYTES)
        return FramePrice(self.code, grid, sizes, self.repairs, predicted)


class FramePricer:
    """Prices frames with one set of tables."""

    def __init__(self, tables: CodingTables, refinement: float = 0.0) -> None:
        """Derive the look-up tables; `refinement` is the mu of symbols.py."""
        self._tables = tables
        self._refinement = refinement
        self.temporal: TemporalPricer | None = None
        if tables.temporal is not None:
            self.temporal = TemporalPricer(tables, tables.temporal, refinement)
        self._learned: LearnedPricer | None = None
        if tables.context is not None:
            self._learned = LearnedPricer(tables.context, refinement)
        self.groups = group_bounds(tables.groups)
        # (65, C, K): channel first, so that gathering a context map gives (C, h, w) at once.
        self.index = np.ascontiguousarray(tables.index.transpose(0, 2, 1))
        bits = tables.bits
        zero = bits[:, MAX_SYMBOL][tables.index]
        self._zero_bits = [
            zero[:, :, start:end].sum(axis=2, dtype=np.float64) for start, end in self.groups
        ]
        self._bits = bits
        self._extra_bits = bits - bits[:, MAX_SYMBOL : MAX_SYMBOL + 1]

    def plan(
        self,
        symbols: Symbols,
        exact: Scaled,
        code: int,
        protection: Protection = UNPROTECTED,
        prediction: Prediction | None = None,
        *,
        moved: bool = False,
        intra: bool = True,
    ) -> FramePlan:
        """Plan symbols (C, h, w) on the first grid whose packets all fit, else on the finest.

        ``exact`` is what they were before rounding, (C, h, w) float32.

        Grids of fewer slices than ``protection`` asks for are passed over, where there are others.

        Without ``intra``, all slices are predicted, which takes half the time.

        Raises:
            FrameTooBigError: the latent is too big for any grid.
        """
        channels, height, width = symbols.shape
        known = grids(height, width, channels)
        if not known:
            raise FrameTooBigError(f"a latent of {height}x{width} positions is too big to slice")
        enough = [grid for grid in known if grid.rows * grid.cols >= protection.slices]
        candidates = enough or known[-1:]
        if self._learned is not None:
            return self._first_fit(
                candidates[_likely(symbols, candidates) :],
                lambda grid: self._plan_learned(
                    symbols, exact, code, grid, prediction, moved, intra, protection
                ),
            )
        found = [sparse(symbols, exact, start, end) for start, end in self.groups]
        scaled = None
        if prediction is not None and self.temporal is not None:
            scaled = self.temporal.scaled(prediction, code)
            expected = self.temporal.sparse(symbols, exact, prediction, scaled)

        def trace(grid: Grid) -> FramePlan:
            predicted = None
            if scaled is not None:
                assert self.temporal is not None
                assert prediction is not None
                predicted = self.temporal.trace(expected, prediction, scaled, code, grid)
            alone = self._trace(found, code, grid) if intra or predicted is None else None
            return FramePlan(code, grid, alone, predicted, moved, protection.repairs)

        return self._first_fit(candidates, trace)

    @staticmethod
    def _first_fit(candidates: Sequence[Grid], trace: Callable[[Grid], FramePlan]) -> FramePlan:
        """The plan on the first grid whose packets all fit, else on the last."""
        plan = trace(candidates[0])
        for grid in candidates[1:]:
            if plan.price.fits:
                break
            # Costs hardly change from grid to grid: the last trace tells which are too coarse.
            if plan.guess(grid).fits or grid is candidates[-1]:
                plan = trace(grid)
        return plan

    def _plan_learned(
        self,
        symbols: Symbols,
        exact: Scaled,
        code: int,
        grid: Grid,
        prediction: Prediction | None,
        moved: bool,
        intra: bool,
        protection: Protection,
    ) -> FramePlan:
        assert self._learned is not None
        assert self._tables.context is not None
        predicted = alone = None
        if prediction is not None:
            side = side_input(prediction, code, self._tables.context, grid)
            predicted = self._learned.trace(symbols, exact, code, grid, side)
            least = _LEAST_BITS * np.count_nonzero(symbols)
            intra = intra and predicted.cost.sum() > _SURE * least
        if intra or predicted is None:
            alone = self._learned.trace(symbols, exact, code, grid)
        return FramePlan(code, grid, alone, predicted, moved, protection.repairs, learned=True)

    def tables_of(self, trace: Trace, code: int) -> npt.NDArray[np.uint8]:
        """Table number of every symbol, (C, h, w)."""
        parts = [
            self.index[code, start:end][:, context]
            for (start, end), context in zip(self.groups, trace.contexts, strict=True)
        ]
        return np.concatenate(parts)

    def _trace(self, found: list[SparseGroup], code: int, grid: Grid) -> Trace:
        """Walk the groups as the decoder will: contexts, which symbols are kept, their cost."""
        shape = (grid.height, grid.width)
        positions = grid.height * grid.width
        activity = np.zeros(shape, np.int32)
        cost = np.zeros(shape)
        contexts, kept, values = [], [], []
        for group, some in enumerate(found):
            context = np.zeros(shape, np.uint8)
            if group:
                context = contexts_from_activity(activity, self._tables.thresholds[group], grid)
            table = self.index[code, some.channel, context.reshape(-1)[some.position]]
            value = some.refined(table, self._bits, 0, self._refinement)
            extra = self._extra_bits[table, value + MAX_SYMBOL]
            cost += self._zero_bits[group][code][context]
            cost += np.bincount(some.position, extra, positions).reshape(shape)
            sums = np.bincount(some.position, counted(value, table), positions)
            activity += sums.astype(np.int32).reshape(shape)
            contexts.append(context)
            sent = (table > 0) & (value != 0)
            kept.append(some.place[sent])
            values.append(value[sent])
        return Trace(contexts, np.concatenate(kept), np.concatenate(values), cost)


def _likely(symbols: Symbols, candidates: Sequence[Grid]) -> int:
    """Number of the first grid whose packets are likely to fit, from the symbols not zero alone."""
    active = np.count_nonzero(symbols, axis=0).astype(np.float64)
    most = 8 * (_PRICED_BYTES - HEADER_BYTES - INTRA_HEAD_BYTES) / _LEAST_BITS
    fitting = (number for number, grid in enumerate(candidates) if grid.sums(active).max() <= most)
    return next(fitting, len(candidates) - 1)


def rans_bytes(bits: npt.NDArray[np.float64]) -> Ints:
    """Size of rANS strings: a 64-bit state, of which 32 bits are room, then 32-bit words."""
    words = np.where(bits > 0, 1 + np.maximum(np.ceil(bits / 32), 1), 0)
    sizes: Ints = (4 * words).astype(np.int64)
    return sizes
