# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from sc2_ros.codec.context import activity, contexts, contexts_from_activity
from sc2_ros.codec.slicing import Grid


def naive(symbols, start, thresholds):
    _, height, width = symbols.shape
    result = np.zeros((height, width), int)
    for y in range(height):
        for x in range(width):
            around = symbols[:start, max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2]
            result[y, x] = sum(t <= np.minimum(np.abs(around), 3).sum() for t in thresholds)
    return result


@pytest.mark.parametrize("shape", [(5, 1, 1), (5, 1, 7), (5, 6, 1), (5, 8, 9)])
def test_contexts_follow_the_definition(shape):
    symbols = np.random.default_rng(1).integers(-127, 128, shape)
    symbols[np.random.default_rng(2).random(shape) < 0.8] = 0

    np.testing.assert_array_equal(
        contexts(symbols, 3, [1, 4, 4, 9]), naive(symbols, 3, [1, 4, 4, 9])
    )


def test_first_group_has_no_context():
    assert not contexts(np.full((4, 3, 3), 9), 0, [0, 1]).any()


def test_the_most_negative_symbol_counts_like_any_large_one():
    assert activity(np.full((2, 1, 1), -127, np.int8)).item() == 6


@pytest.mark.parametrize(("rows", "cols"), [(1, 1), (2, 3), (7, 5), (1, 5)])
def test_no_patch_sees_beyond_its_edge(rows, cols):
    symbols = np.random.default_rng(3).integers(-2, 3, (4, 7, 9))
    thresholds = np.array([5, 10, 20, 30])
    grid = Grid(rows, cols, 7, 9)

    together = contexts_from_activity(activity(symbols), thresholds, grid)

    for patch in grid.patches():
        where = (slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
        alone = contexts(symbols[:, where[0], where[1]], 4, thresholds)
        np.testing.assert_array_equal(together[where], alone)
