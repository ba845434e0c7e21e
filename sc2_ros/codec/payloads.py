# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rANS bytes of every slice of a planned frame."""

from __future__ import annotations

import numpy as np

from sc2_ros.codec.coders import Coders
from sc2_ros.codec.intra_pricing import Trace
from sc2_ros.codec.learned import LearnedTrace
from sc2_ros.codec.plan import FramePlan
from sc2_ros.codec.pricing import FramePricer
from sc2_ros.codec.symbols import Symbols
from sc2_ros.codec.tables import SKIP
from sc2_ros.codec.temporal_pricing import PredictedTrace


class PayloadBuilder:
    """Codes what a plan of the pricer says."""

    def __init__(self, coders: Coders, pricer: FramePricer) -> None:
        """coders: of the tables that the pricer has."""
        self._coders = coders
        self._pricer = pricer

    def build(self, plan: FramePlan, shape: tuple[int, ...]) -> tuple[Symbols, list[bytes]]:
        """What is sent of the symbols, and the rANS bytes of every slice.

        The order is channel, row, column.
        """
        choices = plan.price.predicted
        if plan.learned:
            return self._learned_payloads(plan, shape)
        sources = []
        if not choices.all():
            assert isinstance(plan.intra, Trace)
            tables = self._pricer.intra.tables_of(plan.intra, plan.code)
            sources.append(
                (False, plan.intra.kept, plan.intra.values, tables, self._coders.counted)
            )
        if choices.any():
            assert isinstance(plan.predicted, PredictedTrace)
            assert self._pricer.temporal is not None
            assert self._coders.temporal is not None
            tables = self._pricer.temporal.tables_of(plan.predicted, plan.code)
            kept, values = plan.predicted.kept, plan.predicted.values
            sources.append((True, kept, values, tables, self._coders.temporal))
        sent = np.zeros(shape, np.int8)
        payloads = [b""] * len(choices)
        for predicted, kept, values, tables, coder in sources:
            all_sent = np.zeros(shape, np.int8)
            all_sent.reshape(-1)[kept] = values
            for number in np.flatnonzero(choices == predicted):
                patch = plan.grid.patch(int(number))
                where = (slice(None), slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
                sent[where] = all_sent[where]
                table = tables[where].reshape(-1)
                used = np.flatnonzero(table != SKIP)
                chosen = all_sent[where].reshape(-1)[used]
                payloads[number] = coder.encode(chosen.tolist(), table[used].tolist())
        return sent, payloads

    def _learned_payloads(
        self, plan: FramePlan, shape: tuple[int, ...]
    ) -> tuple[Symbols, list[bytes]]:
        """The same with a learned context model."""
        assert self._coders.learned is not None
        sent = np.zeros(shape, np.int8)
        payloads = []
        for number, predicted in enumerate(plan.price.predicted):
            trace = plan.predicted if predicted else plan.intra
            assert isinstance(trace, LearnedTrace)
            patch = plan.grid.patch(number)
            where = (slice(None), slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
            sent[where] = trace.sent[where]
            payloads.append(trace.payload(number, self._coders.learned))
        return sent, payloads
