# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Targets and loss of the anchor-free detection head.

Heatmap: penalty-reduced focal loss (CornerNet, Law & Deng 2018, eq. 1; CenterNet, Zhou et al.
2019). Boxes: IoU loss on several cells near each centre, weighted by a Gaussian, so that small
objects give many gradients (TTFNet, Liu et al. 2020, eq. 4-6).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import complete_box_iou_loss

from sc2_ros.network.heads import CELL


@dataclass(frozen=True)
class DetectionTarget:
    """Targets of one image: heat, valid (classes, H, W); cells, weights (N,); boxes (N, 4).

    objects (M, 4) xyxy px, labels (M,): what they were made of.
    """

    heat: NDArray[np.float32]
    valid: NDArray[np.float32]
    cells: NDArray[np.int64]
    boxes: NDArray[np.float32]
    weights: NDArray[np.float32]
    objects: NDArray[np.float32]
    labels: NDArray[np.int64]


def make_target(
    boxes: NDArray[np.float32],
    labels: NDArray[np.int64],
    ignore: NDArray[np.float32],
    labelled: NDArray[np.bool_],
    size: int,
) -> DetectionTarget:
    """Boxes (N, 4) xyxy px of a size x size image -> targets on its stride-4 cells.

    labelled (classes,): which classes this data set labels; the others are left out of the loss
    but where a labelled object is: that is none of them.
    """
    classes = len(labelled)
    cells = size // CELL
    heat = np.zeros((classes, cells, cells), np.float32)
    valid = np.repeat(labelled.astype(np.float32), cells * cells).reshape(classes, cells, cells)
    for x1, y1, x2, y2 in ignore / CELL:
        valid[:, max(int(y1), 0) : int(np.ceil(y2)), max(int(x1), 0) : int(np.ceil(x2))] = 0
    best = np.zeros((cells, cells), np.float32)
    owner = np.full((cells, cells), -1, np.int64)
    areas = np.prod(boxes[:, 2:] - boxes[:, :2], 1) if len(boxes) else np.zeros(0)
    totals = np.zeros(len(boxes), np.float32)
    for number in np.argsort(-areas):  # small objects last, so that they own their cells
        x1, y1, x2, y2 = boxes[number] / CELL
        cx, cy, w, h = (x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1
        ix, iy = min(int(cx), cells - 1), min(int(cy), cells - 1)
        sx, sy = max(0.54 * w / 6, 0.45), max(0.54 * h / 6, 0.45)
        rx, ry = max(int(3 * sx), 1), max(int(3 * sy), 1)
        xs = np.arange(max(ix - rx, 0), min(ix + rx + 1, cells))
        ys = np.arange(max(iy - ry, 0), min(iy + ry + 1, cells))
        bell = np.exp(
            -((xs[None] - ix) ** 2) / (2 * sx * sx) - (ys[:, None] - iy) ** 2 / (2 * sy * sy)
        ).astype(np.float32)
        window = np.ix_(ys, xs)
        # Else a person is an other_vehicle, too, wherever nobody labels other_vehicle.
        valid[np.ix_(~labelled, ys, xs)] = 1
        heat[labels[number]][window] = np.maximum(heat[labels[number]][window], bell)
        valid[labels[number], iy, ix] = 1
        wide = np.exp(
            -((xs[None] - ix) ** 2) / (2 * max(sx, 0.8) ** 2)
            - (ys[:, None] - iy) ** 2 / (2 * max(sy, 0.8) ** 2)
        ).astype(np.float32)
        wide[wide < 0.1] = 0
        take = wide > 0
        view = owner[window]
        view[take] = number
        owner[window] = view
        level = best[window]
        level[take] = wide[take]
        best[window] = level
    chosen = np.flatnonzero(owner.ravel() >= 0)
    who = owner.ravel()[chosen]
    weights = best.ravel()[chosen]
    np.add.at(totals, who, weights)
    near = boxes[who].reshape(-1, 4)
    return DetectionTarget(heat, valid, chosen, near, weights / totals[who], boxes, labels)


def centres(height: int, width: int, device: torch.device) -> Tensor:
    """Centres (H * W, 2) of the cells in pixels of the image, x and y."""
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return (torch.stack((x, y), -1).flatten(0, 1) + 0.5) * CELL


def cell_boxes(box: Tensor) -> Tensor:
    """Ltrb (B, 4, H, W) px around the cells' centres -> each cell's box (B, H * W, 4) xyxy px."""
    ltrb = box.float().flatten(2).transpose(1, 2)
    places = centres(*box.shape[2:], box.device)
    return torch.cat((places - ltrb[..., :2], places + ltrb[..., 2:]), 2)


def detection_loss(
    heatmap: Tensor,
    box: Tensor,
    targets: list[DetectionTarget],
    received: Tensor,
    quality: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Heatmap logits (B, classes, H, W), ltrb (B, 4, H, W), received (B, 1, H, W) -> two losses.

    Cells whose latents were lost count neither as hits nor as misses.

    quality: how much the IoU of the box found at an object's centre counts in the score wanted
    there: 1 - quality x (1 - IoU), so that boxes are ranked by how well they fit, too (quality
    focal loss, Li et al. 2020, eq. 3, at CornerNet's centres). 0: every centre is to say 1.
    """
    box_loss, iou = _box_loss(box, targets, received)
    device = heatmap.device
    heat = torch.from_numpy(np.stack([t.heat for t in targets])).to(device)
    valid = torch.from_numpy(np.stack([t.valid for t in targets])).to(device) * received
    logits = heatmap.float()
    probability = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    positive = (heat > 0.999).float() * valid
    count = positive.sum().clamp(min=1)
    wanted = 1 - quality * (1 - iou)
    entropy = wanted * F.logsigmoid(logits) + (1 - wanted) * F.logsigmoid(-logits)
    hit = (wanted - probability) ** 2 * entropy * positive
    miss = probability**2 * F.logsigmoid(-logits) * (1 - heat) ** 4 * (1 - positive) * valid
    return -(hit + miss).sum() / count, box_loss


def _box_loss(
    box: Tensor, targets: list[DetectionTarget], received: Tensor
) -> tuple[Tensor, Tensor]:
    """The loss of boxes, and the IoU (B, 1, H, W) of each cell's box with its object, else 1."""
    device = box.device
    height, width = box.shape[2:]
    quality = torch.ones(len(targets), 1, height, width, device=device)
    image = np.concatenate([np.full(len(t.cells), i) for i, t in enumerate(targets)])
    if not len(image):
        return box.sum() * 0, quality
    cells = torch.from_numpy(np.concatenate([t.cells for t in targets])).to(device)
    index = torch.from_numpy(image).to(device)
    wanted = torch.from_numpy(np.concatenate([t.boxes for t in targets])).to(device)
    weights = torch.from_numpy(np.concatenate([t.weights for t in targets])).to(device)
    weights = (
        weights * received.expand(-1, 1, height, width).reshape(-1, height * width)[index, cells]
    )
    found = cell_boxes(box)[index, cells]
    with torch.no_grad():
        quality.view(len(targets), -1)[index, cells] = _iou(found, wanted)
    loss = complete_box_iou_loss(found, wanted, reduction="none")
    return (loss * weights).sum() / weights.sum().clamp(min=1), quality


def _iou(a: Tensor, b: Tensor) -> Tensor:
    """IoU of boxes (N, 4) with boxes (N, 4), pair by pair: (N,)."""
    sides = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0)
    both = sides.prod(1)
    areas = (a[:, 2:] - a[:, :2]).clamp(min=0).prod(1) + (b[:, 2:] - b[:, :2]).prod(1)
    return both / (areas - both).clamp(min=1e-6)
