# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The symbols that are sent, where a context network tells what each of them costs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context_network import ContextNetwork, Expectation

Floats = npt.NDArray[np.float32]


class SymbolChoice:
    """Chooses symbols for rate and distortion together (symbols.py), with one network's bank."""

    def __init__(self, network: ContextNetwork) -> None:
        """Derive the look-up tables."""
        self._bits = network.bits.reshape(-1)
        self._zero_bits = network.bits[:, MAX_SYMBOL].copy()
        # Where the costs of each table's symbol 0 are in the flat array.
        self._columns = np.arange(len(network.bits)) * network.bits.shape[1] + MAX_SYMBOL

    def choose(
        self,
        value: npt.NDArray[np.int32],
        rest: Floats,
        refinement: Floats,
        expected: Expectation,
    ) -> tuple[npt.NDArray[np.int32], Floats]:
        """Symbols (P, size) less their means, and what they cost.

        rest: what rounding took off; refinement: (P,) mu. Each symbol goes one step nearer to its
        mean where that pays; one that is not coded is zero.
        """
        less = value - expected.mean
        np.clip(less, -MAX_SYMBOL, MAX_SYMBOL, out=less)
        less *= expected.table != 0
        bits = self._zero_bits[expected.table]
        flat = less.reshape(-1)
        off = np.flatnonzero(flat != 0)
        if len(off):
            away = flat[off]
            at = self._columns[expected.table.reshape(-1)[off]] + away
            spent = self._bits[at]
            if refinement.any():
                step = np.sign(away)
                fewer = self._bits[at - step]
                lost = rest.reshape(-1)[off]
                harm = 1 + 2 * np.where(away > 0, lost, -lost)
                mu = refinement[off // less.shape[1]]
                pays = harm < mu * (spent - fewer)
                flat[off] = away - step * pays
                spent = np.where(pays, fewer, spent)
            bits.reshape(-1)[off] = spent
        return less, bits
