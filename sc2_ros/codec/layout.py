# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The order in which the positions of a frame's patches are coded, and what lies round each.

A place is row x width + column in the frame; a rank is the number of a place in coding order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.slicing import Grid

TAPS = 9

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Layout:
    """A checkerboard on a grid of patches.

    Attributes:
        places: (h w,) by rank: first all of phase 0, then all of phase 1; in each patch by patch,
            row-major. A position's phase is (row + column) mod 2, from its patch's corner.
        around: (h w x 9,) ranks of the 3x3 round each, row-major; h w: in no patch, or another.
        ranks: for each phase, which ranks it has.
        bounds: for each phase, (patches + 1,) where each patch begins, counted from its first.
        frame_around: (h w x 9,) as `around`, of the whole frame, but places instead of ranks.
    """

    places: Ints
    around: Ints
    ranks: tuple[slice, slice]
    bounds: tuple[Ints, Ints]
    frame_around: Ints


@lru_cache(maxsize=16)
def layout(grid: Grid) -> Layout:
    """The layout of a grid."""
    rows = np.searchsorted(grid.row_starts, np.arange(grid.height), side="right") - 1
    cols = np.searchsorted(grid.col_starts, np.arange(grid.width), side="right") - 1
    patch = rows[:, None] * grid.cols + cols
    y, x = np.mgrid[: grid.height, : grid.width]
    phase = (y - grid.row_starts[rows][:, None] + x - grid.col_starts[cols]) % 2
    owner = patch.reshape(-1)
    places = np.lexsort((owner, phase.reshape(-1)))
    positions = grid.height * grid.width
    ranks = np.full(positions + 1, positions)
    ranks[places] = np.arange(positions)
    around = ranks[_neighbours(patch)[places]]
    split = int((phase == 0).sum())
    parts = (slice(0, split), slice(split, positions))
    edges = np.arange(grid.rows * grid.cols + 1)
    return Layout(
        places,
        around.reshape(-1),
        parts,
        (
            np.searchsorted(owner[places[parts[0]]], edges),
            np.searchsorted(owner[places[parts[1]]], edges),
        ),
        _neighbours(np.zeros_like(patch))[places].reshape(-1),
    )


def patch_rows(grid: Grid, number: int) -> Ints:
    """The ranks of one patch, in the order of the patch's own layout."""
    where = layout(grid)
    parts = []
    for ranks, bounds in zip(where.ranks, where.bounds, strict=True):
        begin, end = ranks.start + bounds[number : number + 2]
        parts.append(np.arange(begin, end))
    return np.concatenate(parts)


def _neighbours(patch: Ints) -> Ints:
    """Places of the 3x3 round every place, (h w, 9); h w where those are not of its patch."""
    height, width = patch.shape
    padded = np.pad(np.arange(height * width).reshape(height, width), 1, constant_values=-1)
    owner = np.pad(patch, 1, constant_values=-1)
    found = np.empty((height, width, TAPS), np.int64)
    for tap in range(TAPS):
        dy, dx = divmod(tap, 3)
        window = (slice(dy, dy + height), slice(dx, dx + width))
        found[:, :, tap] = np.where(owner[window] == patch, padded[window], height * width)
    return found.reshape(-1, TAPS)
