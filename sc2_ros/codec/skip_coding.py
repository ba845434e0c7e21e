# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding of predicted slices with a skip network: both ends walk the same steps.

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
from sc2_ros.codec.context_network import PHASES, REACH
from sc2_ros.codec.layout import TAPS, Layout, layout, patch_rows
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.rans import SymbolCoder, trimmed, untrimmed
from sc2_ros.codec.skip import choose_told, said_symbols, share_class, side_planes
from sc2_ros.codec.skip_network import SHARES, SkipNetwork
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Rounded, Symbols
from sc2_ros.errors import PacketError

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class _CodedStep:
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
    steps: list[_CodedStep]

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


class _Known:
    """What is decoded of a frame so far, by rank: its map, then its symbols."""

    def __init__(self, where: Layout, count: int) -> None:
        self._around = where.around.reshape(-1, TAPS)
        self._values = np.zeros((len(where.places) + 1, count), np.float32)

    def near(self, ranks: Ints) -> Floats:
        """(P, 9 count) float32: what is known round the positions of these ranks."""
        found = np.take(self._values, self._around[ranks].reshape(-1), axis=0, mode="clip")
        gathered: Floats = found.reshape(len(ranks), TAPS * self._values.shape[1])
        return gathered

    def put_map(self, ranks: Ints, told: npt.NDArray[np.bool_]) -> None:
        """Which of these positions are told becomes known."""
        self._values[ranks, 0] = told

    def put(self, ranks: Ints, channels: slice, value: npt.NDArray[np.int32]) -> None:
        """Symbols (P, size) become known."""
        self._values[ranks, channels] = np.clip(value, -REACH, REACH)


@dataclass(frozen=True, eq=False)
class Surrounded:
    """What a reference says of a frame's positions, by rank of a grid.

    Attributes:
        said: (P, n) int32, the symbols that it predicts.
        side: (P, 9 (n + 2)) float32, `side_planes` round each position; zero beyond the frame.
    """

    said: npt.NDArray[np.int32]
    side: Floats

    @classmethod
    def of(cls, prediction: Prediction, said: npt.NDArray[np.int32], grid: Grid) -> Surrounded:
        """Of a prediction and its `said_symbols`."""
        where, planes = layout(grid), side_planes(prediction, said)
        padded = np.concatenate((planes, np.zeros((1, planes.shape[1]), np.float32)))
        side: Floats = np.take(padded, where.frame_around, axis=0, mode="clip")
        return cls(said[where.places], side.reshape(len(said), TAPS * planes.shape[1]))

    def patch(self, grid: Grid, number: int) -> Surrounded:
        """The rows of one patch, in the order of the patch's own layout."""
        rows = patch_rows(grid, number)
        return Surrounded(self.said[rows], self.side[rows])


class SkipPricer:
    """Chooses what is told and tells what it costs, step by step as the ground will decode it."""

    def __init__(self, network: SkipNetwork) -> None:
        """Derive the look-up tables."""
        self._network = network
        self._choice = SymbolChoice(network)

    def trace(self, rounded: Rounded, code: int, grid: Grid, prediction: Prediction) -> SkipTrace:
        """Walk the steps of a frame at a rate code."""
        at = self._network.at(code)
        where = layout(grid)
        shape = rounded.symbols.shape
        said = said_symbols(prediction, code, self._network.gains, at.channels)
        exact = rounded.exact.reshape(shape[0], -1)[at.channels].T
        values = rounded.symbols.reshape(shape[0], -1)[at.channels].T.astype(np.int32, order="C")
        refinement = rounded.refinement.reshape(-1)
        told = choose_told(exact, values, said, refinement)
        shares = _shares(told.reshape(shape[1:]), grid)
        values[~told] = said[~told]
        cost = np.zeros(len(values), np.float64)
        steps: list[_CodedStep] = []
        if any(shares):
            # By rank from here on.
            side = Surrounded.of(prediction, said, grid).side
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
    ) -> tuple[list[_CodedStep], Floats]:
        """The steps and the bits of each rank; `values` (P, n) become what is sent."""
        at, where = self._network.at(code), layout(grid)
        known = _Known(where, at.count)
        share_of = _by_rank(shares, where)
        cost = np.zeros(len(values), np.float32)
        steps = []
        live = [np.arange(ranks.start, ranks.stop) for ranks in where.ranks]
        for number in range(PHASES):
            ranks = live[number][share_of[live[number]] > 0]
            table = at.expect_told(number, known.near(ranks), side[ranks], share_of[ranks])
            coded = told[ranks, None].astype(np.int32)
            cost[ranks] = self._network.bits[table, coded + MAX_SYMBOL][:, 0]
            known.put_map(ranks, told[ranks])
            steps.append(_CodedStep(number, ranks, table, coded))
        known.put(np.flatnonzero(~told), slice(1, None), values[~told])
        live = [ranks[told[ranks]] for ranks in live]
        for number, step in enumerate(at.steps[PHASES:], PHASES):
            ranks, part = live[step.phase], slice(step.start - 1, step.end - 1)
            expected = at.expect_symbols(number, known.near(ranks), side[ranks], share_of[ranks])
            less, bits = self._choice.choose(
                values[ranks, part], rest[ranks, part], refinement[ranks], expected
            )
            value = less + expected.mean
            cost[ranks] += bits @ np.ones(bits.shape[1], np.float32)
            known.put(ranks, slice(step.start, step.end), value)
            values[ranks, part] = value
            steps.append(_CodedStep(step.phase, ranks, expected.table, less))
        return steps, cost


class SkipDecoder:
    """The ground's side of it."""

    def __init__(self, network: SkipNetwork, coder: SymbolCoder) -> None:
        """The coder holds the network's bank."""
        self._network = network
        self._coder = coder

    def surrounded(self, prediction: Prediction, code: int, grid: Grid) -> Surrounded:
        """What a prediction says of a frame at a rate code, sliced by a grid."""
        network = self._network
        said = said_symbols(prediction, code, network.gains, network.at(code).channels)
        return Surrounded.of(prediction, said, grid)

    def decode(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        code: int,
        share: int,
        reference: Surrounded,
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        """Symbols of a slice of (C, h, w), and which of its positions were told (h, w).

        Args:
            data: its rANS bytes.
            shape: of its symbols.
            code: its rate code.
            share: its share class.
            reference: what the reference says of its positions.

        Raises:
            PacketError: the bytes are damaged.
        """
        at = self._network.at(code)
        channels, height, width = shape
        where = layout(Grid(1, 1, height, width))
        values = reference.said.copy()
        told = np.zeros(height * width, np.bool_)
        if share:
            told[where.places] = self._walk(data, code, share, where, values, reference.side)
        elif data:
            raise PacketError("a slice of which nothing is told has bytes")
        symbols = np.zeros((channels, height * width), np.int16)
        symbols[at.channels[:, None], where.places] = values.T
        return symbols.reshape(shape), told.reshape(height, width)

    def _walk(
        self,
        data: bytes,
        code: int,
        share: int,
        where: Layout,
        values: npt.NDArray[np.int32],
        side: Floats,
    ) -> npt.NDArray[np.bool_]:
        """Which ranks are told; `values` (P, n) become the symbols."""
        at = self._network.at(code)
        known = _Known(where, at.count)
        shares = np.full(len(values), share, np.uint8)
        told = np.zeros(len(values), np.bool_)
        decoder = self._coder.decoder(untrimmed(data), at.count * len(values))
        live = [np.arange(ranks.start, ranks.stop) for ranks in where.ranks]
        for number, ranks in enumerate(live):
            table = at.expect_told(number, known.near(ranks), side[ranks], shares[ranks])
            found = decoder.decode(table[:, 0])
            if np.any((found < 0) | (found > 1)):
                raise PacketError("a map that says neither told nor skipped: damaged or not ours")
            told[ranks] = found == 1
            known.put_map(ranks, told[ranks])
        known.put(np.flatnonzero(~told), slice(1, None), values[~told])
        live = [ranks[told[ranks]] for ranks in live]
        for number, step in enumerate(at.steps[PHASES:], PHASES):
            ranks, part = live[step.phase], slice(step.start - 1, step.end - 1)
            expected = at.expect_symbols(number, known.near(ranks), side[ranks], shares[ranks])
            used = expected.table > 0
            value = np.zeros(used.shape, np.int32)
            value[used] = decoder.decode(expected.table[used]) + expected.mean[used]
            if np.abs(value).max(initial=0) > MAX_SYMBOL:
                raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
            known.put(ranks, slice(step.start, step.end), value)
            values[ranks, part] = value
        return told


def _shares(told: npt.NDArray[np.bool_], grid: Grid) -> tuple[int, ...]:
    """The share class of every slice."""
    found = []
    for number in range(grid.rows * grid.cols):
        patch = grid.patch(number)
        part = told[patch.y0 : patch.y1, patch.x0 : patch.x1]
        found.append(share_class(int(np.count_nonzero(part)), part.size))
    return tuple(found)


def _by_rank(shares: tuple[int, ...], where: Layout) -> npt.NDArray[np.uint8]:
    """The share class of each rank's slice."""
    classes = np.array(shares, np.uint8)
    assert classes.max(initial=0) < SHARES
    parts = [np.repeat(classes, np.diff(bounds)) for bounds in where.bounds]
    return np.concatenate(parts)
