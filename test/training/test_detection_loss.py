# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets and loss of the detection head."""

import numpy as np
import pytest
import torch

from sc2_ros.training.detection_loss import detection_loss, make_target

NONE = np.zeros((0, 4), np.float32)
ALL = np.ones(4, bool)


def _perfect(
    boxes: np.ndarray, labels: np.ndarray, cells: int
) -> tuple[torch.Tensor, torch.Tensor]:
    heat = torch.full((1, 4, cells, cells), -9.0)
    box = torch.ones(1, 4, cells, cells)
    centres = (torch.arange(cells) + 0.5) * 4
    for (x1, y1, x2, y2), label in zip(boxes.tolist(), labels, strict=True):
        heat[0, label, int((y1 + y2) / 8), int((x1 + x2) / 8)] = 9.0
        near = (slice(int((y1 + y2) / 8) - 2, int((y1 + y2) / 8) + 3),)
        near += (slice(int((x1 + x2) / 8) - 2, int((x1 + x2) / 8) + 3),)
        x, y = torch.meshgrid(centres, centres, indexing="xy")
        ltrb = torch.stack((x - x1, y - y1, x2 - x, y2 - y))
        box[0][(slice(None), *near)] = ltrb[(slice(None), *near)]
    return heat, box


def test_a_perfect_answer_costs_nothing() -> None:
    """Boxes and peaks at the right places give next to no loss; an empty answer gives a lot."""
    boxes = np.array([[10, 12, 22, 30], [60, 60, 68, 70]], np.float32)
    labels = np.array([1, 0])
    target = make_target(boxes, labels, NONE, ALL, 96)
    received = torch.ones(1, 1, 24, 24)
    heat, box = _perfect(boxes, labels, 24)

    good = detection_loss(heat, box, [target], received)
    bad = detection_loss(torch.full_like(heat, -9.0), torch.ones_like(box), [target], received)

    assert float(good[0]) < 0.05
    assert float(good[1]) < 0.02
    assert float(bad[0]) > 5
    assert float(bad[1]) > 0.3


def test_small_objects_own_their_cells() -> None:
    """A person in front of a car keeps its own centre and a box of its own."""
    boxes = np.array([[0, 0, 80, 80], [38, 38, 46, 50]], np.float32)
    target = make_target(boxes, np.array([1, 0]), NONE, ALL, 96)
    centre = 11 * 24 + 10
    owner = target.boxes[list(target.cells).index(centre)]
    assert owner.tolist() == boxes[1].tolist()
    assert target.heat[0, 11, 10] == pytest.approx(1.0)


@pytest.mark.parametrize("case", ["ignored", "unlabelled", "lost"])
def test_what_is_not_known_is_not_punished(case: str) -> None:
    """False alarms cost nothing in ignore boxes, unlabelled classes and lost patches."""
    ignore = np.array([[0, 0, 96, 96]], np.float32) if case == "ignored" else NONE
    labelled = np.array([False, True, True, True]) if case == "unlabelled" else ALL
    target = make_target(NONE, np.zeros(0, int), ignore, labelled, 96)
    received = torch.zeros(1, 1, 24, 24) if case == "lost" else torch.ones(1, 1, 24, 24)
    heat = torch.full((1, 4, 24, 24), -9.0)
    heat[0, 0] = 5.0

    loss, _ = detection_loss(heat, torch.ones(1, 4, 24, 24), [target], received)
    known = make_target(NONE, np.zeros(0, int), NONE, ALL, 96)
    punished, _ = detection_loss(heat, torch.ones(1, 4, 24, 24), [known], torch.ones(1, 1, 24, 24))

    assert float(loss) < 1.0 < 100 < float(punished)


def test_what_is_labelled_is_nothing_that_is_not() -> None:
    """A person in a data set without cars is no car; what lies beside it may be one."""
    boxes, labels = np.array([[40, 40, 60, 60]], np.float32), np.array([0])
    target = make_target(boxes, labels, NONE, np.array([True, False, True, True]), 96)
    received = torch.ones(1, 1, 24, 24)

    def cost(x: int, y: int) -> float:
        heat, box = _perfect(boxes, labels, 24)
        heat[0, 1, y // 4, x // 4] = 5.0
        return float(detection_loss(heat, box, [target], received)[0])

    assert cost(50, 50) > 1 > cost(80, 80)


def test_a_loose_box_is_to_score_less_where_quality_counts() -> None:
    """The score that costs least at an object's centre is the IoU of the box found there."""
    boxes = np.array([[40, 40, 60, 60]], np.float32)
    target = make_target(boxes, np.array([1]), NONE, ALL, 96)
    received = torch.ones(1, 1, 24, 24)
    found = np.array([[40, 40, 60, 50]], np.float32)  # half of the object
    heat, box = _perfect(found, np.array([1]), 24)
    heat.fill_(-9.0)

    def cost(score: float, quality: float) -> float:
        centre = heat.clone()
        centre[0, 1, 12, 12] = torch.logit(torch.tensor(score))
        return float(detection_loss(centre, box, [target], received, quality)[0])

    scores = [0.3, 0.5, 0.7, 0.9]
    assert min(scores, key=lambda score: cost(score, 1.0)) == 0.5
    assert min(scores, key=lambda score: cost(score, 0.0)) == 0.9
