# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which cells answer for which object, and what their loss is."""

import numpy as np
import pytest
import torch

from sc2_ros.training.aligned_loss import aligned_loss, assign
from sc2_ros.training.augment import VOID
from sc2_ros.training.batches import Batch
from sc2_ros.training.detection_loss import centres, make_target
from sc2_ros.training.sc2_model import LossConfig, TrainingModel, sc2_loss

NONE = np.zeros((0, 4), np.float32)
ALL = np.ones(4, bool)
SIDE = 24
PLACES = centres(SIDE, SIDE, torch.device("cpu"))
PAIR = np.array([[20, 20, 32, 40], [30, 20, 42, 40]], np.float32)  # two people side by side


def _answer(boxes, labels, near=6.0):
    """A box of the object whose centre is nearest in every cell, a score where it is `near` px."""
    objects = torch.tensor(boxes)
    middle = (objects[:, :2] + objects[:, 2:]) / 2
    far = torch.cdist(PLACES, middle)
    mine = objects[far.argmin(1)]
    ltrb = torch.cat((PLACES - mine[:, :2], mine[:, 2:] - PLACES), 1)
    heat = torch.full((1, 4, SIDE * SIDE), -9.0)
    label = torch.tensor(labels)[far.argmin(1)]
    close = far.amin(1) < near
    heat[0, label[close], close.nonzero()[:, 0]] = 9.0
    return heat.view(1, 4, SIDE, SIDE), ltrb.T.reshape(1, 4, SIDE, SIDE)


def test_objects_side_by_side_have_cells_of_their_own():
    target = make_target(PAIR, np.array([0, 0]), NONE, ALL, 96)
    heat, box = _answer(PAIR, [0, 0])
    ltrb = box.flatten(2)[0].T
    found = torch.cat((PLACES - ltrb[:, :2], PLACES + ltrb[:, 2:]), 1)

    chosen = assign(heat.flatten(2)[0].sigmoid(), found, PLACES, target)

    for number in range(2):
        cells = chosen.cells[(chosen.boxes == torch.tensor(PAIR[number])).all(1)]
        assert 2 <= len(cells) <= 9
        assert (found[cells] == torch.tensor(PAIR[number])).all()
    assert len(set(chosen.cells.tolist())) == len(chosen.cells)
    assert chosen.scores.max() == pytest.approx(1.0)


def test_the_best_cell_is_to_score_what_its_box_is_worth():
    """A box that covers half of its object is to score a half, whoever else answers."""
    target = make_target(PAIR[:1], np.array([2]), NONE, ALL, 96)
    found = torch.tensor([[20.0, 20, 32, 30]]).repeat(SIDE * SIDE, 1)
    chosen = assign(torch.full((4, SIDE * SIDE), 0.3), found, PLACES, target)
    assert chosen.scores.max() == pytest.approx(0.5)
    assert (chosen.labels == 2).all()


def test_what_fits_costs_less_than_what_does_not():
    received = torch.ones(1, 1, SIDE, SIDE)
    target = make_target(PAIR, np.array([0, 0]), NONE, ALL, 96)
    heat, box = _answer(PAIR, [0, 0], near=3.5)
    good = aligned_loss(heat, box, [target], received)
    silent = aligned_loss(torch.full_like(heat, -9.0), box, [target], received)
    loose = aligned_loss(heat, box + 4, [target], received)
    assert float(good[0]) < 0.3 * float(silent[0])
    assert float(good[1]) < 1e-3 < 0.2 < float(loose[1])


def test_a_tiny_object_between_cells_is_learned():
    """An object of 2 px has no cell's centre inside; those around it answer."""
    target = make_target(np.array([[47, 47, 49, 49]], np.float32), np.array([0]), NONE, ALL, 96)
    heat = torch.zeros(1, 4, SIDE, SIDE, requires_grad=True)
    box = torch.ones(1, 4, SIDE, SIDE, requires_grad=True)
    scores, boxes = aligned_loss(heat, box, [target], torch.ones(1, 1, SIDE, SIDE))
    (scores + boxes).backward()
    assert box.grad[0, :, 11:13, 11:13].abs().sum() > 0


@pytest.mark.parametrize("case", ["ignored", "unlabelled", "lost"])
def test_what_is_not_known_is_not_punished(case):
    ignore = np.array([[0, 0, 96, 96]], np.float32) if case == "ignored" else NONE
    labelled = np.array([False, True, True, True]) if case == "unlabelled" else ALL
    target = make_target(NONE, np.zeros(0, int), ignore, labelled, 96)
    known = make_target(NONE, np.zeros(0, int), NONE, ALL, 96)
    received = torch.full((1, 1, SIDE, SIDE), 0.0 if case == "lost" else 1.0)
    heat = torch.full((1, 4, SIDE, SIDE), -9.0)
    heat[0, 0] = 5.0
    box = torch.ones(1, 4, SIDE, SIDE)
    loss, _ = aligned_loss(heat, box, [target], received)
    punished, _ = aligned_loss(heat, box, [known], torch.ones(1, 1, SIDE, SIDE))
    assert float(loss) < 1.0 < 100 < float(punished)


def test_a_configuration_chooses_it():
    target = make_target(PAIR, np.array([0, 0]), NONE, ALL, 96)
    none = torch.full((1, SIDE, SIDE), VOID)
    batch = Batch(torch.rand(1, 3, 96, 96), [target], none, torch.tensor([-1]))
    model = TrainingModel()
    with torch.no_grad():
        torch.manual_seed(0)
        _, parts = sc2_loss(model, batch, LossConfig(aligned=True, drop_probability=0.0))
        torch.manual_seed(0)
        out = model(batch.image, torch.rand(1), torch.ones(1, 1, 6, 6))  # at the same rate
    heat, box = aligned_loss(out["heatmap"], out["box"], [target], torch.ones(1, 1, SIDE, SIDE))
    assert parts["heat"] == pytest.approx(float(heat))
    assert parts["box"] == pytest.approx(float(box))
