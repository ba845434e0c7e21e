# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkerboard walk: the one order in which encoder and decoder go through the symbols.

::

    predicted frames only:
      map steps     phase 0, phase 1: is each position coded?                  every position
      skipped positions take the predicted symbols
    symbol steps    group by group, in each phase 0, phase 1                   coded positions

The encoder walks all slices of a frame at once, for they never look at each other, and knows all
symbols beforehand; the decoder walks one slice and learns them step by step. What differs is the
`Source` of the symbols; what the network sees, and so what it expects, is computed here alone. An
encoder that chose all symbols beforehand could have all expectations from one pass over the frame.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, NOT_CODED
from sc2_ros.codec.entropy.context_network import (
    REACH,
    CodeNetwork,
    ContextNetwork,
    Expectation,
    Step,
)
from sc2_ros.codec.entropy.rans import SymbolReader
from sc2_ros.codec.frame.slicing import TAPS, CodingOrder
from sc2_ros.errors import PacketError

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.int32]
Ranks = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Source(Protocol):
    """Where the symbols of a walk come from; ranks are (P,), ascending."""

    def skip_map(self, step: Step, ranks: Ranks, table: npt.NDArray[np.uint8]) -> Flags:
        """Which of the positions are coded, (P,); the table of each is (P,)."""

    def symbols(self, step: Step, ranks: Ranks, expected: Expectation) -> Values:
        """The symbols (P, size) of a step."""


@dataclass(frozen=True, eq=False)
class PredictedInput:
    """What a reference predicts, by rank.

    Attributes:
        symbols: (P, n) int32, those of the channels that are coded.
        planes: (P, 9 (n + 2)) float32, around each position, tap by tap: the reference's map, the
            symbols clipped to -7 .. 7, 1 where the reference is known; zero beyond the frame.
    """

    symbols: Values
    planes: Floats


class Walk:
    """Walks slices with one network."""

    def __init__(self, network: ContextNetwork) -> None:
        """network: of keyframes, or of predicted frames."""
        one_blas_thread()
        self._network = network
        self._near = _Rows()
        self._sides = (_Rows(), _Rows())

    def run(
        self,
        code: int,
        order: CodingOrder,
        source: Source,
        predicted: PredictedInput | None = None,
        shares: npt.NDArray[np.uint8] | None = None,
    ) -> tuple[Values, Flags]:
        """Walk all positions of a coding order at a rate code.

        Args:
            code: the rate code.
            order: of a slice, or of all slices of a frame.
            source: of the symbols.
            predicted: of predicted slices.
            shares: (P,) share class of each rank's slice; of predicted slices.

        Returns:
            Symbols (P, n) of the channels that are coded at this rate code, and the skip map (P,).
        """
        at: CodeNetwork = self._network.at(code)
        count = len(order.positions)
        maps = int(self._network.has_map)
        coded = np.full(count, not maps)
        values = np.zeros((count, at.count - maps), np.int32)
        # What the network sees: the map, then the symbols; the last row is beyond the patch.
        known = np.zeros((count + 1, at.count), np.float32)
        live = order.phases
        if predicted is not None and shares is not None:
            for step in at.map_steps:
                ranks = live[step.phase]
                ranks = ranks[shares[ranks] > 0]
                near = self._gather(known, order.around[ranks], at.inputs[step.number])
                side = self._sides[step.phase].take(predicted.planes, ranks)
                table = at.expect_map(step, near, side, _one(shares[ranks]))
                coded[ranks] = source.skip_map(step, ranks, table)
                known[ranks, 0] = coded[ranks]
            skipped = np.flatnonzero(~coded)
            values[skipped] = predicted.symbols[skipped]
            known[skipped, 1:] = np.clip(values[skipped], -REACH, REACH)
            live = (live[0][coded[live[0]]], live[1][coded[live[1]]])
        # Taken once: the steps of a phase are at the same positions.
        around = [order.around[ranks] for ranks in live]
        sides: list[Floats | None] = [None, None]
        classes: list[npt.NDArray[np.uint8] | int] = [0, 0]
        if predicted is not None and shares is not None:
            sides = [
                rows.take(predicted.planes, ranks)
                for rows, ranks in zip(self._sides, live, strict=True)
            ]
            classes = [_one(shares[ranks]) for ranks in live]
        for step in at.steps:
            phase, ranks = step.phase, live[step.phase]
            near = self._gather(known, around[phase], at.inputs[step.number])
            expected = at.expect(step, near, sides[phase], classes[phase])
            found = source.symbols(step, ranks, expected)
            known[ranks, step.start : step.end] = np.clip(found, -REACH, REACH)
            values[ranks, step.start - maps : step.end - maps] = found
        return values, coded

    def _gather(self, known: Floats, around: Ranks, inputs: int) -> Floats:
        """(P, 9 inputs) float32: what is known of the first channels around positions."""
        rows = self._near.take(np.ascontiguousarray(known[:, :inputs]), around.reshape(-1))
        return rows.reshape(len(around), TAPS * inputs)


@cache
def one_blas_thread() -> None:
    """Let numpy multiply matrices in one thread, in all of this process.

    Products as small as these do not gain by a second one, and it waits for its next product on a
    core that a network's own threads want: on two cores a frame took three times the CPU time.
    """
    threadpool_limits(1, user_api="blas")


class SliceReader:
    """The decoder's source: the rANS bytes of a slice."""

    def __init__(self, reader: SymbolReader) -> None:
        """reader: of the bytes, with the network's bank."""
        self._reader = reader

    def skip_map(self, step: Step, ranks: Ranks, table: npt.NDArray[np.uint8]) -> Flags:
        """See Source.

        Raises:
            PacketError: the bytes are damaged.
        """
        found = self._reader.decode(table)
        if np.any((found < 0) | (found > 1)):
            raise PacketError("a skip map with values beyond 0 and 1: damaged or not ours")
        coded: Flags = found == 1
        return coded

    def symbols(self, step: Step, ranks: Ranks, expected: Expectation) -> Values:
        """See Source.

        Raises:
            PacketError: the bytes are damaged.
        """
        used = expected.table != NOT_CODED
        value = np.zeros(used.shape, np.int32)
        value[used] = self._reader.decode(expected.table[used]) + expected.mean[used]
        if np.abs(value).max(initial=0) > MAX_SYMBOL:
            raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
        return value


class _Rows:
    """Rows of arrays, taken into memory that is kept from frame to frame.

    Fresh pages from the system cost more than the taking.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.float32)

    def take(self, values: Floats, rows: Ranks) -> Floats:
        """`values[rows]`, (len(rows), width); good until the next call."""
        size = len(rows) * values.shape[1]
        if len(self._memory) < size:
            self._memory = np.empty(size, np.float32)
        found = self._memory[:size].reshape(len(rows), values.shape[1])
        np.take(values, rows, axis=0, mode="clip", out=found)
        return found


def _one(shares: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8] | int:
    """Where all slices have the same share class, that."""
    first = int(shares[0]) if len(shares) else 0
    return first if np.all(shares == first) else shares
