# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detection maps to boxes."""

import pytest
import torch

from sc2_ros.network.decode import decode_detections


def maps(peaks, height=32, width=40, classes=4):
    """Maps with the peaks (label, row, column, logit, ltrb) on a flat background."""
    heatmap, box = torch.full((classes, height, width), -8.0), torch.ones(4, height, width)
    for label, row, column, logit, ltrb in peaks:
        heatmap[label, row, column] = logit
        box[:, row, column] = torch.tensor(ltrb, dtype=torch.float32)
    return heatmap, box


def decode(peaks, size=(160, 128), **settings):
    return decode_detections(*maps(peaks), size=size, **settings)


def test_a_peak_becomes_its_box():
    found = decode([(2, 10, 20, 3.0, (5, 6, 7, 8))])
    assert found.labels.tolist() == [2]
    assert found.scores.tolist() == pytest.approx([torch.tensor(3.0).sigmoid().item()])
    # The cell's centre lies at ((20 + 0.5) * 4, (10 + 0.5) * 4) = (82, 42).
    assert found.boxes.tolist() == [[77, 36, 89, 50]]


def test_cells_of_one_object_are_one_box_and_close_objects_are_two():
    """Two people 8 px apart are two cells apart: only one of them is a maximum of 3x3 cells."""
    left, right = (4, 6, 4, 6), (4, 6, 4, 6)
    person = [
        (0, 10, 10, 3.0, left),
        (0, 10, 11, 2.5, (8, 6, 0, 6)),
        (0, 11, 10, 2.0, (4, 10, 4, 2)),
    ]
    assert decode(person).boxes.tolist() == [[38, 36, 46, 48]]

    found = decode([*person, (0, 10, 12, 2.2, right)])
    assert found.boxes.tolist() == [[38, 36, 46, 48], [46, 36, 54, 48]]

    beside = decode([(0, 10, 10, 3.0, left), (0, 10, 11, 2.2, right)])  # 4 px, IoU 1/3
    assert len(beside.scores) == 2


def test_a_box_that_is_not_a_number_takes_no_other_along():
    """As on the CPU: ground/maps.py."""
    good = (5, 6, 7, 8)
    found = decode([(2, 10, 20, 3.0, good), (2, 20, 4, 2.0, (float("nan"), 6, 7, 8))])
    assert found.boxes.tolist() == [[77, 36, 89, 50]]
    assert (len(found.scores), found.labels.tolist()) == (1, [2])


def test_nms_is_by_class():
    wide = (20, 20, 20, 20)
    peaks = [(0, 10, 10, 3.0, wide), (0, 10, 12, 2.0, wide), (1, 10, 12, 1.0, wide)]
    assert decode(peaks, nms_iou=0.5).labels.tolist() == [0, 1]
    assert decode(peaks, nms_iou=1.0).labels.tolist() == [0, 0, 1]


def test_threshold_and_limit_keep_the_best():
    peaks = [(0, 3 * i, 3 * i, float(i), (2, 2, 2, 2)) for i in range(1, 10)]
    scores = decode(peaks, score_threshold=0.95).scores.tolist()
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 7  # logits 3 to 9
    assert decode(peaks, max_detections=2).scores.tolist() == scores[:2]


def test_boxes_end_at_the_image_and_padding_is_not_looked_at():
    peaks = [(0, 0, 0, 3.0, (50, 50, 500, 500)), (0, 20, 39, 3.0, (1, 1, 1, 1))]
    found = decode(peaks, size=(150, 120))
    assert found.boxes.tolist() == [[0, 0, 150, 120]]


def test_nothing_seen():
    found = decode([])
    assert found.boxes.shape == (0, 4)
    assert found.labels.dtype == torch.int64


def test_small_maps_and_low_precision():
    heatmap, box = maps([(3, 0, 0, 5.0, (1, 1, 1, 1))], height=2, width=2)
    found = decode_detections(heatmap.bfloat16(), box.bfloat16(), size=(5, 5), max_detections=300)
    assert found.labels.tolist() == [3]
    assert found.boxes.dtype == torch.float32
