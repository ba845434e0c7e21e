# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The codec's part of a checkpoint: gains, and the context networks with their tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, SYMBOLS, Bank, quantised_cdf
from sc2_ros.codec.entropy.context_network import (
    CODE_STEP,
    FRACTIONS,
    ROWS,
    TABLES,
    ContextNetwork,
)
from sc2_ros.codec.slicing import PHASES, TAPS
from sc2_ros.codec.wire.header import RATE_CODES
from sc2_ros.errors import CheckpointError

GAIN_BITS = 12
"""Gains are scaled by as integers in units of 1/4096."""

_CONTEXT, _SKIP = "context_", "skip_"
LOWEST_LOG_SPREAD, LOG_SPREAD_STEP = -2.8, 0.2
"""A level stands for a spread of exp(-2.8 + 0.2 (level + 1/2)), mean magnitude of a Laplacian."""
LOG_SPREAD_UNIT = 2048
"""What a network puts out for a spread, per unit of its logarithm above the lowest."""
_LARGEST_GAIN = (1 << 24) - 1

Floats = npt.NDArray[np.float32]


def rate_code(rate_index: float) -> int:
    """The code 0 .. 64 of a rate index in [0, 1]; more is more bytes."""
    return min(max(round((RATE_CODES - 1) * rate_index), 0), RATE_CODES - 1)


@dataclass(frozen=True, eq=False)
class CodingTables:
    """What both ends must share to turn symbols into bits; validated when it is made.

    Attributes:
        gains: (65, C) float32, what the latent is multiplied with at each rate code.
        context: the network of keyframes, of C channels.
        skip: the network of predicted frames, of C channels and the map; None: all are keyframes.

    Raises:
        CheckpointError: an array has the wrong shape or breaks a rule.
    """

    gains: Floats
    context: ContextNetwork
    skip: ContextNetwork | None = None

    def __post_init__(self) -> None:
        """Check that the parts fit each other."""
        gains = np.array(self.gains, np.float32, order="C")
        gains.flags.writeable = False
        object.__setattr__(self, "gains", gains)
        _require(gains.ndim == 2 and len(gains) == RATE_CODES, f"gains must be ({RATE_CODES}, C)")
        _require(bool(np.all(np.isfinite(gains) & (gains > 0))), "gains must be positive")
        scaled = _integer_gains(gains)
        _require(
            bool(np.all((scaled >= 1) & (scaled <= _LARGEST_GAIN))),
            "gains must be from 1/4096 to 4095 for references to be scaled",
        )
        _require(not self.context.has_map, "the network of keyframes has a skip map")
        _require(self.context.channels == self.channels, "context network of other channels")
        if self.skip is not None:
            _require(self.skip.has_map, "the network of predicted frames has no skip map")
            _require(self.skip.channels == self.channels, "skip network of other channels")

    @property
    def channels(self) -> int:
        """Number of latent channels, C."""
        return int(self.gains.shape[1])

    @cached_property
    def integer_gains(self) -> npt.NDArray[np.int64]:
        """(65, C), the gains in units of 1/4096, to scale references by."""
        return _integer_gains(self.gains)

    def dequantise(self, symbols: npt.NDArray[np.signedinteger[Any]], code: int) -> Floats:
        """Symbols (C, h, w) at a rate code to the latent, float32."""
        latent: Floats = symbols / self.gains[code][:, None, None]
        return latent.astype(np.float32, copy=False)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays for a checkpoint file; `from_arrays` is the inverse."""
        arrays = {"gains": self.gains, **self.context.to_arrays(_CONTEXT)}
        if self.skip is not None:
            arrays |= self.skip.to_arrays(_SKIP)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> CodingTables:
        """Read what `to_arrays` made; unknown names are ignored.

        Raises:
            CheckpointError: an array is missing or invalid.
        """
        context = ContextNetwork.from_arrays(arrays, _CONTEXT, has_map=False)
        if context is None or "gains" not in arrays:
            raise CheckpointError("the checkpoint lacks gains or context network; not complete")
        skip = ContextNetwork.from_arrays(arrays, _SKIP, has_map=True)
        return cls(np.asarray(arrays["gains"]), context, skip)


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"coding tables: {what}; the checkpoint is damaged")


def _integer_gains(gains: Floats) -> npt.NDArray[np.int64]:
    scaled: npt.NDArray[np.int64] = np.rint(gains.astype(np.float64) * (1 << GAIN_BITS)).astype(
        np.int64
    )
    return scaled


def untrained_tables(gains: Floats, spread: Floats) -> CodingTables:
    """Tables for a network without statistics: every symbol is taken to be a rounded Laplacian.

    Args:
        gains: (65, C), as in CodingTables.
        spread: (65, C), mean magnitude of latent x gain at each rate code.
    """
    channels, rows = gains.shape[1], (1, 2, 1)
    logs = np.log(spread[::CODE_STEP]) - LOWEST_LOG_SPREAD
    leave_bias = np.zeros((ROWS, channels, PHASES, 2), np.int32)
    leave_bias[..., 1] = np.rint(logs * LOG_SPREAD_UNIT)[:, :, None]
    context = ContextNetwork(
        groups=np.array([channels], np.int32),
        first_code=np.array([0], np.int32),
        enter=np.zeros((*rows, TAPS, channels), np.int8),
        enter_bias=np.zeros((ROWS, *rows), np.int32),
        leave=np.zeros((channels, PHASES, 2, 1), np.int8),
        leave_bias=leave_bias,
        bank=Bank.of(*map(list, zip(*map(table_of, laplacian_bank()), strict=True))),
    )
    return CodingTables(gains, context)


def laplacian_bank() -> list[npt.NDArray[np.float64]]:
    """The distribution (255,) that each table of symbols stands for, in the order of the bank."""
    found = []
    for table in range(TABLES):
        level, fraction = divmod(table, FRACTIONS)
        spread = np.exp(LOWEST_LOG_SPREAD + LOG_SPREAD_STEP * (level + 0.5))
        edges = np.arange(SYMBOLS + 1) - MAX_SYMBOL - 0.5 - (fraction / FRACTIONS - 0.5)
        tail = 0.5 * np.exp(-np.abs(edges) / spread)
        mass = np.maximum(np.diff(np.where(edges < 0, tail, 1 - tail)), 1e-12)
        found.append(mass / mass.sum())
    return found


def table_of(pmf: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.int32], int]:
    """A distribution (255,) as a CDF, and the symbol that its first entry stands for.

    Symbols rarer than 2^-15 at either end are cheaper escaped than given a whole count of 65536.
    """
    likely = np.flatnonzero(pmf >= 2.0**-15)
    low, high = min(int(likely[0]), MAX_SYMBOL), max(int(likely[-1]), MAX_SYMBOL) + 1
    tail = float(pmf[:low].sum() + pmf[high:].sum())
    return quantised_cdf(pmf[low:high], tail), low - MAX_SYMBOL
