# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The walk in numpy, for machines where the kernel could not be built (walk.py)."""

from __future__ import annotations

from functools import cache
from typing import Protocol

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, NOT_CODED
from sc2_ros.codec.entropy.choice import SymbolChoice
from sc2_ros.codec.entropy.context_network import (
    REACH,
    CodeNetwork,
    ContextNetwork,
    Expectation,
    Step,
)
from sc2_ros.codec.entropy.rans import SymbolCoder, SymbolReader
from sc2_ros.codec.entropy.walk import (
    Candidates,
    Chosen,
    Flags,
    Floats,
    PredictedInput,
    Tables,
    Values,
)
from sc2_ros.codec.slicing import TAPS, CodingOrder
from sc2_ros.errors import PacketError

Ranks = npt.NDArray[np.int64]


class _Source(Protocol):
    """Where the symbols of a walk come from; ranks are (P,), ascending."""

    def skip_map(self, step: Step, ranks: Ranks, table: Tables) -> Flags:
        """Which of the positions are coded, (P,); the table of each is (P,)."""

    def symbols(self, step: Step, ranks: Ranks, expected: Expectation) -> Values:
        """The symbols (P, size) of a step."""


class PlainWalk:
    """Walks slices with one network; see walk.Walk."""

    def __init__(self, network: ContextNetwork) -> None:
        """network: of keyframes, or of predicted frames."""
        one_blas_thread()
        self._network = network
        self._choice = SymbolChoice(network.bank)
        self._coder = SymbolCoder(network.bank)
        self._near = _Rows()
        self._sides = (_Rows(), _Rows())

    def choose(
        self,
        code: int,
        order: CodingOrder,
        candidates: Candidates,
        predicted: PredictedInput | None = None,
    ) -> Chosen:
        """See walk.Walk."""
        chooser = _Chooser(self._network, self._choice, candidates)
        symbols, _ = self._run(code, order, chooser, predicted)
        return Chosen(symbols, chooser.tables, chooser.values, chooser.cost)

    def payload(self, code: int, order: CodingOrder, chosen: Chosen, number: int) -> bytes:
        """See walk.Walk."""
        tables, values = [], []
        at = self._network.at(code)
        for step in (*at.map_steps, *at.steps):
            first, last = order.bounds[step.phase][number : number + 2]
            part = (slice(first, last), slice(step.start, step.end))
            tables.append(chosen.tables[part].reshape(-1))
            values.append(chosen.values[part].reshape(-1))
        table = np.concatenate(tables)
        used = np.flatnonzero(table != NOT_CODED)
        return self._coder.encode(np.concatenate(values)[used], table[used])

    def read(
        self, code: int, order: CodingOrder, data: bytes, predicted: PredictedInput | None = None
    ) -> tuple[Values, Flags]:
        """See walk.Walk."""
        reader = self._coder.reader(data)
        found = self._run(code, order, _SliceReader(reader), predicted)
        reader.check_done()
        return found

    def _run(
        self, code: int, order: CodingOrder, source: _Source, predicted: PredictedInput | None
    ) -> tuple[Values, Flags]:
        """Walk all positions of a coding order at a rate code."""
        at: CodeNetwork = self._network.at(code)
        count, maps = len(order.positions), int(self._network.has_map)
        coded = np.full(count, not maps)
        values = np.zeros((count, self._network.channels), np.int32)
        # What the network sees: the map, then the symbols; the last row is beyond the patch.
        known = np.zeros((count + 1, at.count), np.float32)
        live = order.phases
        if predicted is not None:
            planes = self._planes(predicted, at)
            for step in at.map_steps:
                ranks = live[step.phase]
                ranks = ranks[predicted.shares[ranks] > 0]
                near = self._gather(known, order.around[ranks], at.inputs[step.number])
                side = self._sides[step.phase].take(planes, ranks)
                table = at.expect_map(step, near, side, _one(predicted.shares[ranks]))
                coded[ranks] = source.skip_map(step, ranks, table)
                known[ranks, 0] = coded[ranks]
            skipped = np.flatnonzero(~coded)
            values[skipped] = predicted.symbols[skipped]
            known[skipped, 1:] = np.clip(values[skipped, : at.count - 1], -REACH, REACH)
            live = (live[0][coded[live[0]]], live[1][coded[live[1]]])
        # Taken once: the steps of a phase are at the same positions.
        around = [order.around[ranks] for ranks in live]
        sides: list[Floats | None] = [None, None]
        classes: list[Tables | int] = [0, 0]
        if predicted is not None:
            sides = [
                rows.take(planes, ranks) for rows, ranks in zip(self._sides, live, strict=True)
            ]
            classes = [_one(predicted.shares[ranks]) for ranks in live]
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

    @staticmethod
    def _planes(predicted: PredictedInput, at: CodeNetwork) -> Floats:
        """(P, 9 (count + 1)) float32: the planes around each position; zero beyond the frame."""
        each = predicted.planes[:, [*range(at.count), -1]].astype(np.float32)
        padded = np.concatenate((each, np.zeros((1, each.shape[1]), np.float32)))
        around = np.take(padded, predicted.around.reshape(-1), axis=0)
        return around.reshape(len(predicted.around), TAPS * each.shape[1])


@cache
def one_blas_thread() -> None:
    """Let numpy multiply matrices in one thread, in all of this process.

    Products as small as these do not gain by a second one, and it waits for its next product on a
    core that a network's own threads want: on two cores a frame took three times the CPU time.
    """
    threadpool_limits(1, user_api="blas")


class _Chooser:
    """The encoder's source: chooses symbols and notes what they cost."""

    def __init__(
        self, network: ContextNetwork, choice: SymbolChoice, candidates: Candidates
    ) -> None:
        self._choice, self._candidates = choice, candidates
        self._maps = int(network.has_map)
        shape = (len(candidates.symbols), network.channels + self._maps)
        self.tables = np.full(shape, NOT_CODED, np.uint8)
        self.values = np.zeros(shape, np.int8)
        self.cost = np.zeros(shape[0], np.float64)

    def skip_map(self, step: Step, ranks: Ranks, table: Tables) -> Flags:
        """See _Source."""
        assert self._candidates.coded is not None
        coded: Flags = self._candidates.coded[ranks]
        self.tables[ranks, step.start], self.values[ranks, step.start] = table, coded
        self.cost[ranks] += self._choice.cost(table, coded.astype(np.int32))
        return coded

    def symbols(self, step: Step, ranks: Ranks, expected: Expectation) -> Values:
        """See _Source."""
        given = self._candidates
        part = slice(step.start - self._maps, step.end - self._maps)
        less, bits = self._choice.choose(
            given.symbols[ranks, part], given.rest[ranks, part], given.rdoq_lambda[ranks], expected
        )
        self.tables[ranks, step.start : step.end] = expected.table
        self.values[ranks, step.start : step.end] = less
        for channel in range(bits.shape[1]):  # in the kernel's order, so that sums are equal
            self.cost[ranks] += bits[:, channel]
        return less + expected.mean


class _SliceReader:
    """The decoder's source: the rANS bytes of a slice."""

    def __init__(self, reader: SymbolReader) -> None:
        self._reader = reader

    def skip_map(self, step: Step, ranks: Ranks, table: Tables) -> Flags:
        """See _Source.

        Raises:
            PacketError: the bytes are damaged.
        """
        found = self._reader.decode(table)
        if np.any((found < 0) | (found > 1)):
            raise PacketError("a skip map with values beyond 0 and 1: damaged or not ours")
        coded: Flags = found == 1
        return coded

    def symbols(self, step: Step, ranks: Ranks, expected: Expectation) -> Values:
        """See _Source.

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


def _one(shares: Tables) -> Tables | int:
    """Where all slices have the same share class, that."""
    first = int(shares[0]) if len(shares) else 0
    return first if np.all(shares == first) else shares
