# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding tables from histograms of a trained network's symbols.

counts (rates, K, C, 255)      one histogram per rate code, context and channel
  -> smooth                    rare symbols stay codable
  -> skip                      histograms that are all but always zero
  -> k-means in code length    the rest share at most 127 tables (Y. Linde, A. Buzo, R. Gray, "An
                               algorithm for vector quantizer design", 1980, with KL as distortion)
  -> CodingTables
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL, SYMBOLS, quantised_cdf, stack, symbol_bits
from sc2_ros.codec.tables import RATE_CODES, SKIP, CodingTables

Array = npt.NDArray[np.float64]

_SYMBOL = np.arange(-MAX_SYMBOL, MAX_SYMBOL + 1)
_PRIOR_COUNTS = 8.0
_ITERATIONS = 30


def fit_tables(
    gains: npt.ArrayLike,
    groups: Sequence[int],
    thresholds: npt.ArrayLike,
    counts: npt.NDArray[np.integer[Any]],
    *,
    codes: Sequence[int] | None = None,
    tables: int = 127,
    skip_below: float = 0.0005,
) -> CodingTables:
    """Fit the bank and choose a table for every rate code, context and channel.

    Args:
        gains: (A, C), as in CodingTables.
        groups: channels per group.
        thresholds: (G, K-1), with which the contexts of `counts` were taken.
        counts: (R, K, C, 255) integers, how often each symbol -127 .. 127 was seen.
        codes: the R rate codes of `counts`, ascending; evenly spaced over 0 .. 64 if not given. A
            code that is not among them takes the tables of the nearest.
        tables: most tables in the bank, at most 255.
        skip_below: symbols that are not zero less often than this are skipped.

    Raises:
        ValueError: `counts` or `codes` have the wrong shape.
    """
    counts = np.asarray(counts)
    if counts.ndim != 4 or counts.shape[3] != SYMBOLS:
        raise ValueError(f"counts of shape {counts.shape}; expected (rates, K, C, {SYMBOLS})")
    rates, contexts, channels, _ = counts.shape
    known = np.rint(np.linspace(0, RATE_CODES - 1, rates)) if codes is None else np.array(codes)
    if known.shape != (rates,):
        raise ValueError(f"{rates} histograms for rate codes {list(known)}; expected one for each")

    smooth = _smooth(counts.astype(np.float64)).reshape(-1, SYMBOLS)
    seen = counts.sum(axis=3, dtype=np.int64).reshape(-1)
    total = smooth.sum(axis=1)
    pmfs = smooth / total[:, None]
    coded = 1.0 - pmfs[:, MAX_SYMBOL] >= skip_below
    # What was never seen must not pull the tables, but may not be without weight among its like.
    bank, offsets = _bank(pmfs[coded], seen[coded] + 1e-3, tables)
    cdfs, sizes = stack(bank)

    numbers = np.full(len(pmfs), SKIP, np.uint8)
    cost = np.stack([symbol_bits(cdf, offset) for cdf, offset in zip(bank, offsets, strict=True)])
    numbers[coded] = 1 + (pmfs[coded] @ cost.T).argmin(axis=1)
    nearest = np.abs(np.arange(RATE_CODES)[:, None] - known).argmin(axis=1)
    return CodingTables(
        gains=np.asarray(gains, np.float32),
        groups=tuple(groups),
        thresholds=np.asarray(thresholds, np.int32),
        index=numbers.reshape(rates, contexts, channels)[nearest],
        cdfs=cdfs,
        sizes=sizes,
        offsets=np.array(offsets, np.int32),
    )


def _smooth(counts: Array) -> Array:
    """Add a few counts of the channel's own distribution over all contexts to each histogram.

    That one has, in turn, a few counts of a two-sided geometric with its mean magnitude.
    """
    channel = counts.sum(axis=1)
    seen = channel.sum(axis=2)
    magnitude = channel @ np.abs(_SYMBOL).astype(np.float64)
    # Shrunk to the mean of the rate, which is also what a channel that was never seen gets.
    overall = magnitude.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    mean = (magnitude + overall[:, None]) / (seen + 1.0)
    channel += _PRIOR_COUNTS * _geometric(mean)
    prior = channel / channel.sum(axis=2, keepdims=True)
    smooth: Array = counts + _PRIOR_COUNTS * prior[:, None]
    return smooth


def _geometric(mean: Array) -> Array:
    """Two-sided geometric distributions of given mean magnitude: (...) to (..., 255)."""
    mean = np.maximum(mean, 1e-4)
    ratio = (np.sqrt(1.0 + mean**2) - 1.0) / mean
    pmf = ratio[..., None] ** np.abs(_SYMBOL)
    normal: Array = pmf / pmf.sum(axis=-1, keepdims=True)
    return normal


def _bank(pmfs: Array, weights: Array, size: int) -> tuple[list[npt.NDArray[np.int32]], list[int]]:
    """Cluster distributions (n, 255) into at most `size` CDFs, from the narrowest to the widest."""
    if not len(pmfs):
        # Everything is skipped, but a bank has at least one table.
        return [quantised_cdf([1.0], 0.0)], [0]
    centres = _cluster(pmfs, weights, min(size, len(pmfs)))
    centres = centres[np.argsort(_entropy(centres), kind="stable")]
    bank, offsets = [], []
    for centre in centres:
        cdf, offset = table_of(centre)
        bank.append(cdf)
        offsets.append(offset)
    return bank, offsets


def table_of(pmf: Array) -> tuple[npt.NDArray[np.int32], int]:
    """A distribution (255,) as a CDF and the symbol that its first entry stands for."""
    low, high = _span(pmf)
    tail = float(pmf[:low].sum() + pmf[high:].sum())
    return quantised_cdf(pmf[low:high], tail), low - MAX_SYMBOL


def _cluster(pmfs: Array, weights: Array, size: int) -> Array:
    """k-means where the distortion is the code length: (n, 255) to centres (at most size, 255)."""
    entropy = _entropy(pmfs)
    group = _start(entropy, weights, size)
    centres = np.zeros((0, SYMBOLS))
    for _ in range(_ITERATIONS):
        mass = np.bincount(group, weights, size)
        used = mass > 0
        sums = np.zeros((size, SYMBOLS))
        np.add.at(sums, group, pmfs * weights[:, None])
        centres = sums[used] / mass[used, None]
        cost = pmfs @ -np.log2(np.maximum(centres, 1e-12)).T
        nearest = cost.argmin(axis=1)
        # A cluster that lost its members starts anew with the one that fares worst.
        free = size - len(centres)
        if free:
            excess = weights * (cost.min(axis=1) - entropy)
            worst = np.argsort(-excess, kind="stable")[:free]
            nearest[worst] = len(centres) + np.arange(len(worst))
        if np.array_equal(nearest, group):
            break
        group = nearest
    return centres


def _start(entropy: Array, weights: Array, size: int) -> npt.NDArray[np.int64]:
    """First grouping: slices of the order by entropy, equal in bits spent and in members alike."""
    order = np.argsort(entropy, kind="stable")
    bits = (weights * entropy)[order]
    rank = np.arange(1, len(order) + 1) / len(order)
    share = 0.5 * rank + 0.5 * np.cumsum(bits) / max(float(bits.sum()), 1e-300)
    group = np.empty(len(order), np.int64)
    group[order] = np.clip(np.ceil(share * size) - 1, 0, size - 1)
    return group


def _entropy(pmfs: Array) -> Array:
    """Bits per symbol of each row."""
    bits: Array = -(pmfs * np.log2(np.maximum(pmfs, 1e-300))).sum(axis=1)
    return bits


def _span(pmf: Array, least: float = 2.0**-15) -> tuple[int, int]:
    """Columns [low, high) around zero worth an entry each; beyond, an escape is cheaper."""
    worthy = np.flatnonzero(pmf >= least)
    low = min(int(worthy[0]), MAX_SYMBOL)
    high = max(int(worthy[-1]), MAX_SYMBOL) + 1
    return low, high
