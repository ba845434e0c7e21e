# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Losses of a task network: against labels, against its teacher, and both."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sc2_ros.training.batches import Batch
from sc2_ros.training.detection_loss import detection_loss
from sc2_ros.training.segmentation_loss import segmentation_loss

BOX_WEIGHT = 4.0
BOX_UNIT_PX = 8.0


def task_loss(found: dict[str, Any], batch: Batch, quality: float = 0.0) -> Tensor:
    """Loss of a TaskNetwork's or SplitNetwork's answers against the labels.

    quality: of boxes, see `detection_loss`.
    """
    if "logits" in found:
        return F.cross_entropy(found["logits"].float(), batch.category, ignore_index=-1)
    if "mask" in found:
        return segmentation_loss(found["mask"], batch.mask)
    heatmap = found["heatmap"]
    received = heatmap.new_ones(heatmap.shape[0], 1, *heatmap.shape[2:])
    heat, box = detection_loss(heatmap, found["box"], batch.targets, received, quality)
    return heat + BOX_WEIGHT * box


def answers_loss(found: dict[str, Any], teacher: dict[str, Any]) -> Tensor:
    """Loss against the teacher's answers: KL divergence (Hinton et al. 2015), temperature 1.

    Detection: binary KL of the heatmaps per expected object, and L1 of the boxes where the teacher
    sees an object.
    """
    for name in ("logits", "mask"):
        if name in found:
            ours = found[name].float().log_softmax(1)
            theirs = teacher[name].float().log_softmax(1)
            divergence = F.kl_div(ours, theirs, reduction="none", log_target=True).sum(1)
            mean: Tensor = divergence.mean()
            return mean
    logits, wanted = found["heatmap"].float(), teacher["heatmap"].float().sigmoid()
    entropy = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    own = -torch.xlogy(wanted, wanted) - torch.xlogy(1 - wanted, 1 - wanted)
    objects = wanted.sum().clamp(min=1)
    weight = wanted.amax(1, keepdim=True)
    boxes = ((found["box"].float() - teacher["box"].float()).abs() * weight).mean(1).sum()
    total: Tensor = (entropy - own).sum() / objects
    return total + boxes / BOX_UNIT_PX / weight.sum().clamp(min=1)


def distillation_loss(
    found: dict[str, Any], teacher: dict[str, Any], batch: Batch, alpha: float = 0.5
) -> Tensor:
    """Alpha x labels + (1 - alpha) x teacher, as the Entropic Student's second stage."""
    return alpha * task_loss(found, batch) + (1 - alpha) * answers_loss(found, teacher)


def squared_differences(ours: list[Tensor], theirs: list[Tensor]) -> Tensor:
    """Sum of squared differences of features, all layers, per image: (B,)."""
    total = torch.zeros(len(ours[0]), device=ours[0].device)
    for a, b in zip(ours, theirs, strict=True):
        total = total + (a.float() - b.float()).square().flatten(1).sum(1)
    return total
