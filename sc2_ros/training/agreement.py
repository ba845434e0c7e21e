# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How far a stream's answers are from a teacher's: the loss of distillation."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import complete_box_iou_loss

from sc2_ros.network.heads import CELL

# Cells that the teacher takes for part of an object, and for its middle.
_OBJECT, _MIDDLE = 0.1, 0.3


def agreement_loss(
    out: dict[str, Tensor], wanted: dict[str, Tensor], cells: Tensor
) -> dict[str, Tensor]:
    """How far answers are from the teacher's: heat, box and mask, where latents arrived.

    What the teacher does not answer is not in the result.

    - heat: quality focal loss (Li et al. 2020, eq. 3, beta = 2) per object of the teacher
    - box: complete IoU loss (Zheng et al. 2020) on the cells of the teacher's objects
    - mask: Kullback-Leibler divergence per cell

    Args:
        out: heatmap (B, classes, h, w) logits, box (B, 4, h, w), mask (B, classes, h, w) logits.
        wanted: the same, of the teacher.
        cells: (B, 1, h, w), 1 where latents arrived.
    """
    result = {}
    if "heatmap" in wanted:
        result["heat"], result["box"] = _boxes(out, wanted, cells)
    if "mask" in wanted:
        share = wanted["mask"].float().log_softmax(1)
        answer = out["mask"].float().log_softmax(1)
        divergence = (share.exp() * (share - answer)).sum(1, keepdim=True)
        result["mask"] = (divergence * cells).sum() / cells.sum().clamp(min=1)
    return result


def _boxes(
    out: dict[str, Tensor], wanted: dict[str, Tensor], cells: Tensor
) -> tuple[Tensor, Tensor]:
    target = wanted["heatmap"].float().sigmoid()
    logits = out["heatmap"].float()
    distance = (target - logits.sigmoid()).square()
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    peak = (F.max_pool2d(target, 3, 1, 1) == target) & (target > _MIDDLE)
    heat = (distance * entropy * cells).sum() / peak.sum().clamp(min=1)

    score = target.amax(1) * cells[:, 0]
    image, row, column = (score > _OBJECT).nonzero(as_tuple=True)
    box = out["box"].sum() * 0
    if len(image):
        cx, cy = (column + 0.5) * CELL, (row + 0.5) * CELL

        def corners(ltrb: Tensor) -> Tensor:
            left, top, right, bottom = ltrb.float()[image, :, row, column].unbind(1)
            return torch.stack((cx - left, cy - top, cx + right, cy + bottom), 1)

        iou = complete_box_iou_loss(corners(out["box"]), corners(wanted["box"]), reduction="none")
        weight = score[image, row, column]
        box = (iou * weight).sum() / weight.sum()
    return heat, box
