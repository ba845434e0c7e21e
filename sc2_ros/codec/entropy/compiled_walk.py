# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The walk in C (walk.py): what the kernel takes is laid out here."""

from __future__ import annotations

import numpy as np

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.context_network import ContextNetwork
from sc2_ros.codec.entropy.walk import Candidates, Chosen, Flags, PredictedInput, Values
from sc2_ros.codec.slicing import CodingOrder


class CompiledWalk:
    """Walks slices with one network; see walk.Walk."""

    def __init__(self, network: ContextNetwork) -> None:
        """network: of keyframes, or of predicted frames."""
        self._network = network
        self._compiled = kernel.CompiledNetwork(network)

    def choose(
        self,
        code: int,
        order: CodingOrder,
        candidates: Candidates,
        predicted: PredictedInput | None = None,
    ) -> Chosen:
        """See walk.Walk."""
        coded = None
        symbols = np.array(candidates.symbols, np.int32, order="C")
        if candidates.coded is not None:
            coded = candidates.coded.view(np.uint8)
        where = kernel.positions(order, predicted)
        rest = np.ascontiguousarray(candidates.rest, np.float32)
        weight = np.ascontiguousarray(candidates.rdoq_lambda, np.float32)
        at = self._compiled.at(code)
        tables, values, cost = kernel.walk_encode(at, where, coded, symbols, rest, weight)
        return Chosen(symbols, tables, values, cost)

    def payload(self, code: int, order: CodingOrder, chosen: Chosen, number: int) -> bytes:
        """See walk.Walk."""
        bounds = np.ascontiguousarray(order.compact_bounds[:, number : number + 2]).reshape(-1)
        at = self._compiled.at(code)
        return kernel.rans_encode_slice(at, bounds, chosen.tables, chosen.values)

    def read(
        self, code: int, order: CodingOrder, data: bytes, predicted: PredictedInput | None = None
    ) -> tuple[Values, Flags]:
        """See walk.Walk."""
        count = len(order.positions)
        where = kernel.positions(order, predicted)
        if predicted is None:
            symbols = np.zeros((count, self._network.channels), np.int32)
            kernel.walk_decode(self._compiled.at(code), where, data, None, symbols)
            return symbols, np.ones(count, np.bool_)
        symbols = np.array(predicted.symbols, np.int32, order="C")
        coded = np.zeros(count, np.uint8)
        kernel.walk_decode(self._compiled.at(code), where, data, coded, symbols)
        return symbols, coded.astype(np.bool_)
