# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Integer cumulative distributions in compressai's layout, and what each symbol costs with them.

A table covers the symbols `offset` .. `offset + size - 3`; its last entry is the escape, after
which a symbol outside of that range follows in nibbles (rans_interface.cpp of compressai):

    cdf = [0, c1, c2, ..., c(size-2), 65536]      size entries, strictly increasing
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

PRECISION = 16
TOTAL = 1 << PRECISION
MAX_SYMBOL = 127
"""Symbols are clipped to -127 .. 127."""
SYMBOLS = 2 * MAX_SYMBOL + 1
"""Columns of a histogram or price table; symbol s is column s + 127."""
_NIBBLE = 4


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


def stack(cdfs: list[npt.NDArray[np.int32]]) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Put CDFs of different lengths into (B, W) int32, padded with 65536, and their sizes (B,)."""
    sizes = np.array([len(cdf) for cdf in cdfs], np.int32)
    bank = np.full((len(cdfs), int(sizes.max(initial=0))), TOTAL, np.int32)
    for row, cdf in zip(bank, cdfs, strict=True):
        row[: len(cdf)] = cdf
    return bank, sizes


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


def bank_bits(
    cdfs: npt.NDArray[np.int32], sizes: npt.NDArray[np.int32], offsets: npt.NDArray[np.int32]
) -> npt.NDArray[np.float32]:
    """Cost of symbol s in table t of a bank at [t, s + 127], (B + 1, 255); row 0, SKIP, is 0."""
    bits = np.zeros((len(cdfs) + 1, SYMBOLS), np.float32)
    for table, (size, offset) in enumerate(zip(sizes, offsets, strict=True)):
        bits[table + 1] = symbol_bits(cdfs[table, :size], int(offset))
    return bits
