# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid, grids

SIDE = st.integers(1, 256)


@given(SIDE, SIDE, st.integers(1, 16), st.integers(1, 16))
def test_patches_tile_the_latent(height, width, rows, cols):
    grid = Grid(min(rows, height), min(cols, width), height, width)
    hits = np.zeros((height, width), int)

    for patch in grid.patches():
        hits[patch.y0 : patch.y1, patch.x0 : patch.x1] += 1
        assert (patch.y1 - patch.y0) * (patch.x1 - patch.x0) <= grid.largest_patch

    assert np.all(hits == 1)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 16), st.integers(1, 16))
def test_sums_are_those_of_the_patches(height, width, rows, cols):
    grid = Grid(min(rows, height), min(cols, width), height, width)
    values = np.arange(height * width, dtype=float).reshape(height, width)

    expected = [values[p.y0 : p.y1, p.x0 : p.x1].sum() for p in grid.patches()]

    np.testing.assert_array_equal(grid.sums(values), expected)


@given(SIDE, SIDE)
def test_grids_go_from_coarse_to_fine_within_the_limits(height, width):
    found = grids(height, width, 64)

    slices = [grid.rows * grid.cols for grid in found]
    assert slices == sorted(slices)
    assert slices[-1] <= 256
    for grid in found:
        assert grid.rows <= height
        assert grid.cols <= width
        assert grid.largest_patch * 64 <= MAX_PATCH_SYMBOLS


def test_small_frame_begins_with_one_slice():
    assert (grids(2, 2, 64)[0].rows, grids(2, 2, 64)[0].cols) == (1, 1)
