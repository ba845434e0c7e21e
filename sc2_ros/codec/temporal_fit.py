# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal tables from histograms of symbols whose reference is known.

counts (R, M, C, 2 S + 2)      one histogram per rate, context and channel; the last column is
                               everything beyond -S .. S
  -> smooth                    a few counts of what the channel does under the same prediction
  -> skip                      histograms that are all but always zero
  -> k-means in code length    the rest share at most 255 tables, as in fit.py
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL, TOTAL, quantised_cdf, stack, symbol_bits
from sc2_ros.codec.context import contexts
from sc2_ros.codec.prediction import Prediction, base_contexts, scale
from sc2_ros.codec.symbols import group_bounds
from sc2_ros.codec.tables import SKIP, CodingTables
from sc2_ros.codec.temporal_tables import BINS, TemporalTables, fixed_gains

Array = npt.NDArray[np.float32]
Counts = npt.NDArray[np.int32]

SPAN = 31
"""Histograms distinguish the symbols -31 .. 31; what lies beyond is escaped."""
COLUMNS = 2 * SPAN + 2
_PRIOR_COUNTS = 8.0
_CHANNEL_COUNTS = 2.0
_CLUSTERED = 12000
_ITERATIONS = 12


@dataclass(frozen=True, eq=False)
class ContextShape:
    """What makes up the contexts, as in TemporalTables.

    Attributes:
        levels: (K,) uint8.
        activity: (A-1,) int32.
        codes: (R,) rate codes, evenly spaced over 0 .. 64.
    """

    levels: npt.NDArray[np.uint8]
    activity: npt.NDArray[np.int32]
    codes: tuple[int, ...]

    def blank(self, tables: CodingTables) -> TemporalTables:
        """Temporal tables of this shape that skip everything: contexts without an index."""
        known = (int(self.levels.max()) + 1) * (len(self.activity) + 1) * BINS
        shape = (len(self.codes), known + len(self.levels), tables.channels)
        cdf = np.array([[0, TOTAL - 1, TOTAL]], np.int32)
        gains = fixed_gains(tables.code_gains)
        sizes, offsets = np.array([3], np.int32), np.zeros(1, np.int32)
        index = np.zeros(shape, np.uint8)
        return TemporalTables(gains, self.levels, self.activity, index, cdf, sizes, offsets)


class SymbolCounter:
    """Counts symbols by rate, context and channel."""

    def __init__(self, tables: CodingTables, shape: ContextShape) -> None:
        self._tables = tables
        self._blank = shape.blank(tables)
        self._shape = shape
        self.counts: Counts = np.zeros((*self._blank.index.shape, COLUMNS), np.int32)

    def add(self, latent: npt.NDArray[np.float32], prediction: Prediction, row: int) -> None:
        """Count the symbols of a frame, latent (C, h, w), at rate row `row` of the shape."""
        tables, code = self._tables, self._shape.codes[row]
        scaled = latent * tables.code_gains[code][:, None, None]
        symbols = np.rint(scaled).clip(-MAX_SYMBOL, MAX_SYMBOL).astype(np.int64)
        context = self._contexts(symbols, prediction, code)
        column = np.where(np.abs(symbols) <= SPAN, symbols + SPAN, COLUMNS - 1)
        channels = len(symbols)
        cell = context * channels + np.arange(channels)[:, None, None]
        flat = np.bincount((cell * COLUMNS + column).ravel(), minlength=self.counts[row].size)
        self.counts[row] += flat.reshape(self.counts[row].shape).astype(np.int32)

    def _contexts(
        self, symbols: npt.NDArray[np.int64], prediction: Prediction, code: int
    ) -> npt.NDArray[np.int64]:
        """Context of every symbol, (C, h, w)."""
        scaled = scale(prediction, code, self._blank)
        context = np.zeros(symbols.shape, np.int64)  # contiguous, whatever the latent is
        context.reshape(-1)[prediction.place] = scaled.value
        for group, (start, end) in enumerate(group_bounds(self._tables.groups)):
            own = contexts(symbols, start, self._tables.thresholds[group])
            context[start:end] += base_contexts(own, prediction.known, scaled.around, self._blank)
        return context


def fit_temporal(
    tables: CodingTables,
    shape: ContextShape,
    counts: npt.NDArray[np.integer[Any]],
    *,
    bank: int = 255,
    skip_below: float = 0.0005,
) -> TemporalTables:
    """Fit the bank and choose a table for every rate, context and channel.

    Args:
        tables: of the checkpoint, whose gains and contexts these go with.
        shape: of the contexts with which `counts` were taken.
        counts: (R, M, C, 64) integers.
        bank: most tables.
        skip_below: symbols that are not zero less often than this are skipped.
    """
    counts = np.asarray(counts)
    if counts.ndim != 4 or counts.shape[3] != COLUMNS:
        raise ValueError(f"counts of shape {counts.shape}; expected (R, M, C, {COLUMNS})")
    known = shape.blank(tables).known_contexts
    pmfs = np.concatenate([_smooth(rate, known) for rate in counts])
    seen = counts.sum(axis=3, dtype=np.int64).reshape(-1)
    coded = 1.0 - pmfs[:, SPAN] >= skip_below
    weights = seen[coded] + 1e-3
    candidates = pmfs[coded]
    heavy = np.argsort(-weights, kind="stable")[:_CLUSTERED]
    centres = _cluster(candidates[heavy], weights[heavy], min(bank, len(heavy)))
    cdfs, offsets = [], []
    for centre in centres:
        cdf, offset = _cdf(centre)
        cdfs.append(cdf)
        offsets.append(offset)
    cost = np.stack([_column_bits(c, o) for c, o in zip(cdfs, offsets, strict=True)])
    numbers = np.full(len(pmfs), SKIP, np.uint8)
    numbers[coded] = 1 + (candidates @ cost.T).argmin(axis=1)
    bank_cdfs, sizes = stack(cdfs)
    return TemporalTables(
        gains=fixed_gains(tables.code_gains),
        levels=shape.levels,
        activity=shape.activity,
        index=numbers.reshape(counts.shape[:3]),
        cdfs=bank_cdfs,
        sizes=sizes,
        offsets=np.array(offsets, np.int32),
    )


def _smooth(counts: npt.NDArray[np.integer[Any]], known: int) -> Array:
    """Histograms (M, C, S) of one rate to distributions (M * C, S).

    Each gets a few counts of its channel's under the same predicted symbol, which in turn gets some
    of all channels' under it.
    """
    counts = counts.astype(np.float32)
    same = np.empty(len(counts), np.int64)
    same[:known] = np.arange(known) % BINS
    same[known:] = BINS
    bins = np.zeros((BINS + 1, *counts.shape[1:]), np.float32)
    np.add.at(bins, same, counts)
    overall = bins.sum(axis=1) + 1e-2
    overall /= overall.sum(axis=1, keepdims=True)
    bins += _CHANNEL_COUNTS * overall[:, None]
    bins /= bins.sum(axis=2, keepdims=True)
    smooth = counts + _PRIOR_COUNTS * bins[same]
    smooth /= smooth.sum(axis=2, keepdims=True)
    flat: Array = smooth.reshape(-1, counts.shape[2])
    return flat


def _cluster(pmfs: Array, weights: npt.NDArray[np.float64], size: int) -> Array:
    """k-means where the distortion is the code length: (n, S) to centres (at most size, S)."""
    weight = weights.astype(np.float32)
    entropy = -(pmfs * np.log2(np.maximum(pmfs, 1e-12))).sum(axis=1)
    mean = pmfs @ np.arange(-SPAN, SPAN + 2, dtype=np.float32)
    # First grouping: by mean, within it by entropy, with equal members.
    order = np.lexsort((entropy, np.rint(np.clip(mean, -3, 3) * 2)))
    group = np.empty(len(pmfs), np.int64)
    group[order] = np.arange(len(pmfs)) * size // len(pmfs)
    centres = np.zeros((0, pmfs.shape[1]), np.float32)
    for _ in range(_ITERATIONS):
        mass = np.bincount(group, weight, size)
        used = mass > 0
        members = np.zeros((size, len(pmfs)), np.float32)
        members[group, np.arange(len(pmfs))] = weight
        centres = (members @ pmfs)[used] / mass[used, None].astype(np.float32)
        cost = pmfs @ -np.log2(np.maximum(centres, 1e-9)).T
        nearest = cost.argmin(axis=1)
        # A cluster that lost its members starts anew with the one that fares worst.
        free = size - len(centres)
        if free:
            worst = np.argsort(-weight * (cost.min(axis=1) - entropy), kind="stable")[:free]
            nearest[worst] = len(centres) + np.arange(len(worst))
        if np.array_equal(nearest, group):
            break
        group = nearest
    return centres


def _cdf(centre: Array, least: float = 2.0**-14) -> tuple[npt.NDArray[np.int32], int]:
    """A centre's CDF, of the columns worth an entry, and its offset."""
    worthy = np.flatnonzero(centre[:-1] >= least)
    if not len(worthy):
        worthy = np.array([SPAN])
    low, high = int(worthy[0]), int(worthy[-1]) + 1
    tail = float(centre[:low].sum() + centre[high:].sum())
    return quantised_cdf(centre[low:high], tail), low - SPAN


def _column_bits(cdf: npt.NDArray[np.int32], offset: int) -> Array:
    """Bits of every column of a histogram under one CDF; beyond -S .. S, of an escape."""
    bits = symbol_bits(cdf, offset)
    inside = bits[MAX_SYMBOL - SPAN : MAX_SYMBOL + SPAN + 1]
    columns: Array = np.append(inside, bits[MAX_SYMBOL + SPAN + 2]).astype(np.float32)
    return columns
