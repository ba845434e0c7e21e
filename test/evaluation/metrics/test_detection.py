# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""AP against cases that can be worked out by hand."""

import numpy as np
import pytest

from sc2_ros.data import DETECTION_CLASSES, Sample
from sc2_ros.evaluation.metrics.detection import DetectionScore, mean_of

IMAGE = np.zeros((100, 100), np.uint8)
PERSON, CAR, BICYCLE, OTHER = range(4)


def _sample(boxes, labels, ignore=()):
    return Sample(
        IMAGE,
        "x",
        np.array(boxes, np.float32).reshape(-1, 4),
        np.array(labels, np.int64),
        np.array(ignore, np.float32).reshape(-1, 4),
    )


def _add(score, sample, found):
    boxes = np.array([f[0] for f in found], np.float32).reshape(-1, 4)
    score.add(
        sample,
        boxes,
        np.array([f[1] for f in found], np.float32),
        np.array([f[2] for f in found], np.int64),
    )


def test_perfect_detections_score_one_and_absent_classes_none():
    score = DetectionScore(("person", "car", "bicycle"))
    _add(score, _sample([[0, 0, 10, 10]], [PERSON]), [([0, 0, 10, 10], 0.9, PERSON)])
    _add(score, _sample([[5, 5, 30, 30]], [CAR]), [([5, 5, 30, 30], 0.8, CAR)])

    result = score.result()

    assert result.ap50 == pytest.approx({"person": 1.0, "car": 1.0, "bicycle": None})
    assert result.mean_ap50 == pytest.approx(1.0)


def test_one_of_two_found_is_half():
    score = DetectionScore(("car",))
    _add(
        score,
        _sample([[0, 0, 10, 10], [50, 50, 60, 60]], [CAR, CAR]),
        [([0, 0, 10, 10], 0.9, CAR)],
    )

    # Recall 0.5 reaches the recall points 0, 0.01 ... 0.5: 51 of 101.
    assert score.result().ap50["car"] == pytest.approx(51 / 101)


def test_a_confident_false_alarm_halves_the_precision():
    score = DetectionScore(("car",))
    _add(
        score,
        _sample([[0, 0, 10, 10]], [CAR]),
        [([70, 70, 90, 90], 0.9, CAR), ([0, 0, 10, 10], 0.5, CAR)],
    )

    assert score.result().ap50["car"] == pytest.approx(0.5)


def test_detections_on_ignore_boxes_do_not_count():
    score = DetectionScore(("car",))
    _add(
        score,
        _sample([[0, 0, 10, 10]], [CAR], ignore=[[60, 60, 100, 100]]),
        [([70, 70, 90, 90], 0.9, CAR), ([0, 0, 10, 10], 0.5, CAR)],
    )

    assert score.result().ap50["car"] == pytest.approx(1.0)


def test_a_loose_box_counts_at_half_overlap_only():
    score = DetectionScore(("car",))
    _add(score, _sample([[0, 0, 10, 10]], [CAR]), [([0, 0, 10, 5.7], 0.9, CAR)])  # IoU 0.57

    result = score.result()

    assert result.ap50["car"] == pytest.approx(1.0)
    assert result.ap["car"] == pytest.approx(0.2)  # IoU 0.50 and 0.55 of ten thresholds


def test_labels_are_matched_by_name_and_unlabelled_classes_left_out():
    score = DetectionScore(("car",), model_classes=("car", "boat", "person"))
    _add(
        score,
        _sample([[0, 0, 10, 10]], [CAR]),
        [([0, 0, 10, 10], 0.5, 0), ([40, 40, 50, 50], 0.9, 1), ([40, 40, 50, 50], 0.9, 2)],
    )

    assert score.result().ap50 == pytest.approx({"car": 1.0})


def test_classes_that_the_detector_lacks_are_no_misses():
    score = DetectionScore(("person", "car", "bicycle", "other_vehicle"), model_classes=("car",))
    box = [0, 0, 10, 10]
    _add(score, _sample([box] * 4, [PERSON, CAR, BICYCLE, OTHER]), [(box, 0.9, 0)])

    result = score.result()

    assert result.ap50 == pytest.approx({"car": 1.0})
    assert (result.mean_ap50, result.all_ap50) == pytest.approx((1.0, 1.0))
    assert result.ap50_by_size == pytest.approx({"small": 1.0, "medium": None, "large": None})


def test_without_a_class_in_common_there_is_no_figure():
    score = DetectionScore(("car",), model_classes=("boat",))
    _add(score, _sample([[0, 0, 10, 10]], [CAR]), [([0, 0, 10, 10], 0.9, 0)])

    assert score.result().mean_ap50 is None


def test_nothing_found_is_zero_and_nothing_seen_is_none():
    score = DetectionScore(("car",))
    assert score.result().mean_ap50 is None

    _add(score, _sample([[0, 0, 10, 10]], [CAR]), [])

    assert score.result().mean_ap50 == 0.0


def test_the_mean_is_over_person_car_bicycle_only():
    found = {"person": 0.2, "car": 0.4, "bicycle": None, "other_vehicle": 1.0}

    assert mean_of(found) == pytest.approx(0.3)
    assert mean_of(found, DETECTION_CLASSES) == pytest.approx(1.6 / 3)
    assert mean_of({"other_vehicle": 1.0}) is None


def test_stricter_overlaps_and_more_classes_have_means_of_their_own():
    score = DetectionScore(("person", "car", "other_vehicle"))
    loose, tight, box = [0, 0, 10, 5.7], [0, 0, 10, 7.7], [0, 0, 10, 10]  # IoU 0.57, 0.77
    _add(score, _sample([box], [CAR]), [(loose, 0.9, CAR)])
    _add(score, _sample([box], [PERSON]), [(tight, 0.9, PERSON)])
    _add(score, _sample([box], [OTHER]), [])

    result = score.result()

    assert result.ap75 == pytest.approx({"person": 1.0, "car": 0.0, "other_vehicle": 0.0})
    assert result.mean_ap75 == pytest.approx(0.5)
    assert result.mean_ap == pytest.approx((0.6 + 0.2) / 2)
    assert (result.mean_ap50, result.all_ap50) == pytest.approx((1.0, 2 / 3))
    assert result.all_ap == pytest.approx((0.6 + 0.2 + 0.0) / 3)


def test_sizes_are_those_of_coco():
    score = DetectionScore(("person", "car"))
    small, medium = [0, 0, 20, 20], [10, 10, 60, 60]
    _add(score, _sample([small, medium], [CAR, CAR]), [(small, 0.9, CAR)])

    result = score.result()

    assert result.ap50_by_size == pytest.approx({"small": 1.0, "medium": 0.0, "large": None})
    assert result.ap_by_size == pytest.approx({"small": 1.0, "medium": 0.0, "large": None})
