# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Integer cumulative distributions in compressai's layout, and what each symbol costs with them.

A table covers the symbols `offset` .. `offset + size - 3`; its last entry is the escape, after
which a symbol outside of that range follows in nibbles (rans_interface.cpp of compressai):

    cdf = [0, c1, c2, ..., c(size-2), 65536]      size entries, strictly increasing
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.errors import CheckpointError

PRECISION = 16
TOTAL = 1 << PRECISION
MAX_SYMBOL = 127
"""Symbols are clipped to -127 .. 127."""
SYMBOLS = 2 * MAX_SYMBOL + 1
"""Columns of a histogram or price table; symbol s is column s + 127."""
NOT_CODED = 0
"""Table number of a symbol that is zero by rule and takes no bits."""
MAX_TABLES = 255
_NIBBLE = 4

Ints = npt.NDArray[np.int32]


def quantised_cdf(pmf: npt.ArrayLike, tail: float) -> npt.NDArray[np.int32]:
    """Turn probabilities into a 16-bit CDF in which every symbol and the escape can be coded.

    Args:
        pmf: probabilities of consecutive symbols, (n,) with 1 <= n <= 255; any positive scale.
        tail: probability of everything else, in the same scale.

    Returns:
        (n + 2,) int32 from 0 to 65536, strictly increasing.
    """
    weights = np.append(np.asarray(pmf, np.float64), tail)
    if weights.ndim != 1 or len(weights) < 2 or not np.all(weights >= 0) or weights.sum() <= 0:
        raise ValueError(f"not a probability mass function: {pmf!r} with tail {tail}")
    # One count for every symbol, so that none is impossible, and the rest by largest remainder.
    spare = TOTAL - len(weights)
    shares = weights / weights.sum() * spare
    counts = np.floor(shares).astype(np.int64)
    missing = spare - int(counts.sum())
    counts[np.argsort(counts - shares, kind="stable")[:missing]] += 1
    return np.concatenate(([0], np.cumsum(counts + 1))).astype(np.int32)


def symbol_bits(cdf: npt.NDArray[np.int32], offset: int) -> npt.NDArray[np.float64]:
    """Exact cost in bits of the symbols -127 .. 127 under one CDF, escapes included, (255,)."""
    cost = PRECISION - np.log2(np.diff(cdf.astype(np.float64)))
    inside = len(cost) - 1
    value = np.arange(-MAX_SYMBOL, MAX_SYMBOL + 1) - offset
    raw = np.where(value < 0, -2 * value - 1, 2 * (value - inside))
    escaped = (value < 0) | (value >= inside)
    # An escape is followed by the number of nibbles (itself one nibble), then by the nibbles.
    nibbles = np.zeros(SYMBOLS, np.int64)
    for shift in (0, 4, 8):
        nibbles += (np.maximum(raw, 0) >> shift) > 0
    bits = np.where(escaped, cost[inside] + _NIBBLE * (1 + nibbles), 0.0)
    bits[~escaped] = cost[value[~escaped]]
    return bits


@dataclass(frozen=True, eq=False)
class Bank:
    """Probability tables that both ends share; validated when it is made.

    Table numbers begin at 1: table t is row t - 1. Table 0, NOT_CODED, is in no bank.

    Attributes:
        cdfs: (B, W) int32, padded with 65536.
        sizes: (B,) int32, entries of each CDF that count.
        offsets: (B,) int32, the symbol that the first entry of each CDF stands for.

    Raises:
        CheckpointError: an array has the wrong shape, or the coder would read outside it.
    """

    cdfs: Ints
    sizes: Ints
    offsets: Ints

    def __post_init__(self) -> None:
        """Bring every array to its dtype, then check what compressai's coder takes on trust."""
        for name in ("cdfs", "sizes", "offsets"):
            object.__setattr__(self, name, integers(f"bank: {name}", getattr(self, name), np.int32))
        # As i64: sums and differences of hostile i32 would wrap around into what is allowed.
        cdfs, sizes, offsets = (a.astype(np.int64) for a in (self.cdfs, self.sizes, self.offsets))
        _require(
            cdfs.ndim == 2 and 1 <= len(cdfs) <= MAX_TABLES, f"1 to {MAX_TABLES} CDFs expected"
        )
        _require(sizes.shape == offsets.shape == (len(cdfs),), "one size and offset for each CDF")
        largest = min(cdfs.shape[1], SYMBOLS + 2)
        _require(bool(np.all((sizes >= 3) & (sizes <= largest))), "CDF sizes out of range")
        _require(
            bool(np.all((offsets >= -MAX_SYMBOL) & (offsets + sizes - 3 <= MAX_SYMBOL))),
            f"a CDF reaches beyond the symbols -{MAX_SYMBOL} .. {MAX_SYMBOL}",
        )
        for row, (cdf, size) in enumerate(zip(cdfs, sizes, strict=True)):
            _require(
                cdf[0] == 0 and cdf[size - 1] == TOTAL and bool(np.all(np.diff(cdf[:size]) > 0)),
                f"CDF {row} must rise from 0 to {TOTAL}",
            )

    @classmethod
    def of(cls, cdfs: Sequence[Ints], offsets: npt.ArrayLike) -> Bank:
        """A bank of CDFs of different lengths."""
        sizes = np.array([len(cdf) for cdf in cdfs], np.int32)
        stacked = np.full((len(cdfs), int(sizes.max(initial=0))), TOTAL, np.int32)
        for row, cdf in zip(stacked, cdfs, strict=True):
            row[: len(cdf)] = cdf
        return cls(stacked, sizes, np.asarray(offsets))

    def __len__(self) -> int:
        return len(self.cdfs)

    @cached_property
    def bits(self) -> npt.NDArray[np.float32]:
        """(B + 1, 255) float32, cost of symbol s in table t at [t, s + 127]; row 0 is 0."""
        bits = np.zeros((len(self) + 1, SYMBOLS), np.float32)
        for table, (size, offset) in enumerate(zip(self.sizes, self.offsets, strict=True)):
            bits[table + 1] = symbol_bits(self.cdfs[table, :size], int(offset))
        return bits


def integers(name: str, given: npt.ArrayLike, dtype: type[np.integer[Any]]) -> npt.NDArray[Any]:
    """A read-only copy of integers of a checkpoint, as `dtype`.

    Raises:
        CheckpointError: not all of them are integers of that type.
    """
    given = np.asarray(given)
    array = np.array(given, dtype, order="C")
    if not np.array_equal(given, array):
        raise CheckpointError(f"{name} are not all {dtype.__name__}; the checkpoint is damaged")
    array.flags.writeable = False
    return array


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"probability tables: {what}; the checkpoint is damaged")
