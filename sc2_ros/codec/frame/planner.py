# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plans a frame at a rate code: which symbols are sent, how it is sliced, what it costs.

Each slice takes the cheaper way where there is a prediction.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.context_network import Expectation, Step
from sc2_ros.codec.entropy.walk import Walk
from sc2_ros.codec.frame.plan import (
    KEYFRAME_BYTES,
    PRICED_BYTES,
    CodedStep,
    FrameCoding,
    FramePlan,
    FrameTooBigError,
    Protection,
    SourceFrame,
)
from sc2_ros.codec.frame.reference import Prediction, predicted_input, predicted_symbols
from sc2_ros.codec.frame.slicing import Grid, coding_order, grids
from sc2_ros.codec.frame.symbols import (
    Rounded,
    SymbolChoice,
    choose_coded,
    round_latent,
    share_class,
)
from sc2_ros.codec.tables import CodingTables

_LEAST_BITS, _USUAL_BITS = 3.0, 3.65
"""What a symbol that is not zero takes without a prediction, with those around it that are zero.

HIT-UAV val, all rates: 3.1 to 4.2 bits, in the mean of a frame 3.6 to 3.7."""
_SURE = 0.85
_MARGIN = 1.02

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


class Planner:
    """Plans frames with one set of tables; begins to look where the frame before ended."""

    def __init__(self, tables: CodingTables) -> None:
        """Derive the look-up tables."""
        self._tables = tables
        self._walk, self._choice = Walk(tables.context), SymbolChoice(tables.context.bank)
        if tables.skip is not None:
            self._skip_walk, self._skip_choice = Walk(tables.skip), SymbolChoice(tables.skip.bank)
        self._grid: Grid | None = None
        """Of the newest predicted frame."""
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
        start = _likely(rounded.symbols, candidates, self._bits_per_symbol[predicts])
        if predicts and self._grid is not None and self._grid in candidates:
            # What is coded hardly changes from frame to frame, and lies in other positions.
            start = candidates.index(self._grid)

        def on(grid: Grid) -> FramePlan:
            return self._on_grid(frame, rounded, code, grid, protection, intra)

        plan = _near_fit(candidates, start, on)
        costs = [coding.cost.sum() for coding in (plan.intra, plan.predicted) if coding is not None]
        active = max(np.count_nonzero(rounded.symbols), 1)
        self._bits_per_symbol[predicts] = float(min(costs)) / active
        if predicts:
            self._grid = plan.grid
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
        order = coding_order(grid)
        values, exact = _rows(rounded, self._tables.context.at(code).count)
        chooser = _Chooser(self._choice, order.positions, values, exact, rounded.rdoq_lambda, None)
        ranked, _ = self._walk.run(code, order, chooser)
        values[order.positions] = ranked
        everywhere = np.ones(len(values), np.bool_)
        return _coding(grid, rounded, values, everywhere, chooser.cost, (), chooser.steps)

    def predicted(
        self, rounded: Rounded, code: int, grid: Grid, prediction: Prediction
    ) -> FrameCoding:
        """How a frame is coded with a prediction: its skip map, and the symbols where it is set."""
        assert self._tables.skip is not None
        order = coding_order(grid)
        values, exact = _rows(rounded, self._tables.skip.at(code).count - 1)
        gains = self._tables.integer_gains
        expected = predicted_symbols(prediction, code, gains, values.shape[1])
        coded = choose_coded(exact, values, expected, rounded.rdoq_lambda.reshape(-1))
        shape = rounded.rdoq_lambda.shape
        shares = tuple(
            share_class(int(np.count_nonzero(part)), part.size)
            for part in (
                coded.reshape(shape)[patch.y0 : patch.y1, patch.x0 : patch.x1]
                for patch in grid.patches()
            )
        )
        if not any(shares):
            cost = np.zeros(len(values), np.float32)
            return _coding(grid, rounded, expected, coded, cost, shares, [])
        chooser = _Chooser(
            self._skip_choice, order.positions, values, exact, rounded.rdoq_lambda, coded
        )
        reference = predicted_input(prediction, expected, grid)
        ranked, _ = self._skip_walk.run(code, order, chooser, reference, order.by_slice(shares))
        values[order.positions] = ranked
        return _coding(grid, rounded, values, coded, chooser.cost, shares, chooser.steps)


class _Chooser:
    """The encoder's source: chooses symbols and notes what they cost."""

    def __init__(
        self,
        choice: SymbolChoice,
        positions: npt.NDArray[np.int64],
        values: Values,
        exact: Floats,
        rdoq_lambda: Floats,
        coded: Flags | None,
    ) -> None:
        """By position: rounded and exact symbols (h w, n), lambda (h, w), skip map (h w,)."""
        self._choice, self._positions = choice, positions
        self._values = values[positions]
        self._rest = np.subtract(exact[positions], self._values, order="C", dtype=np.float32)
        self._lambda = rdoq_lambda.reshape(-1)[positions]
        self._coded = None if coded is None else coded[positions]
        self._taken: dict[int, tuple[Values, Floats, Floats]] = {}
        self._spent = np.zeros(len(positions), np.float32)
        self.steps: list[CodedStep] = []

    @property
    def cost(self) -> Floats:
        """Bits spent at each position, (h w,)."""
        cost = np.empty_like(self._spent)
        cost[self._positions] = self._spent
        return cost

    def skip_map(
        self, step: Step, ranks: npt.NDArray[np.int64], table: npt.NDArray[np.uint8]
    ) -> Flags:
        """See entropy.walk.Source."""
        assert self._coded is not None
        coded: Flags = self._coded[ranks]
        flags = coded.astype(np.int32)
        self._spent[ranks] = self._choice.cost(table, flags)
        self.steps.append(CodedStep(step.phase, ranks, table[:, None], flags[:, None]))
        return coded

    def symbols(self, step: Step, ranks: npt.NDArray[np.int64], expected: Expectation) -> Values:
        """See entropy.walk.Source."""
        if step.phase not in self._taken:  # the steps of a phase are at the same positions
            self._taken[step.phase] = self._values[ranks], self._rest[ranks], self._lambda[ranks]
        values, rest, weight = self._taken[step.phase]
        first = step.start - (self._coded is not None)
        part = slice(first, first + step.end - step.start)
        less, bits = self._choice.choose(values[:, part], rest[:, part], weight, expected)
        self._spent[ranks] += bits @ np.ones(bits.shape[1], np.float32)
        self.steps.append(CodedStep(step.phase, ranks, expected.table, less))
        return less + expected.mean


def _rows(rounded: Rounded, count: int) -> tuple[Values, Floats]:
    """Rounded and exact symbols of the first channels, (h w, count)."""
    flat = (len(rounded.symbols), -1)
    values = rounded.symbols.reshape(flat)[:count].T.astype(np.int32, order="C")
    return values, np.ascontiguousarray(rounded.exact.reshape(flat)[:count].T)


def _coding(
    grid: Grid,
    rounded: Rounded,
    values: Values,
    coded: Flags,
    cost: Floats,
    shares: tuple[int, ...],
    steps: list[CodedStep],
) -> FrameCoding:
    """From symbols (h w, n), map and cost (h w,) by position."""
    shape = rounded.symbols.shape
    symbols = np.zeros((shape[0], len(values)), np.int8)
    symbols[: values.shape[1]] = values.T
    return FrameCoding(
        grid,
        symbols.reshape(shape),
        coded.reshape(shape[1:]),
        cost.reshape(shape[1:]).astype(np.float64),
        shares,
        steps,
    )


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
