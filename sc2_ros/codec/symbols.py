# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A frame's symbols as the pricers take them: only those that are not zero, group by group."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context import MAX_MAGNITUDE

Symbols = npt.NDArray[np.int8]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Nonzero:
    """The symbols of one group that are not zero: their places, and what they are.

    Attributes:
        place: flat places in (C, h, w).
        channel: channel of each.
        position: flat place in (h, w) of each.
        column: column of each in a price table.
        counted: magnitude of each as it counts in contexts.
    """

    place: Ints
    channel: Ints
    position: Ints
    column: Ints
    counted: Ints


def nonzero(symbols: Symbols, start: int, end: int) -> Nonzero:
    """What is not zero in channels start .. end-1 of symbols (C, h, w)."""
    positions = symbols.shape[1] * symbols.shape[2]
    flat = symbols[start:end].reshape(-1)
    place = np.flatnonzero(flat != 0)
    channel = place // positions
    value = flat[place].astype(np.int64)
    return Nonzero(
        place + start * positions,
        channel + start,
        place - channel * positions,
        value + MAX_SYMBOL,
        np.minimum(np.abs(value), MAX_MAGNITUDE),
    )


def group_bounds(groups: tuple[int, ...]) -> list[tuple[int, int]]:
    """First channel, and the one after the last, of every group."""
    ends = np.cumsum(groups).tolist()
    return [(end - size, end) for end, size in zip(ends, groups, strict=True)]
