# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a frame's latent grid is cut into slices: rows x cols nearly equal rectangular patches."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

MAX_PATCH_SYMBOLS = 1 << 17
"""A slice holds at most so many symbols, coded or skipped, so that a parser's memory is bounded."""

# Grids in the order in which the encoder tries them (for a frame that is wider than high).
GRIDS = (
    ((1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (2, 4), (3, 3), (3, 4), (3, 5), (4, 4), (4, 5), (4, 6))
    + ((5, 5), (5, 6), (5, 7), (6, 6), (6, 7), (6, 8), (7, 8), (8, 8), (8, 9), (8, 10), (9, 10))
    + ((10, 10), (10, 12), (12, 12), (12, 14), (14, 14), (14, 16), (16, 16))
)


@dataclass(frozen=True)
class Patch:
    """A rectangle of latent positions, [y0, y1) x [x0, x1)."""

    y0: int
    y1: int
    x0: int
    x1: int


@dataclass(frozen=True)
class Grid:
    """rows x cols patches over `height` x `width` positions; row i begins at floor(i h / rows)."""

    rows: int
    cols: int
    height: int
    width: int

    @cached_property
    def row_starts(self) -> npt.NDArray[np.int64]:
        """(rows,) first position of each row of patches."""
        return np.arange(self.rows) * self.height // self.rows

    @cached_property
    def col_starts(self) -> npt.NDArray[np.int64]:
        """(cols,) first position of each column of patches."""
        return np.arange(self.cols) * self.width // self.cols

    @property
    def largest_patch(self) -> int:
        """Positions of the largest patch."""
        return -(-self.height // self.rows) * -(-self.width // self.cols)

    def patch(self, number: int) -> Patch:
        """The patch with this number, row-major."""
        row, col = divmod(number, self.cols)
        return Patch(
            row * self.height // self.rows,
            (row + 1) * self.height // self.rows,
            col * self.width // self.cols,
            (col + 1) * self.width // self.cols,
        )

    def patches(self) -> Iterator[Patch]:
        """Every patch, row-major."""
        return (self.patch(number) for number in range(self.rows * self.cols))

    def sums(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Sum (height, width) over each patch, (rows * cols,)."""
        by_row = np.add.reduceat(values, self.row_starts, axis=0)
        return np.add.reduceat(by_row, self.col_starts, axis=1).ravel()


@lru_cache(maxsize=64)
def grids(height: int, width: int, channels: int) -> tuple[Grid, ...]:
    """The grids to try for a latent of this shape, from one slice to as many as there may be."""
    found: dict[tuple[int, int], Grid] = {}
    for short, long in GRIDS:
        rows, cols = (short, long) if width >= height else (long, short)
        rows, cols = min(rows, height), min(cols, width)
        grid = Grid(rows, cols, height, width)
        if grid.largest_patch * channels <= MAX_PATCH_SYMBOLS:
            found.setdefault((rows, cols), grid)
    return tuple(sorted(found.values(), key=lambda grid: grid.rows * grid.cols))
