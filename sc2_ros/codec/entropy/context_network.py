# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The integer context network: what is expected of each symbol, from those already decoded.

::

    symbols decoded so far, 3x3 around      (n, 9) --int8 weights--> +
    predicted symbols, 3x3 around       (n + 1, 9) --int8 weights--> +  hidden (H,), clipped ReLU
    share class of the slice                           --int32--> +       | int8 weights
        mean (eighths) and spread (level) of each symbol of the group <---+    --> table of a bank

Channels are coded in groups, each in two steps, the phases of a checkerboard (autoregressive over
channels as D. Minnen and S. Singh, "Channel-wise autoregressive entropy models", 2020; over space
as D. He et al., "Checkerboard context model", 2021). All arithmetic is that of integers whose sums
stay below 2^24, so that float32 gives the same on every machine, in any order.

The network of predicted frames is another one. Most of their positions are what the reference
predicts, and to say so symbol by symbol took two thirds of the bytes of a hovering camera. So a
skip map is coded first, as the skip mode of video coders is (T. Wiegand et al., "Overview of the
H.264/AVC video coding standard", 2003): at a position that is skipped, the symbols are the
predicted ones and nothing of them is coded. To the network the map is one more channel, the first,
in a group of its own: 1 where a position is coded. Its prediction is the reference's map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import NOT_CODED, Bank, integers
from sc2_ros.codec.slicing import PHASES, TAPS
from sc2_ros.codec.wire.header import RATE_CODES
from sc2_ros.codec.wire.predicted import SHARES
from sc2_ros.errors import CheckpointError

REACH = 7
"""Symbols enter the network clipped to -7 .. 7."""
HIDDEN_MAX = 1023
LEVELS = 29
FRACTIONS = 8
TABLES = LEVELS * FRACTIONS
"""Tables of symbols: table 1 + 8 level + fraction."""
LOWEST_ODDS, HIGHEST_ODDS = -14, 8
"""Log-odds of a position being coded, in halves; their tables follow those of the symbols."""
ALL_TABLES = TABLES + HIGHEST_ODDS - LOWEST_ODDS + 1
CODE_STEP = 8
"""Biases are given at every eighth rate code and interpolated between."""
ROWS = (RATE_CODES - 1) // CODE_STEP + 1
MEAN_BITS, LEVEL_BITS, ODDS_BITS = 8, 11, 10
_MEAN_MAX = 59
_LEVEL_FACTOR = 5
_CERTAIN = 1
_EXACT = 1 << 24
_BYTES = ("enter", "side", "leave")

Ints = npt.NDArray[np.int32]
Bytes = npt.NDArray[np.int8]
Floats = npt.NDArray[np.float32]
Tables = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Step:
    """One of the steps in which a slice is coded.

    Attributes:
        number: of the step.
        group: of the channels.
        phase: of the positions.
        start: first of its channels.
        end: one after the last.
    """

    number: int
    group: int
    phase: int
    start: int
    end: int


@dataclass(frozen=True, eq=False)
class Expectation:
    """What the network expects of (P, size) symbols.

    Attributes:
        table: uint8, number in the bank; NOT_CODED: the symbol is zero by rule.
        mean: int32, the nearest integer; what is coded is the symbol less this.
    """

    table: Tables
    mean: Ints


@dataclass(frozen=True, eq=False)
class ContextNetwork:
    """Weights and bank, part of a checkpoint; validated when it is made.

    n channels in G groups, H hidden units for each of the 2 G steps. In the network of predicted
    frames, channel 0 is the skip map, by itself in group 0.

    Attributes:
        groups: (G,) int32, channels of each group, in coding order; they sum to n.
        first_code: (G,) int32, ascending: at lower rate codes the group is zero and not coded.
        enter: (G, 2, H, 9, n) int8, weights of the symbols.
        enter_bias: (9, G, 2, H) int32.
        leave: (n, 2, 2, H) int8: channel, phase, mean or spread.
        leave_bias: (9, n, 2, 2) int32.
        bank: of 232 tables, of predicted frames 255.
        side: (G, 2, H, 9, n + 1) int8, weights of what is predicted; the last of "known", 0 or 1.
            Only the network of predicted frames has it.
        share_bias: (4, G, 2, H) int32, added to `enter_bias` by the slice's share class; the same.

    Raises:
        CheckpointError: an array has the wrong shape, or sums may not be exact.
    """

    groups: Ints
    first_code: Ints
    enter: Bytes
    enter_bias: Ints
    leave: Bytes
    leave_bias: Ints
    bank: Bank
    side: Bytes | None = None
    share_bias: Ints | None = None

    def __post_init__(self) -> None:
        """Bring every array to its dtype, then check what the coder relies on."""
        for name, array in self._arrays().items():
            dtype = np.int8 if name in _BYTES else np.int32
            object.__setattr__(self, name, integers(f"context network: {name}", array, dtype))
        self._check_shapes()
        self._check_sums()

    @property
    def has_map(self) -> bool:
        """Whether it is the network of predicted frames."""
        return self.side is not None

    @property
    def channels(self) -> int:
        """Channels of the latent: n, without the map."""
        return int(self.groups.sum()) - self.has_map

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """All steps in their order."""
        ends = np.cumsum(self.groups).tolist()
        return tuple(
            Step(PHASES * group + phase, group, phase, end - int(size), end)
            for group, (size, end) in enumerate(zip(self.groups, ends, strict=True))
            for phase in range(PHASES)
        )

    def biases(self, code: int) -> tuple[Ints, Ints]:
        """`enter_bias` and `leave_bias` at a rate code, interpolated."""
        low, part = divmod(code, CODE_STEP)
        high = min(low + 1, ROWS - 1)

        def between(rows: Ints) -> Ints:
            mixed = rows[[low, high]].astype(np.int64)
            whole = (mixed[0] * (CODE_STEP - part) + mixed[1] * part) // CODE_STEP
            found: Ints = whole.astype(np.int32)
            return found

        return between(self.enter_bias), between(self.leave_bias)

    def count(self, code: int) -> int:
        """Channels of the latent that are coded at a rate code."""
        return int(self.groups[self.first_code <= code].sum()) - self.has_map

    def at(self, code: int) -> CodeNetwork:
        """The network at a rate code; the last eight are kept."""
        return self._at(code)

    @cached_property
    def _at(self) -> Callable[[int], CodeNetwork]:
        return lru_cache(maxsize=8)(lambda code: CodeNetwork(self, code))

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays for a checkpoint file, all names with a prefix."""
        bank = {name: getattr(self.bank, name) for name in ("cdfs", "sizes", "offsets")}
        return {prefix + name: array for name, array in (self._arrays() | bank).items()}

    @classmethod
    def from_arrays(
        cls, arrays: Mapping[str, npt.NDArray[Any]], prefix: str, *, has_map: bool
    ) -> ContextNetwork | None:
        """Read what `to_arrays` made; None if there is nothing of it.

        Raises:
            CheckpointError: an array is missing or invalid.
        """
        names = [field.name for field in fields(cls) if field.name != "bank"]
        names = [name for name in names if has_map or name not in ("side", "share_bias")]
        wanted = [*names, "cdfs", "sizes", "offsets"]
        missing = [prefix + name for name in wanted if prefix + name not in arrays]
        if len(missing) == len(wanted):
            return None
        if missing:
            raise CheckpointError(f"the checkpoint lacks {', '.join(missing)}; it is not complete")
        cdfs, sizes, offsets = (arrays[prefix + name] for name in wanted[-3:])
        weights = {name: arrays[prefix + name] for name in names}
        return cls(**weights, bank=Bank(cdfs, sizes, offsets))

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: array for name, array in named.items() if name != "bank" and array is not None
        }

    def _check_shapes(self) -> None:
        lists = (self.groups, self.first_code)
        _require(all(a.ndim == 1 and a.size > 0 for a in lists), "no groups")
        _require(int(self.groups.min()) >= 1, "a group without channels")
        count, groups = int(self.groups.sum()), len(self.groups)
        hidden = self.enter.shape[2] if self.enter.ndim == 5 else 0
        shapes = {
            "first_code": (groups,),
            "enter": (groups, PHASES, hidden, TAPS, count),
            "enter_bias": (ROWS, groups, PHASES, hidden),
            "leave": (count, PHASES, 2, hidden),
            "leave_bias": (ROWS, count, PHASES, 2),
            "side": (groups, PHASES, hidden, TAPS, count + 1),
            "share_bias": (SHARES, groups, PHASES, hidden),
        }
        for name, array in self._arrays().items():
            expected = shapes.get(name, array.shape)
            _require(array.shape == expected, f"{name} of shape {array.shape} must be {expected}")
        _require(hidden > 0, "no hidden units")
        _require(self.first_code.tolist() == sorted(self.first_code), "first codes must ascend")
        _require(int(self.first_code[0]) == 0, "the first group must be coded at every rate")
        _require((self.side is None) == (self.share_bias is None), "side without share_bias")
        if self.has_map:
            _require(groups > 1 and int(self.groups[0]) == 1, "the map must be a group by itself")
        tables = ALL_TABLES if self.has_map else TABLES
        _require(len(self.bank) == tables, f"{len(self.bank)} tables; {tables} expected")

    def _check_sums(self) -> None:
        """Float32 is exact as long as no sum, in whatever order, can reach 2^24."""
        entered = np.abs(self.enter.astype(np.int64)).sum((3, 4)) * REACH
        entered += np.abs(self.enter_bias.astype(np.int64)).max(0)
        if self.side is not None and self.share_bias is not None:
            entered += np.abs(self.side.astype(np.int64)).sum((3, 4)) * REACH
            entered += np.abs(self.share_bias.astype(np.int64)).max(0)
        left = np.abs(self.leave.astype(np.int64)).sum(3) * HIDDEN_MAX
        left += np.abs(self.leave_bias.astype(np.int64)).max(0)
        # The spread is multiplied by 5 as an int32.
        bound = max(int(entered.max()), int(left.max()))
        _require(bound < _EXACT, f"a sum may reach {bound}, beyond the exact integers of float32")


class CodeNetwork:
    """The network at one rate code, its weights as matrices.

    Attributes:
        map_steps: the steps of the skip map: two, or none.
        steps: those of the symbols that are coded at this rate code.
        count: channels that they have, the map included.
        inputs: by step number, how many channels it looks at: those behind have no weight.
    """

    def __init__(self, network: ContextNetwork, code: int) -> None:
        """Interpolate the biases; leave out the groups that are not coded."""
        steps = [step for step in network.steps if network.first_code[step.group] <= code]
        maps = PHASES * network.has_map
        self.map_steps, self.steps = tuple(steps[:maps]), tuple(steps[maps:])
        self.count = steps[-1].end
        enter_bias, leave_bias = (bias.astype(np.float32) for bias in network.biases(code))
        columns = [*range(self.count), -1]
        self.inputs: list[int] = []
        self._enter, self._enter_bias, self._side = [], [], []
        self._leave, self._leave_bias = [], []
        for step in steps:
            own, channels = (step.group, step.phase), slice(step.start, step.end)
            weights = network.enter[own][:, :, : self.count]
            used = int(np.flatnonzero(weights.any((0, 1))).max(initial=0)) + 1
            self.inputs.append(used)
            self._enter.append(_matrix(weights[:, :, :used]))
            bias = enter_bias[own]
            if network.side is not None and network.share_bias is not None:
                self._side.append(_matrix(network.side[own][:, :, columns]))
                bias = bias + network.share_bias[:, step.group, step.phase].astype(np.float32)
            self._enter_bias.append(bias)
            leave = network.leave[channels, step.phase].transpose(2, 1, 0)
            self._leave.append(np.ascontiguousarray(leave.reshape(len(leave), -1), np.float32))
            self._leave_bias.append(leave_bias[channels, step.phase].T.reshape(-1))

    def expect(
        self, step: Step, near: Floats, side: Floats | None = None, share: Tables | int = 0
    ) -> Expectation:
        """Table and mean of the symbols (P, size) of a step of `steps`.

        Args:
            step: the step.
            near: (P, 9 inputs[step]) float32 integers -7 .. 7: what is decoded around each
                position, tap by tap; zero what is not.
            side: (P, 9 (count + 1)) float32, the same of what is predicted; of a keyframe None.
            share: share class of each position's slice, (P,), or of all of them.
        """
        size = step.end - step.start
        out = self._out(step, near, side, share)
        eighths = (out[:, :size] + (1 << MEAN_BITS - 1)) >> MEAN_BITS
        np.clip(eighths, -_MEAN_MAX, _MEAN_MAX, out=eighths)
        level = (out[:, size:] * _LEVEL_FACTOR) >> LEVEL_BITS
        np.clip(level, 0, LEVELS - 1, out=level)
        table = _TABLE_OF[level, eighths + _MEAN_MAX]
        return Expectation(table, (eighths + FRACTIONS // 2) >> 3)

    def expect_map(self, step: Step, near: Floats, side: Floats, share: Tables | int) -> Tables:
        """Table (P,) of whether each position is coded, for a step of `map_steps`."""
        odds = self._out(step, near, side, share)[:, 0]
        odds = (odds + (1 << ODDS_BITS - 1)) >> ODDS_BITS
        np.clip(odds, LOWEST_ODDS, HIGHEST_ODDS, out=odds)
        table: Tables = (odds + (TABLES + 1 - LOWEST_ODDS)).astype(np.uint8)
        return table

    def _out(self, step: Step, near: Floats, side: Floats | None, share: Tables | int) -> Ints:
        """What leaves the hidden units, (P, 2 size): all means, then all spreads."""
        number = step.number
        hidden = near @ self._enter[number]
        if side is None:
            hidden += self._enter_bias[number]
        else:
            hidden += side @ self._side[number]
            hidden += self._enter_bias[number][share]
        np.maximum(hidden, 0, out=hidden)
        np.minimum(hidden, HIDDEN_MAX, out=hidden)
        left = hidden @ self._leave[number]
        left += self._leave_bias[number]
        return left.astype(np.int32)


def _matrix(weights: Bytes) -> Floats:
    """Weights (H, ..) as a matrix to multiply rows with, (.., H)."""
    return np.ascontiguousarray(weights.reshape(len(weights), -1).T, np.float32)


def _table_of() -> Tables:
    """Table of each level and mean in eighths: (29, 119), from -59 on."""
    level, eighths = np.mgrid[:LEVELS, -_MEAN_MAX : _MEAN_MAX + 1]
    table = 1 + level * FRACTIONS + (eighths + FRACTIONS // 2) % FRACTIONS
    table[(level == 0) & (np.abs(eighths) <= _CERTAIN)] = NOT_CODED
    numbers: Tables = table.astype(np.uint8)
    return numbers


_TABLE_OF = _table_of()


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"context network: {what}; the checkpoint is damaged")
