# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How a frame's latent grid is cut into slices, and in which order their positions are coded.

The index spaces of the codec, each under one name:

    position   (row, column) of the latent grid (h, w); as one number, row w + column
    channel    of the latent, 0 .. C-1, in coding order
    slice      number of a patch of the grid, row-major; its positions travel in one packet
    rank       number of a position in coding order: all of phase 0, then all of phase 1; in each
               phase slice by slice, in each slice row-major
    phase      0 or 1, of a checkerboard that begins at each patch's upper left corner
    tap        0 .. 8 of the 3x3 around a position, row-major
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
import numpy.typing as npt

MAX_PATCH_SYMBOLS = 1 << 17
"""A slice holds at most so many symbols, coded or skipped, so that a parser's memory is bounded."""

PHASES = 2
TAPS = 9

Ints = npt.NDArray[np.int64]
Compact = npt.NDArray[np.int32]

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


@dataclass(frozen=True, eq=False)
class CodingOrder:
    """The positions of a grid of patches in coding order, and what lies around each.

    Attributes:
        positions: (h w,) position of each rank.
        around: (h w, 9) ranks of the 3x3 around each rank; h w where that is in another patch.
        phases: (2,) of (n,) ranks of each phase, ascending.
        bounds: for each phase, (slices + 1,) first rank of each slice.
        frame_around: (h w, 9) as `around`, but positions, and h w only beyond the frame.
    """

    positions: Ints
    around: Ints
    phases: tuple[Ints, Ints]
    bounds: tuple[Ints, Ints]
    frame_around: Ints

    @cached_property
    def compact_positions(self) -> Compact:
        """`positions` (h w,) int32, for the kernel."""
        return self.positions.astype(np.int32)

    @cached_property
    def compact_around(self) -> Compact:
        """`around` (h w, 9) int32, for the kernel."""
        return self.around.astype(np.int32)

    @cached_property
    def compact_frame_around(self) -> Compact:
        """`frame_around` (h w, 9) int32, for the kernel."""
        return self.frame_around.astype(np.int32)

    @cached_property
    def compact_bounds(self) -> Compact:
        """`bounds` (2, slices + 1) int32, for the kernel."""
        return np.array(self.bounds, np.int32)

    def slice_ranks(self, number: int) -> Ints:
        """The ranks of one slice, in the order of that patch's own coding order."""
        ends = [bounds[number : number + 2] for bounds in self.bounds]
        return np.concatenate([np.arange(first, last) for first, last in ends])

    def by_slice(self, values: Sequence[int]) -> npt.NDArray[np.uint8]:
        """A value for each slice, as one for each rank."""
        numbers = np.array(values, np.uint8)
        return np.concatenate([np.repeat(numbers, np.diff(bounds)) for bounds in self.bounds])


@lru_cache(maxsize=16)
def coding_order(grid: Grid) -> CodingOrder:
    """The coding order of a grid."""
    rows = np.searchsorted(grid.row_starts, np.arange(grid.height), side="right") - 1
    cols = np.searchsorted(grid.col_starts, np.arange(grid.width), side="right") - 1
    owner = rows[:, None] * grid.cols + cols
    y, x = np.mgrid[: grid.height, : grid.width]
    phase = (y - grid.row_starts[rows][:, None] + x - grid.col_starts[cols]) % PHASES
    positions = np.lexsort((owner.reshape(-1), phase.reshape(-1)))
    count = grid.height * grid.width
    ranks = np.full(count + 1, count)
    ranks[positions] = np.arange(count)
    split = int((phase == 0).sum())
    phases = (np.arange(split), np.arange(split, count))
    edges = np.arange(grid.rows * grid.cols + 1)
    first, second = (
        part[0] + np.searchsorted(owner.reshape(-1)[positions[part]], edges)
        if len(part)
        else np.full(len(edges), count)
        for part in phases
    )
    return CodingOrder(
        positions,
        ranks[_around(owner)[positions]],
        phases,
        (first, second),
        _around(np.zeros_like(owner))[positions],
    )


def _around(owner: Ints) -> Ints:
    """Positions of the 3x3 around every position, (h w, 9); h w where the owner is another."""
    height, width = owner.shape
    padded = np.pad(np.arange(height * width).reshape(height, width), 1, constant_values=-1)
    owners = np.pad(owner, 1, constant_values=-1)
    found = np.empty((height, width, TAPS), np.int64)
    for tap in range(TAPS):
        dy, dx = divmod(tap, 3)
        window = (slice(dy, dy + height), slice(dx, dx + width))
        found[:, :, tap] = np.where(owners[window] == owner, padded[window], height * width)
    return found.reshape(-1, TAPS)
