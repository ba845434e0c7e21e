# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression gives what torchvision's gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.network.nms import averaged_nms


@settings(max_examples=400)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(0, 120),
    st.integers(1, 4),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
)
def test_what_stays_is_what_torchvision_keeps(
    seed: int, count: int, classes: int, iou: float
) -> None:
    ops = pytest.importorskip("torchvision.ops")
    import torch

    random = np.random.default_rng(seed)
    corners = random.integers(0, 60, (count, 2))
    sides = random.integers(0, 30, (count, 2))
    boxes = np.concatenate((corners, corners + sides), axis=1).astype(np.float32)
    scores = random.permutation(count).astype(np.float32)  # without ties, which sort as they like
    labels = random.integers(0, classes, count)
    expected = ops.batched_nms(*map(torch.from_numpy, (boxes, scores, labels)), iou)
    kept, _ = averaged_nms(boxes, scores, labels, iou)
    assert np.array_equal(kept, expected.numpy())


def test_equal_scores_keep_their_order() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], np.float32)
    kept, _ = averaged_nms(boxes, np.ones(3, np.float32), np.zeros(3, np.int64), 0.5)
    assert kept.tolist() == [0, 2]


def test_the_boxes_of_one_object_are_averaged_by_score() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 12], [2, 2, 30, 30], [9, 9, 9, 9]], np.float32)
    scores = np.array([0.6, 0.3, 0.5, 0.0], np.float32)
    kept, averaged = averaged_nms(boxes, scores, np.zeros(4, np.int64), 0.6)

    assert kept.tolist() == [0, 2, 3]
    assert averaged == pytest.approx(
        np.array([[0, 0, 10, (0.6 * 10 + 0.3 * 12) / 0.9], [2, 2, 30, 30], [9, 9, 9, 9]])
    )


def test_boxes_of_another_class_are_not_averaged() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 11]], np.float32)
    kept, averaged = averaged_nms(boxes, np.array([0.6, 0.3], np.float32), np.array([0, 1]), 0.6)

    assert (kept.tolist(), averaged.tolist()) == ([0, 1], boxes.tolist())
