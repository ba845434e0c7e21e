# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The symbols that are sent, where a network says what each of them costs (frame/symbols.py)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, NOT_CODED, Bank
from sc2_ros.codec.entropy.context_network import Expectation

Floats = npt.NDArray[np.float32]
Values = npt.NDArray[np.int32]


class SymbolChoice:
    """Chooses symbols by what they cost in the tables of one bank."""

    def __init__(self, bank: Bank) -> None:
        """Derive the look-up tables."""
        self._bits = bank.bits.reshape(-1)
        self._zero_bits = bank.bits[:, MAX_SYMBOL].copy()
        # Where the costs of each table's symbol 0 are in the flat array.
        self._columns = np.arange(len(bank.bits)) * bank.bits.shape[1] + MAX_SYMBOL

    def cost(self, table: npt.NDArray[np.uint8], coded: Values) -> Floats:
        """Bits of values, elementwise."""
        cost: Floats = self._bits[self._columns[table] + coded]
        return cost

    def choose(
        self, rounded: Values, rest: Floats, rdoq_lambda: Floats, expected: Expectation
    ) -> tuple[Values, Floats]:
        """Symbols (P, size) less their means, and their bits.

        rest: what rounding took off; rdoq_lambda: (P,). Each symbol goes one step nearer to its
        mean where that pays; one that is not coded is zero.
        """
        less = rounded - expected.mean
        np.clip(less, -MAX_SYMBOL, MAX_SYMBOL, out=less)
        less *= expected.table != NOT_CODED
        bits = self._zero_bits[expected.table]
        flat = less.reshape(-1)
        off = np.flatnonzero(flat != 0)  # of bools it takes a sixth of the time
        if len(off):
            away = flat[off]
            at = self._columns[expected.table.reshape(-1)[off]] + away
            spent = self._bits[at]
            if rdoq_lambda.any():
                step = np.sign(away)
                fewer = self._bits[at - step]
                lost = rest.reshape(-1)[off]
                harm = 1 + 2 * np.where(away > 0, lost, -lost)
                pays = harm < rdoq_lambda[off // less.shape[1]] * (spent - fewer)
                flat[off] = away - step * pays
                spent = np.where(pays, fewer, spent)
            bits.reshape(-1)[off] = spent
        return less, bits
