# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame costs without a prediction, from tables chosen by counted contexts.

Almost all symbols are zero, so a position is priced as if all of its symbols were, which depends on
its contexts only, and what the others cost beyond that is looked up one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import contexts_from_activity
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Ints, SparseGroup, counted, group_bounds
from sc2_ros.codec.tables import CodingTables


@dataclass(frozen=True, eq=False)
class Trace:
    """How a frame is coded without a prediction, on one grid.

    Attributes:
        contexts: for every group, (h, w) uint8.
        kept: flat places in (C, h, w) of the symbols that are neither zero nor skipped.
        values: what they are.
        cost: (h, w) float64, bits spent at each position.
    """

    contexts: list[npt.NDArray[np.uint8]]
    kept: Ints
    values: Ints
    cost: npt.NDArray[np.float64]


class IntraPricer:
    """Prices frames with one set of tables."""

    def __init__(self, tables: CodingTables) -> None:
        """Derive the look-up tables."""
        self._tables = tables
        self.groups = group_bounds(tables.groups)
        # (65, C, K): channel first, so that gathering a context map gives (C, h, w) at once.
        self.index = np.ascontiguousarray(tables.index.transpose(0, 2, 1))
        bits = tables.bits
        zero = bits[:, MAX_SYMBOL][tables.index]
        self._zero_bits = [
            zero[:, :, start:end].sum(axis=2, dtype=np.float64) for start, end in self.groups
        ]
        self._bits = bits
        self._extra_bits = bits - bits[:, MAX_SYMBOL : MAX_SYMBOL + 1]

    def tables_of(self, trace: Trace, code: int) -> npt.NDArray[np.uint8]:
        """Table number of every symbol, (C, h, w)."""
        parts = [
            self.index[code, start:end][:, context]
            for (start, end), context in zip(self.groups, trace.contexts, strict=True)
        ]
        return np.concatenate(parts)

    def trace(self, found: list[SparseGroup], code: int, grid: Grid) -> Trace:
        """Walk the groups as the decoder will: contexts, which symbols are kept, their cost."""
        shape = (grid.height, grid.width)
        positions = grid.height * grid.width
        activity = np.zeros(shape, np.int32)
        cost = np.zeros(shape)
        contexts, kept, values = [], [], []
        for group, some in enumerate(found):
            context = np.zeros(shape, np.uint8)
            if group:
                context = contexts_from_activity(activity, self._tables.thresholds[group], grid)
            table = self.index[code, some.channel, context.reshape(-1)[some.position]]
            value = some.refined(table, self._bits, 0)
            extra = self._extra_bits[table, value + MAX_SYMBOL]
            cost += self._zero_bits[group][code][context]
            cost += np.bincount(some.position, extra, positions).reshape(shape)
            sums = np.bincount(some.position, counted(value, table), positions)
            activity += sums.astype(np.int32).reshape(shape)
            contexts.append(context)
            sent = (table > 0) & (value != 0)
            kept.append(some.place[sent])
            values.append(value[sent])
        return Trace(contexts, np.concatenate(kept), np.concatenate(values), cost)
