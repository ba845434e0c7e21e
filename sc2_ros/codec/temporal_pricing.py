# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame costs that is predicted from another: exact, as in pricing.py.

A position is priced as if nothing were predicted and all of its symbols were zero; what the
predicted symbols change in that, and what the others cost, is looked up one by one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import contexts_from_activity
from sc2_ros.codec.prediction import Prediction, ScaledPrediction, base_contexts, scale
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import (
    Ints,
    Rounded,
    SparseGroup,
    counted,
    group_bounds,
    sparse,
)
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.temporal_tables import TemporalTables

_TEMPTING = 0.2
"""A zero is looked at again where it was so much, towards what is predicted, before rounding."""


@dataclass(frozen=True, eq=False)
class PredictedTrace:
    """How a frame is coded with a prediction, as Trace is without.

    Attributes:
        contexts: for every group, (h, w): the context where zero is predicted.
        kept: flat places in (C, h, w) of the symbols that are neither zero nor skipped.
        values: what they are.
        cost: (h, w) float64, bits spent at each position.
        prediction: the reference, moved.
        scaled: and scaled.
    """

    contexts: list[Ints]
    kept: Ints
    values: Ints
    cost: npt.NDArray[np.float64]
    prediction: Prediction
    scaled: ScaledPrediction


class TemporalPricer:
    """Prices predicted frames with one set of tables."""

    def __init__(self, tables: CodingTables, temporal: TemporalTables) -> None:
        """Derive the look-up tables."""
        self._thresholds = tables.thresholds
        self._tables = temporal
        self.groups = group_bounds(tables.groups)
        # (R, C, M): channel first, so that gathering a context map gives (C, h, w) at once.
        self.index = np.ascontiguousarray(temporal.index.transpose(0, 2, 1))
        bits = temporal.bits
        self._bits = bits
        self._zero = bits[:, MAX_SYMBOL].astype(np.float64)
        zero = self._zero[temporal.index]
        self._zero_bits = [zero[:, :, start:end].sum(axis=2) for start, end in self.groups]
        self._extra_bits = bits - bits[:, MAX_SYMBOL : MAX_SYMBOL + 1]

    def scaled(self, prediction: Prediction, code: int) -> ScaledPrediction:
        """The prediction at a rate code."""
        return scale(prediction, code, self._tables)

    def sparse(
        self, rounded: Rounded, prediction: Prediction, scaled: ScaledPrediction
    ) -> list[SparseGroup]:
        """By group, what is not zero, and what is but may become what is predicted."""
        flat, before = rounded.symbols.reshape(-1), rounded.exact.reshape(-1)
        tempting = flat[prediction.place] == 0
        tempting &= before[prediction.place] * scaled.value > _TEMPTING * np.abs(scaled.value)
        also = prediction.place[tempting & rounded.refinement.any()]
        positions = rounded.refinement.size
        groups = []
        for start, end in self.groups:
            low, high = np.searchsorted(also, (start * positions, end * positions))
            groups.append(sparse(rounded, start, end, also[low:high]))
        return groups

    def trace(
        self,
        found: list[SparseGroup],
        prediction: Prediction,
        scaled: ScaledPrediction,
        code: int,
        grid: Grid,
    ) -> PredictedTrace:
        """Walk the groups as the decoder will: contexts, which symbols are kept, their cost.

        found: the frame's symbols, as `sparse` gives them.
        """
        shape, positions = prediction.known.shape, prediction.known.size
        row = self._tables.row(code)
        predicted = np.zeros(len(self.index[row]) * positions, np.int8)
        predicted[prediction.place] = scaled.value
        ends = [end * positions for _, end in self.groups]
        bounds = np.searchsorted(prediction.place, [0, *ends])
        activity = np.zeros(shape, np.int32)
        cost = np.zeros(shape)
        contexts, kept, values = [], [], []
        for group, some in enumerate(found):
            own = np.zeros(shape, np.uint8)
            if group:
                own = contexts_from_activity(activity, self._thresholds[group], grid)
            base = base_contexts(own, prediction.known, scaled.around, self._tables)
            flat = base.reshape(-1)

            part = slice(bounds[group], bounds[group + 1])
            channel, position = prediction.channel[part], prediction.position[part]
            zero_at = flat[position]
            table = self.index[row, channel, zero_at + scaled.value[part]]
            change = self._zero[table] - self._zero[self.index[row, channel, zero_at]]

            likely = predicted[some.place].astype(np.int64)
            context = flat[some.position] + likely
            table = self.index[row, some.channel, context]
            value = some.refined(table, self._bits, likely)
            extra = self._extra_bits[table, value + MAX_SYMBOL]

            cost += self._zero_bits[group][row][base]
            cost += np.bincount(position, change, positions).reshape(shape)
            cost += np.bincount(some.position, extra, positions).reshape(shape)
            sums = np.bincount(some.position, counted(value, table), positions)
            activity += sums.astype(np.int32).reshape(shape)
            contexts.append(base)
            sent = (table > 0) & (value != 0)
            kept.append(some.place[sent])
            values.append(value[sent])
        return PredictedTrace(
            contexts, np.concatenate(kept), np.concatenate(values), cost, prediction, scaled
        )

    def tables_of(self, trace: PredictedTrace, code: int) -> npt.NDArray[np.uint8]:
        """Table number of every symbol, (C, h, w)."""
        row = self._tables.row(code)
        base = np.concatenate(
            [
                np.broadcast_to(context, (end - start, *context.shape))
                for (start, end), context in zip(self.groups, trace.contexts, strict=True)
            ]
        )
        context = base.reshape(len(base), -1)
        prediction = trace.prediction
        context[prediction.channel, prediction.position] += trace.scaled.value
        numbers: npt.NDArray[np.uint8] = self.index[row, np.arange(len(base))[:, None], context]
        shaped: npt.NDArray[np.uint8] = numbers.reshape(base.shape)
        return shaped
