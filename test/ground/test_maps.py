# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Reading maps with numpy gives what reading them with torch gives."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.ground import maps
from sc2_ros.network.decode import decode_detections


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from([(160, 128), (37, 62), (5, 5)]),
    st.sampled_from([0.0, 0.1, 0.5, 0.9]),
    st.integers(1, 300),
)
def test_the_boxes_are_those_of_torch(
    seed: int, size: tuple[int, int], threshold: float, most: int
) -> None:
    random = np.random.default_rng(seed)
    shape = (-(-size[1] // 16) * 4, -(-size[0] // 16) * 4)
    # No two alike: of equal scores neither order is right.
    logits = np.linspace(-8, 5, 3 * shape[0] * shape[1], dtype=np.float32)
    heatmap = random.permutation(logits).reshape(3, *shape)
    box = random.uniform(1, 20, (4, *shape)).astype(np.float32)
    settings = {"score_threshold": threshold, "nms_iou": 0.5, "max_detections": most}
    expected = decode_detections(
        torch.from_numpy(heatmap), torch.from_numpy(box), size=size, **settings
    )
    found = maps.find_boxes(heatmap, box, size, **settings)
    np.testing.assert_allclose(found.scores, expected.scores.numpy(), rtol=1e-5)
    np.testing.assert_array_equal(found.labels, expected.labels.numpy())
    np.testing.assert_allclose(found.boxes, expected.boxes.numpy(), atol=1e-4)


def test_only_the_classes_that_are_wanted_are_found() -> None:
    heatmap = np.full((2, 8, 8), -9, np.float32)
    heatmap[0, 2, 2] = heatmap[1, 5, 5] = 3
    box = np.full((4, 8, 8), 4, np.float32)
    found = maps.find_boxes(
        heatmap, box, (32, 32), score_threshold=0.3, nms_iou=0.5, max_detections=9,
        classes=np.array([False, True]),
    )  # fmt: skip
    assert found.labels.tolist() == [1]
    assert found.boxes.tolist() == [[18, 18, 26, 26]]


def test_padding_is_cut_off_and_cells_are_mixed_where_the_corner_lies_between_them() -> None:
    ramp = np.tile(np.arange(8, dtype=np.float32), (1, 6, 1))
    here = maps.inside(ramp, maps.Window((5, 0), (18, 10)))
    assert here.shape == (1, 3, 5)
    np.testing.assert_allclose(here[0, 0], [1.25, 2.25, 3.25, 4.25, 5.25])


@pytest.mark.parametrize("origin", [(0, 0), (4, 8), (3, 6)])
def test_mask_and_preview_are_of_the_frames_size(origin: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    window = maps.Window(origin, (30, 21))
    mask = maps.mask_of(random.normal(size=(5, 12, 12)).astype(np.float32), window)
    preview = maps.preview_of(random.random((3, 24, 24), np.float32), window)
    assert (mask.shape, mask.dtype) == ((6, 8), np.uint8)
    assert (preview.shape, preview.dtype) == ((11, 15, 3), np.uint8)
