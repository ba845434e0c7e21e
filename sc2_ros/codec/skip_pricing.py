# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's side of coding with a skip network: what is told, and what it costs.

::

    step 0, 1    the map, phase by phase, of every position             (P, 1)
    step 2 ..    group by group, phase by phase, of the positions told  (told, size)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.choice import SymbolChoice
from sc2_ros.codec.context_network import PHASES
from sc2_ros.codec.layout import Layout, layout
from sc2_ros.codec.prediction import Prediction, said_symbols
from sc2_ros.codec.rans import SymbolCoder, trimmed
from sc2_ros.codec.skip import choose_told, share_class
from sc2_ros.codec.skip_inputs import Floats, Ints, Known, Rows, Surrounded
from sc2_ros.codec.skip_network import SHARES, Shares, SkipNetwork
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Rounded, Symbols


@dataclass(frozen=True, eq=False)
class CodedStep:
    """What a step codes: at which ranks (P,), ascending, with which tables (P, size), and what."""

    phase: int
    ranks: Ints
    tables: npt.NDArray[np.uint8]
    coded: npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SkipTrace:
    """How a predicted frame is coded on one grid.

    Attributes:
        grid: how the frame is sliced.
        sent: (C, h, w) int8, the symbols as the ground will have them.
        told: (h, w) bool, the positions that are told anew.
        cost: (h, w) float64, bits spent at each position.
        shares: share class of each slice.
        steps: in their order.
    """

    grid: Grid
    sent: Symbols
    told: npt.NDArray[np.bool_]
    cost: npt.NDArray[np.float64]
    shares: tuple[int, ...]
    steps: list[CodedStep]

    def payload(self, number: int, coder: SymbolCoder) -> bytes:
        """The rANS bytes of a slice."""
        if not self.shares[number]:
            return b""
        where = layout(self.grid)
        tables, coded = [], []
        for step in self.steps:
            first = where.ranks[step.phase].start
            bounds = first + where.bounds[step.phase][number : number + 2]
            begin, end = np.searchsorted(step.ranks, bounds)
            tables.append(step.tables[begin:end].reshape(-1))
            coded.append(step.coded[begin:end].reshape(-1))
        table = np.concatenate(tables)
        used = np.flatnonzero(table)
        return trimmed(coder.encode(np.concatenate(coded)[used].tolist(), table[used].tolist()))


class SkipPricer:
    """Chooses what is told and tells what it costs, step by step as the ground will decode it."""

    def __init__(self, network: SkipNetwork) -> None:
        """Derive the look-up tables."""
        self._network = network
        self._choice = SymbolChoice(network)
        self._known, self._beside = Known(), Rows()
        self._of_phase = (Rows(), Rows())

    def trace(self, rounded: Rounded, code: int, grid: Grid, prediction: Prediction) -> SkipTrace:
        """Walk the steps of a frame at a rate code."""
        at = self._network.at(code)
        where = layout(grid)
        shape = rounded.symbols.shape
        said = said_symbols(prediction, code, self._network.gains, at.channels)
        exact = np.ascontiguousarray(rounded.exact.reshape(shape[0], -1)[at.channels].T)
        values = rounded.symbols.reshape(shape[0], -1)[at.channels].T.astype(np.int32, order="C")
        refinement = rounded.refinement.reshape(-1)
        told = choose_told(exact, values, said, refinement)
        shares = _shares(told.reshape(shape[1:]), grid)
        values[~told] = said[~told]
        cost = np.zeros(len(values), np.float64)
        steps: list[CodedStep] = []
        if any(shares):
            # By rank from here on.
            side = Surrounded.of(prediction, said, grid, self._beside).side
            ranked = values[where.places]
            rest = np.subtract(exact[where.places], ranked, order="C", dtype=np.float32)
            steps, spent = self._walk(
                code, grid, told[where.places], shares, ranked, rest,
                refinement[where.places], side,
            )  # fmt: skip
            cost[where.places] = spent
            values[where.places] = ranked
        sent = np.zeros((shape[0], len(values)), np.int8)
        sent[at.channels] = values.T
        return SkipTrace(
            grid,
            sent.reshape(shape),
            told.reshape(shape[1:]),
            cost.reshape(shape[1:]),
            shares,
            steps,
        )

    def _walk(
        self,
        code: int,
        grid: Grid,
        told: npt.NDArray[np.bool_],
        shares: tuple[int, ...],
        values: npt.NDArray[np.int32],
        rest: Floats,
        refinement: Floats,
        side: Floats,
    ) -> tuple[list[CodedStep], Floats]:
        """The steps and the bits of each rank; `values` (P, n) become what is sent."""
        at, where = self._network.at(code), layout(grid)
        known = self._known
        known.reset(where, at.count)
        share_of = _by_rank(shares, where)
        cost = np.zeros(len(values), np.float32)
        steps = []
        live = [np.arange(ranks.start, ranks.stop) for ranks in where.ranks]
        for number in range(PHASES):
            ranks = live[number][share_of[live[number]] > 0]
            near = known.near(ranks, at.inputs[number])
            beside = self._of_phase[number].take(side, ranks)
            table = at.expect_told(number, near, beside, _one(share_of[ranks]))
            coded = told[ranks, None].astype(np.int32)
            cost[ranks] = self._network.bits[table, coded + MAX_SYMBOL][:, 0]
            known.put_map(ranks, told[ranks])
            steps.append(CodedStep(number, ranks, table, coded))
        known.put(np.flatnonzero(~told), slice(1, None), values[~told])
        live = [ranks[told[ranks]] for ranks in live]
        # Taken once: the steps of a phase are at the same positions.
        taken = [
            (ranks, rows.take(side, ranks), _one(share_of[ranks]), values[ranks], rest[ranks])
            for ranks, rows in zip(live, self._of_phase, strict=True)
        ]
        for number, step in enumerate(at.steps[PHASES:], PHASES):
            ranks, beside, classes, value, lost = taken[step.phase]
            part = slice(step.start - 1, step.end - 1)
            near = known.near(ranks, at.inputs[number])
            expected = at.expect_symbols(number, near, beside, classes)
            less, bits = self._choice.choose(
                value[:, part], lost[:, part], refinement[ranks], expected
            )
            value[:, part] = less + expected.mean
            cost[ranks] += bits @ np.ones(bits.shape[1], np.float32)
            known.put(ranks, slice(step.start, step.end), value[:, part])
            steps.append(CodedStep(step.phase, ranks, expected.table, less))
        for ranks, _, _, value, _ in taken:
            values[ranks] = value
        return steps, cost


def _shares(told: npt.NDArray[np.bool_], grid: Grid) -> tuple[int, ...]:
    """The share class of every slice."""
    found = []
    for number in range(grid.rows * grid.cols):
        patch = grid.patch(number)
        part = told[patch.y0 : patch.y1, patch.x0 : patch.x1]
        found.append(share_class(int(np.count_nonzero(part)), part.size))
    return tuple(found)


def _one(shares: npt.NDArray[np.uint8]) -> Shares:
    """Where all slices have the same share class, that."""
    first = int(shares[0]) if len(shares) else 0
    return first if np.all(shares == first) else shares


def _by_rank(shares: tuple[int, ...], where: Layout) -> npt.NDArray[np.uint8]:
    """The share class of each rank's slice."""
    classes = np.array(shares, np.uint8)
    assert classes.max(initial=0) < SHARES
    parts = [np.repeat(classes, np.diff(bounds)) for bounds in where.bounds]
    return np.concatenate(parts)
