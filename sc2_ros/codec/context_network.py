# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A learned context model: what is expected of each symbol, from those already decoded.

::

    symbols decoded so far, 3x3 around   (n, 9)   --int8 weights--> +
    reference's symbols, 3x3 around  (n + 1, 9)   --int8 weights--> +  hidden (H,), clipped ReLU
                                                                        | int8 weights
        mean (eighths) and spread (level) of each symbol of the group <-+     --> table of a bank

Channels are coded in groups, each in two steps, the positions of a checkerboard (autoregressive
over channels as D. Minnen and S. Singh, "Channel-wise autoregressive entropy models", 2020; over
space as D. He et al., "Checkerboard context model", 2021). All arithmetic is that of integers
whose sums stay below 2^24, so that float32 gives the same on every machine, in any order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import bank_bits
from sc2_ros.codec.layout import TAPS
from sc2_ros.errors import CheckpointError

REACH = 7
"""Symbols enter the network clipped to -7 .. 7."""
PHASES = 2
HIDDEN_MAX = 1023
LEVELS = 29
FRACTIONS = 8
TABLES = LEVELS * FRACTIONS
CODE_STEP = 8
"""Biases are given at every eighth rate code and interpolated between."""
MEAN_BITS, LEVEL_BITS = 8, 11
_MEAN_MAX = 59
_LEVEL_FACTOR = 5
_CERTAIN = 1
_EXACT = 1 << 24
_CODES_KEPT = 8
_ONE_THREAD = 1 << 18

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]

_Network = TypeVar("_Network", bound="ContextNetwork")


@dataclass(frozen=True)
class Step:
    """One of the 2 G steps in which a slice is coded.

    Attributes:
        group: number of the group.
        phase: 0: positions whose row + column is even, counted in the patch; 1: the others.
        start: first of its channels, as places in `ContextNetwork.channels`.
        end: one after the last.
    """

    group: int
    phase: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Expectation:
    """What the network expects of (P, size) symbols.

    Attributes:
        table: uint8, 1 .. 232 in the bank; 0: the symbol is zero by rule and not coded.
        mean: int32, the nearest integer; what is coded is the symbol less this.
    """

    table: npt.NDArray[np.uint8]
    mean: Ints


@dataclass(frozen=True, eq=False)
class ContextNetwork:
    """Weights and bank, part of a checkpoint; validated when it is made.

    n channels are coded, in G groups, with H hidden units for each of the 2 G steps; R = 9.

    Attributes:
        channels: (n,) int32, the latent's channels that are coded, in order; others are zero.
        groups: (G,) int32, how many of them each group has.
        first_code: (G,) int32, ascending: at lower rate codes the group is zero and not coded.
        gains: (65, C) int32, gain at each rate code in units of 1/4096, to scale references by.
        enter: (G, 2, H, 9, n) int8, weights of the symbols; taps row-major.
        side: (G, 2, H, 9, n + 1) int8, weights of the reference's; the last of `known`, 0 or 1.
        enter_bias: (9, G, 2, H) int32.
        leave: (n, 2, 2, H) int8: channel, phase, mean or spread.
        leave_bias: (9, n, 2, 2) int32.
        cdfs: (232, W) int32, of table 1 + 8 level + fraction, as in CodingTables.
        sizes: (232,) int32.
        offsets: (232,) int32.

    Raises:
        CheckpointError: an array has the wrong shape, or sums may not be exact.
    """

    channels: Ints
    groups: Ints
    first_code: Ints
    gains: Ints
    enter: Bytes
    side: Bytes
    enter_bias: Ints
    leave: Bytes
    leave_bias: Ints
    cdfs: Ints
    sizes: Ints
    offsets: Ints

    prefix: ClassVar[str] = "context_"
    """Of the names of its arrays in a checkpoint."""

    def __post_init__(self) -> None:
        """Bring every array to its dtype, then check what the coder relies on."""
        for field in fields(self):
            dtype = np.int8 if field.name in ("enter", "side", "leave") else np.int32
            given = np.asarray(getattr(self, field.name))
            array = np.array(given, dtype, order="C")
            if not np.array_equal(given, array):
                raise CheckpointError(f"context network: {field.name} are not {dtype.__name__}")
            array.flags.writeable = False
            object.__setattr__(self, field.name, array)
        self._check_shapes()
        self._check_sums()

    def _check_shapes(self) -> None:
        lists = (self.channels, self.groups, self.first_code)
        _require(all(a.ndim == 1 and a.size > 0 for a in lists), "no channels or no groups")
        count, groups = len(self.channels), len(self.groups)
        _require(int(self.groups.min()) >= 1 and int(self.groups.sum()) == count, "wrong groups")
        shaped = self.gains.ndim == 2 and len(self.gains) == 65 and self.gains.size > 0
        _require(shaped, "gains must be (65, C)")
        _require(int(self.gains.min()) > 0 and int(self.gains.max()) < _EXACT, "gains out of range")
        distinct = len(np.unique(self.channels)) == count
        inside = int(self.channels.min()) >= 0 and int(self.channels.max()) < self.gains.shape[1]
        _require(distinct and inside, "channels must be different ones of the latent's")
        hidden = self.enter.shape[2] if self.enter.ndim == 5 else 0
        rows = 64 // CODE_STEP + 1
        shapes = {
            "first_code": (groups,),
            "enter": (groups, PHASES, hidden, TAPS, count),
            "side": (groups, PHASES, hidden, TAPS, count + 1),
            "enter_bias": (rows, groups, PHASES, hidden),
            "leave": (count, PHASES, 2, hidden),
            "leave_bias": (rows, count, PHASES, 2),
        }
        for name, shape in shapes.items():
            found = getattr(self, name).shape
            _require(found == shape, f"{name} of shape {found} must be {shape}")
        _require(hidden > 0, "no hidden units")
        _require(bool(np.all(np.diff(self.first_code) >= 0)), "first codes must ascend")
        _require(int(self.first_code[0]) == 0, "the first group must be coded at every rate")

    def _check_sums(self) -> None:
        """Float32 is exact as long as no sum, in whatever order, can reach 2^24."""
        entered = np.abs(self.enter.astype(np.int64)).sum((3, 4)) * REACH
        entered += np.abs(self.side.astype(np.int64)).sum((3, 4)) * REACH
        entered += self._largest_bias()
        left = np.abs(self.leave.astype(np.int64)).sum(3) * HIDDEN_MAX
        left += np.abs(self.leave_bias.astype(np.int64)).max(0)
        # The spread is multiplied by 5 as an int32.
        bound = max(int(entered.max()), int(left.max()))
        _require(bound < _EXACT, f"a sum may reach {bound}, beyond the exact integers of float32")

    def _largest_bias(self) -> npt.NDArray[np.int64]:
        """The most that enters a hidden unit besides the inputs, (G, 2, H)."""
        largest: npt.NDArray[np.int64] = np.abs(self.enter_bias.astype(np.int64)).max(0)
        return largest

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        ends = np.cumsum(self.groups).tolist()
        return tuple(
            Step(group, phase, end - int(size), end)
            for group, (size, end) in enumerate(zip(self.groups, ends, strict=True))
            for phase in range(PHASES)
        )

    @cached_property
    def bits(self) -> Floats:
        """(B + 1, 255) float32, cost of symbol s in table t at [t, s + 127]; row 0 is 0."""
        return bank_bits(self.cdfs, self.sizes, self.offsets)

    def at(self, code: int) -> CodeNetwork:
        """The network at a rate code."""
        found = self._at.pop(code, None) or self._made(code)
        self._at[code] = found
        if len(self._at) > _CODES_KEPT:  # the one that was not asked for the longest
            del self._at[next(iter(self._at))]
        return found

    def _made(self, code: int) -> CodeNetwork:
        return CodeNetwork(self, code)

    @cached_property
    def _at(self) -> dict[int, CodeNetwork]:
        return {}

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays for a checkpoint file; `from_arrays` is the inverse."""
        return {self.prefix + field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls: type[_Network], arrays: Mapping[str, npt.NDArray[Any]]) -> _Network | None:
        """Read what `to_arrays` made; None if there is nothing of it.

        Raises:
            CheckpointError: an array is missing or invalid.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if cls.prefix + name not in arrays]
        if len(missing) == len(names):
            return None
        if missing:
            raise CheckpointError(f"{cls.prefix[:-1]} network lacks {', '.join(missing)}")
        return cls(**{name: np.asarray(arrays[cls.prefix + name]) for name in names})


class CodeNetwork:
    """The network at one rate code, its weights as matrices."""

    def __init__(self, network: ContextNetwork, code: int) -> None:
        """Interpolate the biases; leave out the groups that are not coded."""
        self.steps = tuple(step for step in network.steps if network.first_code[step.group] <= code)
        self.count = max(step.end for step in self.steps)
        self.channels = network.channels[: self.count]
        low, part = divmod(code, CODE_STEP)
        high = min(low + 1, len(network.enter_bias) - 1)

        def between(rows: Ints) -> Floats:
            mixed = (
                rows[low].astype(np.int64) * (CODE_STEP - part) + rows[high].astype(np.int64) * part
            )
            whole: Floats = (mixed // CODE_STEP).astype(np.float32)
            return whole

        enter_bias, leave_bias = between(network.enter_bias), between(network.leave_bias)
        hidden = network.enter.shape[2]
        self._enter, self._side, self._enter_bias = [], [], []
        self._leave, self._leave_bias = [], []
        for step in self.steps:
            own, channels = (step.group, step.phase), slice(step.start, step.end)
            taken = network.enter[own][:, :, : self.count].reshape(hidden, -1)
            self._enter.append(np.ascontiguousarray(taken.T, np.float32))
            columns = [*range(self.count), network.side.shape[-1] - 1]
            taken = network.side[own][:, :, columns].reshape(hidden, -1)
            self._side.append(np.ascontiguousarray(taken.T, np.float32))
            self._enter_bias.append(enter_bias[own])
            taken = network.leave[channels, step.phase].transpose(2, 1, 0).reshape(hidden, -1)
            self._leave.append(np.ascontiguousarray(taken, np.float32))
            self._leave_bias.append(leave_bias[channels, step.phase].T.reshape(-1))

    def expect(self, number: int, around: Floats, side: Floats | None) -> Expectation:
        """Table and mean of every symbol of step `number` (of `steps`).

        Args:
            number: of the step.
            around: (P, 9 count) float32 integers -7 .. 7: what is decoded round each position,
                tap by tap; zero what is not.
            side: (P, 9 (count + 1)) float32, the same of the reference, or None without one.
        """
        return self._expected(number, self._hidden(number, around, side))

    def _expected(self, number: int, hidden: Floats) -> Expectation:
        step = self.steps[number]
        size = step.end - step.start
        out = self._left(number, hidden).astype(np.int32)
        eighths = (out[:, :size] + (1 << MEAN_BITS - 1)) >> MEAN_BITS
        np.clip(eighths, -_MEAN_MAX, _MEAN_MAX, out=eighths)
        level = (out[:, size:] * _LEVEL_FACTOR) >> LEVEL_BITS
        np.clip(level, 0, LEVELS - 1, out=level)
        table = _TABLE_OF[level, eighths + _MEAN_MAX]
        return Expectation(table, (eighths + FRACTIONS // 2) >> 3)

    def _hidden(self, number: int, around: Floats, side: Floats | None) -> Floats:
        """What enters the hidden units of a step, (P, H), before they are clipped."""
        hidden = _product(around, self._enter[number])
        if side is not None:
            hidden += _product(side, self._side[number])
        hidden += self._enter_bias[number]
        return hidden

    def _left(self, number: int, hidden: Floats) -> Floats:
        """What leaves the hidden units, (P, 2 size): all means, then all spreads."""
        np.maximum(hidden, 0, out=hidden)
        np.minimum(hidden, HIDDEN_MAX, out=hidden)
        left = _product(hidden, self._leave[number])
        left += self._leave_bias[number]
        return left


def _product(rows: Floats, weights: Floats) -> Floats:
    """Rows (P, K) times weights (K, N), in blocks so small that BLAS starts no thread for them.

    Next to a network's own threads, on two cores, those cost more than the product: 10 instead of
    4 ms for a frame's price. OpenBLAS takes one thread up to 2^18 multiplications.
    """
    depth, width = weights.shape
    block = max(_ONE_THREAD // weights.size, 1)
    whole = len(rows) // block * block
    found = np.empty((len(rows), width), np.float32)
    np.matmul(
        rows[:whole].reshape(-1, block, depth),
        weights,
        out=found[:whole].reshape(-1, block, width),
    )
    np.matmul(rows[whole:], weights, out=found[whole:])
    return found


def _table_of() -> npt.NDArray[np.uint8]:
    """Table of each level and mean in eighths: (29, 119), from -59 on."""
    level, eighths = np.mgrid[:LEVELS, -_MEAN_MAX : _MEAN_MAX + 1]
    table = 1 + level * FRACTIONS + (eighths + FRACTIONS // 2) % FRACTIONS
    table[(level == 0) & (np.abs(eighths) <= _CERTAIN)] = 0
    numbers: npt.NDArray[np.uint8] = table.astype(np.uint8)
    return numbers


_TABLE_OF = _table_of()


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"context network: {what}; checkpoint damaged or of another kind")
