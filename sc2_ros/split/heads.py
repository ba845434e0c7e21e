# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ground network for one task: a backbone, a neck over its last stages, and a head."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from sc2_ros.errors import ParameterError
from sc2_ros.network.heads import DetectionHead, SegmentationHead
from sc2_ros.split.backbones import Backbone
from sc2_ros.split.necks import build_neck

TASKS = ("detection", "segmentation", "classification")


class TaskNetwork(nn.Module):
    """Backbone and head of one task: the teacher, and what is left of it behind a bottleneck.

    Outputs, besides the stages' `features`: `heatmap` and `box` (network/heads.py), or `mask`
    (B, classes, H/4, W/4) logits, or `logits` (B, classes).
    """

    def __init__(self, backbone: Backbone, task: str, classes: int, width: int = 64) -> None:
        """task: one of TASKS; classes: of boxes, pixels or images; width: of a TopDown neck."""
        super().__init__()
        if task not in TASKS:
            raise ParameterError(f"no task '{task}'; known are {', '.join(TASKS)}")
        self.backbone, self.task, self.classes, self.width = backbone, task, classes, width
        if task == "classification":
            self.classify = nn.Linear(backbone.channels[-1], classes)
            return
        self.neck = build_neck(backbone, width)
        if task == "detection":
            self.detect = DetectionHead(self.neck.channels[2], classes)
        else:
            self.segment = SegmentationHead(self.neck.channels, classes)

    def forward(self, image: Tensor) -> dict[str, Tensor | list[Tensor]]:
        """Image (B, 3, H, W) in [0, 1] -> features of all stages, and the answers."""
        return self.answer(self.backbone(image))

    def behind(self, x: Tensor, split: int) -> dict[str, Tensor | list[Tensor]]:
        """Output (B, C, h, w) of the first `split` stages -> features from there on, answers.

        With split 0, x is the image.
        """
        if split == 0:
            found: dict[str, Tensor | list[Tensor]] = self(x)
            return found
        return self.answer(self.backbone.tail(x, split))

    def answer(self, features: list[Tensor]) -> dict[str, Tensor | list[Tensor]]:
        """Features of the last stages -> the same, and the answers."""
        result: dict[str, Tensor | list[Tensor]] = {"features": features}
        if self.task == "classification":
            result["logits"] = self.classify(features[-1].mean((2, 3)))
            return result
        x16, x8, x4 = self.neck(features[-self.neck.takes :])
        if self.task == "detection":
            result["heatmap"], result["box"] = self.detect(x4)
        else:
            result["mask"] = self.segment(x16, x8, x4)
        return result

    def latest_split(self) -> int:
        """Behind how many stages it may be split at most."""
        stages = len(self.backbone.stages)
        return stages if self.task == "classification" else stages - self.neck.takes + 1

    def without(self, split: int) -> TaskNetwork:
        """A copy that lacks the first `split` stages."""
        state = torch.get_rng_state()
        rest = TaskNetwork(self.backbone.without(split), self.task, self.classes, self.width)
        torch.set_rng_state(state)
        rest.load_state_dict(self.state_dict(), strict=False)
        return rest
