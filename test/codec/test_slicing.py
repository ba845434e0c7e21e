# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS, Grid, coding_order, grids

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


@st.composite
def any_grid(draw):
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    rows, cols = draw(st.integers(1, min(height, 16))), draw(st.integers(1, min(width, 16)))
    return Grid(rows, cols, height, width)


def in_order(grid):
    """(phase, slice, y, x) of every position, by loops that say what the coding order is."""
    for phase in (0, 1):
        for number, patch in enumerate(grid.patches()):
            for y in range(patch.y0, patch.y1):
                for x in range(patch.x0, patch.x1):
                    if (y - patch.y0 + x - patch.x0) % 2 == phase:
                        yield phase, number, y, x


@given(any_grid())
def test_positions_go_by_phase_then_slice_then_row(grid):
    order = coding_order(grid)
    expected = list(in_order(grid))

    assert order.positions.tolist() == [y * grid.width + x for _, _, y, x in expected]
    ranks = [[rank for rank, one in enumerate(expected) if one[0] == phase] for phase in (0, 1)]
    assert [phase.tolist() for phase in order.phases] == ranks
    for number in range(grid.rows * grid.cols):
        own = [rank for rank, one in enumerate(expected) if one[1] == number]
        assert order.slice_ranks(number).tolist() == own
    numbers = list(range(grid.rows * grid.cols))
    if len(numbers) < 256:
        assert order.by_slice(numbers).tolist() == [number for _, number, _, _ in expected]


@given(any_grid())
def test_around_are_the_neighbours_of_the_same_slice(grid):
    order = coding_order(grid)
    expected = list(in_order(grid))
    rank = {(y, x): number for number, (_, _, y, x) in enumerate(expected)}
    owner = {(y, x): number for _, number, y, x in expected}

    for number, (_, own, y, x) in enumerate(expected):
        for tap in range(9):
            near = (y + tap // 3 - 1, x + tap % 3 - 1)
            same = owner.get(near) == own
            assert order.around[number, tap] == (rank[near] if same else len(expected))
            position = near[0] * grid.width + near[1]
            assert order.frame_around[number, tap] == (position if near in rank else len(expected))


def test_a_single_position_has_no_second_phase():
    order = coding_order(Grid(1, 1, 1, 1))

    assert [phase.tolist() for phase in order.phases] == [[0], []]
    assert order.around.tolist() == [[1, 1, 1, 1, 0, 1, 1, 1, 1]]
