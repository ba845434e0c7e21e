# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The context of a position: how much is going on around it in the groups already coded.

    symbols of groups < g  (start, h, w)
      -> sum over channels of min(|q|, 3)     activity (h, w)
      -> sum over 3 x 3, zero outside         s (h, w)
      -> number of thresholds[g] that are <= s        context (h, w), 0 .. K-1

Integers only, so that every machine sees the same contexts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.slicing import Grid

MAX_MAGNITUDE = 3
"""Magnitudes count up to this, so that one strong edge does not drown its surroundings."""

Map = npt.NDArray[np.int32]
ContextMap = npt.NDArray[np.uint8]


def contexts(
    symbols: npt.NDArray[np.integer[Any]], start: int, thresholds: npt.ArrayLike
) -> ContextMap:
    """Contexts of the group whose first channel is `start`, for one patch.

    Args:
        symbols: (C, h, w) integers of one patch; only channels below `start` are looked at. Those
            that are skipped must be zero already.
        start: number of channels in the groups before this one; 0 gives context 0 everywhere.
        thresholds: (K-1,) ascending integers of this group.

    Returns:
        (h, w) uint8, 0 .. K-1.
    """
    _, height, width = symbols.shape
    if start == 0:
        return np.zeros((height, width), np.uint8)
    return contexts_from_activity(
        activity(symbols[:start]), np.asarray(thresholds), Grid(1, 1, height, width)
    )


def activity(symbols: npt.NDArray[np.integer[Any]]) -> Map:
    """Sum of min(|q|, 3) over channels: (c, h, w) integers to (h, w) int32."""
    magnitude: Map = np.minimum(np.abs(symbols.astype(np.int16)), MAX_MAGNITUDE).sum(
        axis=0, dtype=np.int32
    )
    return magnitude


def surroundings(around: Map, grid: Grid) -> Map:
    """Activity (h, w) summed over 3 x 3, where no patch of the grid sees beyond its edge."""
    # A gap of zeros on every side of every patch lets one box sum serve all of them.
    ys = np.arange(grid.height) + _ordinal(grid.row_starts, grid.height)
    xs = np.arange(grid.width) + _ordinal(grid.col_starts, grid.width)
    spread = np.zeros((ys[-1] + 2, xs[-1] + 2), np.int32)
    spread[ys[:, None], xs] = around
    tall = spread[:-2] + spread[1:-1] + spread[2:]
    box = tall[:, :-2] + tall[:, 1:-1] + tall[:, 2:]
    total: Map = box[ys[:, None] - 1, xs - 1]
    return total


def contexts_from_activity(
    around: Map, thresholds: npt.NDArray[np.integer[Any]], grid: Grid
) -> ContextMap:
    """Contexts (h, w) from activity (h, w), where no patch of the grid sees beyond its edge."""
    found: ContextMap = np.searchsorted(
        thresholds, surroundings(around, grid), side="right"
    ).astype(np.uint8)
    return found


def _ordinal(starts: npt.NDArray[np.int64], length: int) -> npt.NDArray[np.int64]:
    """One more than the number of the patch that each of `length` positions lies in."""
    return np.searchsorted(starts, np.arange(length), side="right")
