# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where a teacher looks: class activation maps of its last stage."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from sc2_ros.split.heads import TaskNetwork


def saliency(teacher: TaskNetwork, features: list[Tensor], size: tuple[int, int]) -> Tensor:
    """XGradCAM (Fu et al. 2020) of the teacher's own best answers, (B, 1, *size) in [0, 1].

    ::

        w_k = sum(A_k dS/dA_k) / sum(A_k)      map = ReLU(sum_k w_k A_k), stretched to [0, 1]

    A: the last stage's features. S: the best class's logit; for masks the mean over pixels of the
    best logit, for boxes the sum over cells of the best class's score. No labels are used.

    Args:
        teacher: in eval mode.
        features: of all its stages, for a batch of images.
        size: height and width of the map.
    """
    with torch.enable_grad(), torch.autocast(features[-1].device.type, enabled=False):
        last = features[-1].detach().float().requires_grad_()
        found: dict[str, Any] = teacher.answer([*(x.float() for x in features[:-1]), last])
        if "heatmap" in found:
            score = found["heatmap"].sigmoid().amax(1).sum()
        elif "mask" in found:
            score = found["mask"].amax(1).mean((1, 2)).sum()
        else:
            score = found["logits"].amax(1).sum()
        (gradient,) = torch.autograd.grad(score, last)
    activation = last.detach()
    total = activation.sum((2, 3), keepdim=True)
    weight = (activation * gradient).sum((2, 3), keepdim=True) / (total + 1e-6)
    cam = (weight * activation).sum(1, keepdim=True).relu()
    cam = F.interpolate(cam, size, mode="bilinear", align_corners=False)
    low, high = cam.amin((2, 3), keepdim=True), cam.amax((2, 3), keepdim=True)
    return (cam - low) / (high - low + 1e-8)
