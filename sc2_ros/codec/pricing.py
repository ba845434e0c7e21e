# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Prices a frame at a rate code: how it is sliced, which slices are predicted, what it costs.

Each slice takes the cheaper way where there is a prediction. With a context network (learned.py)
all symbols are priced by it; else by counted contexts (intra_pricing.py, temporal_pricing.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sc2_ros.codec.intra_pricing import IntraPricer
from sc2_ros.codec.learned import LearnedPricer, LearnedTrace, side_input
from sc2_ros.codec.packet import HEADER_BYTES
from sc2_ros.codec.plan import (
    PRICED_BYTES,
    UNPROTECTED,
    FramePlan,
    FrameTooBigError,
    Protection,
)
from sc2_ros.codec.prediction import Motion, Prediction
from sc2_ros.codec.skip_pricing import SkipPricer, SkipTrace
from sc2_ros.codec.slicing import Grid, grids
from sc2_ros.codec.symbols import Rounded, Symbols, sparse
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.temporal_pricing import TemporalPricer
from sc2_ros.codec.version2 import INTRA_HEAD_BYTES

_LEAST_BITS, _USUAL_BITS = 3.0, 3.65
"""What a symbol that is not zero takes without a prediction, with those around it that are.

HIT-UAV val, all rates: 3.1 to 4.2 bits, in the mean of a frame 3.6 to 3.7."""
_SURE = 0.85
_MARGIN = 1.02


class FramePricer:
    """Prices frames with one set of tables."""

    def __init__(self, tables: CodingTables) -> None:
        """Derive the look-up tables."""
        self._tables = tables
        self.intra = IntraPricer(tables)
        self.temporal: TemporalPricer | None = None
        if tables.temporal is not None:
            self.temporal = TemporalPricer(tables, tables.temporal)
        self._learned: LearnedPricer | None = None
        if tables.context is not None:
            self._learned = LearnedPricer(tables.context)
        self._skip = None if tables.skip is None else SkipPricer(tables.skip)
        # By whether there is a prediction, of the newest frame: where the search for a grid begins.
        self._grid: Grid | None = None
        """Of the newest predicted frame."""
        self._bits_per_symbol = {False: _USUAL_BITS, True: 0.5 * _USUAL_BITS}

    def plan(
        self,
        rounded: Rounded,
        code: int,
        protection: Protection = UNPROTECTED,
        prediction: Prediction | None = None,
        *,
        moved: bool = False,
        intra: bool = True,
    ) -> FramePlan:
        """Plan a frame on the first grid whose packets all fit, else on the finest.

        Grids of fewer slices than ``protection`` asks for are passed over, where there are others.

        Without ``intra``, all slices are predicted, which takes half the time.

        Raises:
            FrameTooBigError: the latent is too big for any grid.
        """
        symbols = rounded.symbols
        channels, height, width = symbols.shape
        known = grids(height, width, channels)
        if not known:
            raise FrameTooBigError(f"a latent of {height}x{width} positions is too big to slice")
        enough = [grid for grid in known if grid.rows * grid.cols >= protection.slices]
        candidates = enough or known[-1:]
        if self._learned is not None:
            predicts = prediction is not None
            start = _likely(symbols, candidates, self._bits_per_symbol[predicts])
            if predicts and self._grid is not None and self._grid in candidates:
                # What is told hardly changes from frame to frame, and lies in other places.
                start = candidates.index(self._grid)
            plan = self._near_fit(
                candidates,
                start,
                lambda grid: self._plan_learned(
                    rounded, code, grid, prediction, moved, intra, protection
                ),
            )
            traces = [t.cost.sum() for t in (plan.intra, plan.predicted) if t is not None]
            active = max(np.count_nonzero(symbols), 1)
            self._bits_per_symbol[predicts] = float(min(traces)) / active
            if predicts and self._skip is not None:
                self._grid = plan.grid
            return plan
        found = [sparse(rounded, start, end) for start, end in self.intra.groups]
        scaled = None
        if prediction is not None and self.temporal is not None:
            scaled = self.temporal.scaled(prediction, code)
            expected = self.temporal.sparse(rounded, prediction, scaled)

        def trace(grid: Grid) -> FramePlan:
            predicted = None
            if scaled is not None:
                assert self.temporal is not None
                assert prediction is not None
                predicted = self.temporal.trace(expected, prediction, scaled, code, grid)
            alone = self.intra.trace(found, code, grid) if intra or predicted is None else None
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

    def _near_fit(
        self, candidates: Sequence[Grid], start: int, trace: Callable[[Grid], FramePlan]
    ) -> FramePlan:
        """The same, begun at a grid that is likely to be it: most often one trace is enough."""
        plan = trace(candidates[start])
        if not plan.price.fits:
            return self._first_fit(
                candidates[start:], lambda g: plan if g is plan.grid else trace(g)
            )
        while start and plan.guess(candidates[start - 1]).fits:
            coarser = trace(candidates[start - 1])
            if not coarser.price.fits:
                break
            plan, start = coarser, start - 1
        return plan

    def _plan_learned(
        self,
        rounded: Rounded,
        code: int,
        grid: Grid,
        prediction: Prediction | None,
        moved: bool,
        intra: bool,
        protection: Protection,
    ) -> FramePlan:
        assert self._learned is not None
        predicted: LearnedTrace | SkipTrace | None = None
        alone = None
        if prediction is not None:
            predicted = self._predicted(rounded, code, grid, prediction)
            least = _LEAST_BITS * np.count_nonzero(rounded.symbols)
            intra = intra and predicted.cost.sum() > _SURE * least
        if intra or predicted is None:
            alone = self._learned.trace(rounded, code, grid)
        motion = Motion() if prediction is None else prediction.motion
        return FramePlan(
            code, grid, alone, predicted, moved, protection.repairs, True, motion,
            skip=self._skip is not None,
        )  # fmt: skip

    def _predicted(
        self, rounded: Rounded, code: int, grid: Grid, prediction: Prediction
    ) -> LearnedTrace | SkipTrace:
        if self._skip is not None:
            return self._skip.trace(rounded, code, grid, prediction)
        assert self._learned is not None
        assert self._tables.context is not None
        side = side_input(prediction, code, self._tables.context, grid)
        return self._learned.trace(rounded, code, grid, side)


def _likely(symbols: Symbols, candidates: Sequence[Grid], bits: float) -> int:
    """Number of the first grid whose packets fit if each symbol that is not zero takes so much."""
    active = np.count_nonzero(symbols, axis=0).astype(np.float64)
    most = 8 * (PRICED_BYTES - HEADER_BYTES - INTRA_HEAD_BYTES) / (_MARGIN * max(bits, 0.1))
    fitting = (number for number, grid in enumerate(candidates) if grid.sums(active).max() <= most)
    return next(fitting, len(candidates) - 1)
