# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plans a frame at a rate code: which symbols are sent, how it is sliced, what it costs.

Each slice takes the cheaper way where there is a prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.walks import open_walk
from sc2_ros.codec.frame.candidates import keyframe_candidates, predicted_candidates
from sc2_ros.codec.frame.plan import (
    KEYFRAME_BYTES,
    PRICED_BYTES,
    FrameCoding,
    FramePlan,
    FrameTooBigError,
    Protection,
    SourceFrame,
)
from sc2_ros.codec.frame.reference import Prediction
from sc2_ros.codec.frame.symbols import Rounded, round_latent
from sc2_ros.codec.slicing import Grid, coding_order, grids
from sc2_ros.codec.tables import CodingTables

_LEAST_BITS, _USUAL_BITS = 3.0, 3.65
"""What a symbol that is not zero takes without a prediction, with those around it that are zero.

HIT-UAV val, all rates: 3.1 to 4.2 bits, in the mean of a frame 3.6 to 3.7."""
_SURE = 0.85
_MARGIN = 1.02


class Planner:
    """Plans frames with one set of tables; begins to look where the frame before ended."""

    def __init__(self, tables: CodingTables) -> None:
        """Derive the look-up tables."""
        self._tables = tables
        self._walk = open_walk(tables.context)
        if tables.skip is not None:
            self._skip_walk = open_walk(tables.skip)
        self._grids: dict[bool, Grid] = {}
        """Of the last frame with and the last one without a prediction."""
        self._bits_per_symbol = {False: _USUAL_BITS, True: 0.5 * _USUAL_BITS}
        """Of the newest frame, by whether it was predicted."""

    def plan(
        self, frame: SourceFrame, code: int, protection: Protection, *, intra: bool = True
    ) -> FramePlan:
        """Plan a frame on the coarsest grid whose packets all fit, else on the finest.

        Grids of fewer slices than `protection` asks for are passed over, where there are others.
        Without `intra`, all slices are predicted, which takes half the time.

        Raises:
            FrameTooBigError: the latent is too big for any grid.
        """
        rounded = round_latent(frame.latent, self._tables.gains[code], frame.rdoq_lambda)
        channels, height, width = rounded.symbols.shape
        known = grids(height, width, channels)
        if not known:
            raise FrameTooBigError(f"a latent of {height}x{width} positions is too big to slice")
        enough = [grid for grid in known if grid.rows * grid.cols >= protection.slices]
        candidates = enough or known[-1:]
        predicts = frame.prediction is not None
        last = self._grids.get(predicts)
        if last is not None and last in candidates:
            # What is coded hardly changes from frame to frame.
            start = candidates.index(last)
        else:
            start = _likely(rounded.symbols, candidates, self._bits_per_symbol[predicts])

        def on(grid: Grid) -> FramePlan:
            return self._on_grid(frame, rounded, code, grid, protection, intra)

        plan = _near_fit(candidates, start, on)
        costs = [coding.cost.sum() for coding in (plan.intra, plan.predicted) if coding is not None]
        active = max(np.count_nonzero(rounded.symbols), 1)
        self._bits_per_symbol[predicts] = float(min(costs)) / active
        self._grids[predicts] = plan.grid
        return plan

    def _on_grid(
        self,
        frame: SourceFrame,
        rounded: Rounded,
        code: int,
        grid: Grid,
        protection: Protection,
        intra: bool,
    ) -> FramePlan:
        predicted = alone = None
        if frame.prediction is not None:
            predicted = self.predicted(rounded, code, grid, frame.prediction)
            least = _LEAST_BITS * np.count_nonzero(rounded.symbols)
            intra = intra and predicted.cost.sum() > _SURE * least
        if intra or predicted is None:
            alone = self.intra(rounded, code, grid)
        return FramePlan(frame, code, grid, alone, predicted, protection)

    def intra(self, rounded: Rounded, code: int, grid: Grid) -> FrameCoding:
        """How a frame is coded without a prediction."""
        candidates = keyframe_candidates(rounded, self._tables.context.count(code), grid)
        chosen = self._walk.choose(code, coding_order(grid), candidates)
        everywhere = np.ones(rounded.rdoq_lambda.shape, np.bool_)
        return FrameCoding(grid, code, self._walk, chosen, everywhere, ())

    def predicted(
        self, rounded: Rounded, code: int, grid: Grid, prediction: Prediction
    ) -> FrameCoding:
        """How a frame is coded with a prediction: its skip map, and the symbols where it is set."""
        found = predicted_candidates(rounded, code, grid, prediction, self._tables)
        order = coding_order(grid)
        chosen = self._skip_walk.choose(code, order, found.candidates, found.reference)
        return FrameCoding(grid, code, self._skip_walk, chosen, found.coded, found.shares)


def _near_fit(
    candidates: Sequence[Grid], start: int, plan_on: Callable[[Grid], FramePlan]
) -> FramePlan:
    """The plan on the coarsest grid that fits, begun at one that is likely to be it."""
    plan = plan_on(candidates[start])
    if plan.price.fits:
        while start and plan.guess(candidates[start - 1]).fits:
            coarser = plan_on(candidates[start - 1])
            if not coarser.price.fits:
                break
            plan, start = coarser, start - 1
        return plan
    for grid in candidates[start + 1 :]:
        # Costs hardly change from grid to grid: the last plan tells which are too coarse.
        if plan.guess(grid).fits or grid is candidates[-1]:
            plan = plan_on(grid)
        if plan.price.fits:
            break
    return plan


def _likely(symbols: npt.NDArray[np.int8], candidates: Sequence[Grid], bits: float) -> int:
    """Number of the first grid whose packets fit if each symbol that is not zero takes so much."""
    active = np.count_nonzero(symbols, axis=0).astype(np.float64)
    most = 8 * (PRICED_BYTES - KEYFRAME_BYTES) / (_MARGIN * max(bits, 0.1))
    fitting = (number for number, grid in enumerate(candidates) if grid.sums(active).max() <= most)
    return next(fitting, len(candidates) - 1)
