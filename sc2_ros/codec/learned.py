# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding with a learned context model: both ends walk the same steps (context_network.py)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.choice import SymbolChoice
from sc2_ros.codec.context_network import REACH, ContextNetwork
from sc2_ros.codec.layout import TAPS, Layout, layout, patch_rows
from sc2_ros.codec.prediction import Prediction, said_symbols
from sc2_ros.codec.rans import SymbolCoder, trimmed, untrimmed
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Rounded, Symbols
from sc2_ros.errors import PacketError

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class LearnedTrace:
    """How a frame is coded on one grid.

    Attributes:
        grid: how the frame is sliced.
        sent: (C, h, w) int8, the symbols as the ground will have them.
        cost: (h, w) float64, bits spent at each position.
        tables: by step, (P, size) uint8; 0 is not coded.
        coded: by step, (P, size), the symbols less their means.
        phases: phase of each step.
    """

    grid: Grid
    sent: Symbols
    cost: npt.NDArray[np.float64]
    tables: list[npt.NDArray[np.uint8]]
    coded: list[npt.NDArray[np.int32]]
    phases: list[int]

    def payload(self, number: int, coder: SymbolCoder) -> bytes:
        """The rANS bytes of a slice: step by step, in each the positions, of each the channels."""
        bounds = layout(self.grid).bounds
        parts = [slice(bound[number], bound[number + 1]) for bound in bounds]
        where = [parts[phase] for phase in self.phases]
        tables = np.concatenate(
            [table[part].reshape(-1) for part, table in zip(where, self.tables, strict=True)]
        )
        coded = np.concatenate(
            [less[part].reshape(-1) for part, less in zip(where, self.coded, strict=True)]
        )
        used = np.flatnonzero(tables)
        return trimmed(coder.encode(coded[used].tolist(), tables[used].tolist()))


class Surroundings:
    """What is decoded of a frame so far, and the 3x3 round each of its positions."""

    def __init__(self) -> None:
        """Nothing is held until `reset`."""
        self._known = self._near = np.zeros((0, 0), np.float32)

    def reset(self, where: Layout, count: int) -> None:
        """Forget all; prepare for `count` channels on a layout."""
        self._where = where
        shape = (len(where.places) + 1, count)
        if self._known.shape != shape:
            # Kept from frame to frame: fresh pages from the system cost more than the gathering.
            self._known = np.empty(shape, np.float32)
            self._near = np.empty((shape[0] * TAPS, count), np.float32)
        self._known[:] = 0

    def near(self, ranks: slice) -> Floats:
        """(P, 9 count) float32: what is known round the positions of these ranks."""
        count = ranks.stop - ranks.start
        index = self._where.around[ranks.start * TAPS : ranks.stop * TAPS]
        found = self._near[: count * TAPS]
        np.take(self._known, index, axis=0, mode="clip", out=found)
        return found.reshape(count, TAPS * self._known.shape[1])

    def put(self, ranks: slice, channels: slice, value: npt.NDArray[np.int32]) -> None:
        """Symbols (P, size) become known."""
        self._known[ranks, channels] = np.clip(value, -REACH, REACH)


class LearnedPricer:
    """Chooses symbols and tells what they cost, step by step as the ground will decode them."""

    def __init__(self, network: ContextNetwork) -> None:
        """Derive the look-up tables."""
        self._network = network
        self._choice = SymbolChoice(network)
        self._surroundings = Surroundings()

    def trace(
        self, rounded: Rounded, code: int, grid: Grid, side: Floats | None = None
    ) -> LearnedTrace:
        """Walk the steps.

        Args:
            rounded: the frame at the rate code.
            code: the rate code.
            grid: how the frame is sliced.
            side: of a predicted frame, what `side_input` gives.
        """
        at = self._network.at(code)
        where = layout(grid)
        symbols, exact = rounded.symbols, rounded.exact
        refinement = rounded.refinement.reshape(-1)[where.places]
        self._surroundings.reset(where, at.count)
        # In C order, on which flat views further down rely.
        found = symbols.reshape(len(symbols), -1)[at.channels][:, where.places].T
        values = found.astype(np.int32, order="C")
        before = exact.reshape(len(exact), -1)[at.channels][:, where.places].T
        rest = np.subtract(before, values, order="C", dtype=np.float32)
        cost = np.zeros(len(values), np.float32)
        tables, coded = [], []
        for number, step in enumerate(at.steps):
            ranks, channels = where.ranks[step.phase], slice(step.start, step.end)
            near = self._surroundings.near(ranks)
            expected = at.expect(number, near, None if side is None else side[ranks])
            less, bits = self._choice.choose(
                values[ranks, channels], rest[ranks, channels], refinement[ranks], expected
            )
            value = less + expected.mean
            cost[ranks] += bits @ np.ones(bits.shape[1], np.float32)
            self._surroundings.put(ranks, channels, value)
            values[ranks, channels] = value
            tables.append(expected.table)
            coded.append(less)
        spent = np.empty(len(cost), np.float64)
        spent[where.places] = cost
        placed = np.empty(values.shape, np.int8)
        placed[where.places] = values
        sent = np.zeros((len(symbols), len(values)), np.int8)
        sent[at.channels] = placed.T
        return LearnedTrace(
            grid,
            sent.reshape(symbols.shape),
            spent.reshape(symbols.shape[1:]),
            tables,
            coded,
            [step.phase for step in at.steps],
        )


class LearnedDecoder:
    """The ground's side of it."""

    def __init__(self, network: ContextNetwork, coder: SymbolCoder) -> None:
        """The coder holds the network's bank."""
        self._network = network
        self._coder = coder
        self._surroundings = Surroundings()

    def decode(
        self, data: bytes, shape: tuple[int, ...], code: int, side: Floats | None = None
    ) -> npt.NDArray[np.int16]:
        """Symbols of a slice of (C, h, w).

        side: of a predicted slice, what `side_input` gives for its positions.

        Raises:
            PacketError: the bytes are damaged.
        """
        at = self._network.at(code)
        channels, height, width = shape
        where = layout(Grid(1, 1, height, width))
        self._surroundings.reset(where, at.count)
        symbols = np.zeros((channels, height * width), np.int16)
        decoder = self._coder.decoder(untrimmed(data), at.count * height * width)
        for number, step in enumerate(at.steps):
            ranks, part = where.ranks[step.phase], slice(step.start, step.end)
            near = self._surroundings.near(ranks)
            expected = at.expect(number, near, None if side is None else side[ranks])
            used = expected.table > 0
            value = np.zeros(used.shape, np.int32)
            value[used] = decoder.decode(expected.table[used]) + expected.mean[used]
            if np.abs(value).max(initial=0) > MAX_SYMBOL:
                raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
            self._surroundings.put(ranks, part, value)
            symbols[at.channels[part][:, None], where.places[ranks]] = value.T
        return symbols.reshape(shape)


def side_map(
    prediction: Prediction, code: int, gains: npt.NDArray[np.int32], channels: npt.NDArray[np.int32]
) -> Floats:
    """What a reference says of a frame's symbols: scaled by the gains, rounded half from zero.

    Args:
        prediction: the reference, moved.
        code: the frame's rate code.
        gains: (65, C), as in ContextNetwork.
        channels: (n,) channels that are coded.

    Returns:
        (h w, n + 1) float32: symbols -7 .. 7, then 1 where the reference is known.
    """
    said = np.empty((prediction.known.size, len(channels) + 1), np.float32)
    symbols = said_symbols(prediction, code, gains, channels)
    np.clip(symbols, -REACH, REACH, out=said[:, :-1], casting="unsafe")
    said[:, -1] = prediction.known.reshape(-1)
    return said


def side_input(prediction: Prediction, code: int, network: ContextNetwork, grid: Grid) -> Floats:
    """`side_map` round every position of a frame, in the order of a grid's layout.

    Returns:
        (h w, 9 (count + 1)) float32, tap by tap; zero beyond the frame's edge.
    """
    said = side_map(prediction, code, network.gains, network.at(code).channels)
    said = np.concatenate((said, np.zeros((1, said.shape[1]), np.float32)))
    around = layout(grid).frame_around
    gathered: Floats = np.take(said, around, axis=0, mode="clip")
    return gathered.reshape(len(said) - 1, -1)


def patch_side(side: Floats, grid: Grid, number: int) -> Floats:
    """The rows of `side_input` of one patch, in the order of the patch's own layout."""
    rows: Floats = side[patch_rows(grid, number)]
    return rows
