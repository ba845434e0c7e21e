# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rANS bytes of every slice of a planned frame."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.coders import Coders
from sc2_ros.codec.intra_pricing import Trace
from sc2_ros.codec.learned import LearnedTrace
from sc2_ros.codec.plan import FramePlan
from sc2_ros.codec.pricing import FramePricer
from sc2_ros.codec.skip_pricing import SkipTrace
from sc2_ros.codec.symbols import Symbols
from sc2_ros.codec.tables import SKIP
from sc2_ros.codec.temporal_pricing import PredictedTrace


@dataclass(frozen=True, eq=False)
class CodedSlices:
    """What is sent of a frame.

    Attributes:
        symbols: (C, h, w) int8.
        told: (h, w) bool, the positions that are told anew; None before version 4.
        strings: the rANS bytes of every slice.
    """

    symbols: Symbols
    told: npt.NDArray[np.bool_] | None
    strings: list[bytes]


class PayloadBuilder:
    """Codes what a plan of the pricer says."""

    def __init__(self, coders: Coders, pricer: FramePricer) -> None:
        """coders: of the tables that the pricer has."""
        self._coders = coders
        self._pricer = pricer

    def build(self, plan: FramePlan, shape: tuple[int, ...]) -> CodedSlices:
        """What a plan sends of a latent of `shape` (C, h, w)."""
        choices = plan.price.predicted
        if plan.learned:
            return self._learned(plan, shape)
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
        return CodedSlices(sent, None, payloads)

    def _learned(self, plan: FramePlan, shape: tuple[int, ...]) -> CodedSlices:
        """The same with learned context models."""
        sent = np.zeros(shape, np.int8)
        told = np.ones(shape[1:], np.bool_)
        payloads = []
        for number, predicted in enumerate(plan.price.predicted):
            trace = plan.predicted if predicted else plan.intra
            patch = plan.grid.patch(number)
            where = (slice(None), slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
            if isinstance(trace, SkipTrace):
                assert self._coders.skip is not None
                payloads.append(trace.payload(number, self._coders.skip))
                told[where[1:]] = trace.told[where[1:]]
            else:
                assert isinstance(trace, LearnedTrace)
                assert self._coders.learned is not None
                payloads.append(trace.payload(number, self._coders.learned))
            sent[where] = trace.sent[where]
        return CodedSlices(sent, told if plan.skip else None, payloads)
