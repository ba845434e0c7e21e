# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss of the detection head in which the answers choose the cells that are to find an object.

Task-aligned assignment (TOOD, Feng et al. 2021, eq. 1 and 5, as in YOLOv8): among the cells on an
object those with the best score^A x IoU^B are to answer, each with a score that tells how well its
box fits (quality focal loss, Li et al. 2020, eq. 3). As every cell may become a box and NMS
decides, training and reading then want the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import box_iou, complete_box_iou_loss

from sc2_ros.network.heads import CELL
from sc2_ros.training.detection_loss import DetectionTarget, cell_boxes, centres

_CELLS = 9  # to answer for one object
_SCORE, _IOU = 0.5, 6.0  # exponents A and B
_LEAST = 0.05  # weight of a box that is not on its object yet, and so has no score to reach
_REACH = 1.5  # cells from a small object's centre that may answer for it, though outside of it


@dataclass(frozen=True)
class Assignment:
    """Cells that answer: place in the map (N,), box (N, 4) and score (N,) wanted there; class."""

    cells: Tensor
    boxes: Tensor
    scores: Tensor
    labels: Tensor


def assign(scores: Tensor, found: Tensor, places: Tensor, target: DetectionTarget) -> Assignment:
    """Which cells are to find which object of an image, and with what score.

    scores: (classes, H * W) in [0, 1]; found: boxes (H * W, 4) xyxy px; places: `centres`.
    """
    objects = torch.from_numpy(target.objects).to(found)
    labels = torch.from_numpy(target.labels).to(found.device)
    middle, half = (objects[:, :2] + objects[:, 2:]) / 2, (objects[:, 2:] - objects[:, :2]) / 2
    far = (places[None] - middle[:, None]).abs()  # (M, H * W, 2)
    on = (far < half.clamp(min=_REACH * CELL)[:, None]).all(2)
    iou = box_iou(objects, found) * on
    fit = scores[labels] ** _SCORE * iou**_IOU
    best, chosen = (fit + 1e-9 * on).topk(min(_CELLS, fit.shape[1]), 1)
    answers = torch.zeros_like(on).scatter_(1, chosen, best > 0) & on
    # A cell answers for one object: that which its box fits best.
    answers &= F.one_hot((iou * answers).argmax(0), len(objects)).T.bool()
    fit, iou = fit * answers, iou * answers
    wanted = fit / fit.amax(1, keepdim=True).clamp(min=1e-9) * iou.amax(1, keepdim=True)
    owner, cells = answers.nonzero(as_tuple=True)
    return Assignment(cells, objects[owner], wanted[owner, cells], labels[owner])


def aligned_loss(
    heatmap: Tensor, box: Tensor, targets: list[DetectionTarget], received: Tensor
) -> tuple[Tensor, Tensor]:
    """Losses of scores and of boxes, as of `detection_loss`, which has a cell for each object."""
    height, width = heatmap.shape[2:]
    logits = heatmap.float().flatten(2)
    places = centres(height, width, heatmap.device)
    found = cell_boxes(box)
    arrived = received.expand(-1, 1, height, width).flatten(1)
    valid = torch.from_numpy(np.stack([t.valid for t in targets])).to(heatmap.device).flatten(2)
    wanted = torch.zeros_like(logits)
    taken, boxes, weights = [], [], []
    for number, target in enumerate(targets):
        if not len(target.objects):
            continue
        with torch.no_grad():
            chosen = assign(logits[number].sigmoid(), found[number], places, target)
        valid[number, chosen.labels, chosen.cells] = 1
        wanted[number, chosen.labels, chosen.cells] = chosen.scores
        taken.append(found[number, chosen.cells])
        boxes.append(chosen.boxes)
        weights.append(chosen.scores.clamp(min=_LEAST) * arrived[number, chosen.cells])
    valid = valid * arrived[:, None]
    total = (wanted * valid).sum().clamp(min=1)
    probability = logits.sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    heat = ((wanted - probability) ** 2 * entropy * valid).sum() / total
    if not taken:
        return heat, box.sum() * 0
    weight = torch.cat(weights)
    loss = complete_box_iou_loss(torch.cat(taken), torch.cat(boxes), reduction="none")
    return heat, (loss * weight).sum() / weight.sum().clamp(min=1)
