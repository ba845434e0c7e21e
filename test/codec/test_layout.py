# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The checkerboard order of a frame's patches, against loops that say what it is."""

from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.layout import layout
from sc2_ros.codec.slicing import Grid


@st.composite
def any_grid(draw):
    height, width = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    rows, cols = draw(st.integers(1, min(height, 16))), draw(st.integers(1, min(width, 16)))
    return Grid(rows, cols, height, width)


def in_order(grid):
    """(phase, patch, y, x) of every position."""
    for phase in (0, 1):
        for number, patch in enumerate(grid.patches()):
            for y in range(patch.y0, patch.y1):
                for x in range(patch.x0, patch.x1):
                    if (y - patch.y0 + x - patch.x0) % 2 == phase:
                        yield phase, number, y, x


@given(grid=any_grid())
def test_positions_go_by_phase_then_patch_then_row(grid):
    where = layout(grid)
    order = list(in_order(grid))

    assert where.places.tolist() == [y * grid.width + x for _, _, y, x in order]
    for phase in (0, 1):
        patches = [patch for known, patch, _, _ in order if known == phase]
        assert where.ranks[phase].stop - where.ranks[phase].start == len(patches)
        for patch in range(grid.rows * grid.cols):
            begin, end = where.bounds[phase][patch : patch + 2]
            assert patches[begin:end] == [patch] * patches.count(patch)
    assert where.ranks[0].start == 0
    assert where.ranks[1] == slice(where.ranks[0].stop, len(order))


@given(grid=any_grid())
def test_around_are_the_neighbours_of_the_same_patch(grid):
    where = layout(grid)
    order = list(in_order(grid))
    rank = {(y, x): number for number, (_, _, y, x) in enumerate(order)}
    owner = {(y, x): patch for _, patch, y, x in order}
    around = where.around.reshape(-1, 9).tolist()
    frame_around = where.frame_around.reshape(-1, 9).tolist()

    for number, (_, patch, y, x) in enumerate(order):
        for tap in range(9):
            near = (y + tap // 3 - 1, x + tap % 3 - 1)
            same = owner.get(near) == patch
            assert around[number][tap] == (rank[near] if same else len(order))
            inside = near in rank
            place = near[0] * grid.width + near[1]
            assert frame_around[number][tap] == (place if inside else len(order))


def test_a_single_position_has_no_second_phase():
    where = layout(Grid(1, 1, 1, 1))

    assert where.ranks == (slice(0, 1), slice(1, 1))
    assert where.around.tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1]
