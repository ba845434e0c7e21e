# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""IoU by hand, and the matching of class names."""

import numpy as np
import pytest

from sc2_ros.data import MASK_CLASSES, VOID
from sc2_ros.data.camvid import CAMVID_CLASSES
from sc2_ros.evaluation.metrics.segmentation import SegmentationScore, shared_classes


def test_iou_of_a_half_right_mask():
    score = SegmentationScore(("road", "other"), ("road", "other"))
    truth = np.array([[0, 0, 1, 1]], np.uint8)

    score.add(truth, np.array([[0, 1, 1, 1]], np.uint8))

    assert score.iou() == pytest.approx({"road": 1 / 2, "other": 2 / 3})
    assert score.miou() == pytest.approx(7 / 12)


def test_void_is_left_out_and_a_lost_mask_is_wrong():
    score = SegmentationScore(("road", "other"), ("road", "other"))
    truth = np.array([[0, VOID]], np.uint8)

    score.add(truth, np.array([[0, 1]], np.uint8))
    assert score.iou() == {"road": 1.0, "other": None}

    score.add(truth, None)
    assert score.miou() == pytest.approx(0.5)


def test_a_small_mask_is_stretched():
    score = SegmentationScore(("road", "other"), ("road", "other"))
    small = np.array([[0, 1], [1, 0]], np.uint8)

    score.add(np.kron(small, np.ones((4, 4), np.uint8)), small)

    assert score.miou() == 1.0


def test_camvid_shares_five_of_our_classes():
    assert shared_classes(MASK_CLASSES, CAMVID_CLASSES) == (
        *("road", "building", "vegetation", "vehicle", "person"),
    )
    assert shared_classes(MASK_CLASSES, MASK_CLASSES) == MASK_CLASSES
    assert shared_classes(CAMVID_CLASSES, CAMVID_CLASSES) == CAMVID_CLASSES


def test_camvid_numbers_are_translated_and_unshared_truth_left_out():
    score = SegmentationScore(MASK_CLASSES, CAMVID_CLASSES)
    sky, road, tree = (CAMVID_CLASSES.index(n) for n in ("sky", "road", "tree"))
    answer = [MASK_CLASSES.index(n) for n in ("other", "road", "other")]

    score.add(np.array([[sky, road, tree]], np.uint8), np.array([answer], np.uint8))

    iou = score.iou()
    assert iou["road"] == 1.0
    assert iou["vegetation"] == 0.0
    assert iou["vehicle"] is None
    assert score.confusion.sum() == 2
