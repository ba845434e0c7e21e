# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ground network for one task: a backbone, and a head over its stages from stride 8 on."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.errors import ParameterError
from sc2_ros.network.heads import DetectionHead, SegmentationHead
from sc2_ros.network.layers import PixelShuffleUp, conv_bn_relu
from sc2_ros.network.seeds.backbones import Backbone

TASKS = ("detection", "segmentation", "classification")


class TopDown(nn.Module):
    """Features at strides 16, 8 and 4 from a backbone's stages (FPN, Lin et al. 2017).

    ::

        stage 4 --1x1--> up --+                      (only where the backbone has it)
        stage 3 --1x1---------+--> 3x3 ----> x16 --> up --+
        stage 2 --1x1-------------------------------------+--> 3x3 --> x8 --pixel shuffle--> x4

    Stride 4 comes from stride 8, so that a network may be split behind its second stage.
    """

    def __init__(self, channels: Sequence[int], width: int) -> None:
        """channels: of the stages from the second on, at strides 8, 16 and perhaps 32."""
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in channels)
        self.smooth16 = conv_bn_relu(width, width, 3)
        self.smooth8 = conv_bn_relu(width, width, 3)
        self.up4 = PixelShuffleUp(width, width)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the stages from the second on -> x16, x8, x4."""
        x8, x16, *deeper = (lateral(x) for lateral, x in zip(self.lateral, features, strict=True))
        for x32 in deeper:
            x16 = x16 + F.interpolate(x32, x16.shape[2:], mode="nearest")
        x16 = self.smooth16(x16)
        x8 = self.smooth8(x8 + F.interpolate(x16, x8.shape[2:], mode="nearest"))
        return x16, x8, self.up4(x8)


class TaskNetwork(nn.Module):
    """Backbone and head of one task: the teacher, and what is left of it behind a bottleneck.

    Outputs, besides the stages' `features`: `heatmap` and `box` (network/heads.py), or `mask`
    (B, classes, H/4, W/4) logits, or `logits` (B, classes).
    """

    def __init__(self, backbone: Backbone, task: str, classes: int, width: int = 64) -> None:
        """task: one of TASKS; classes: of boxes, pixels or images; width: of the neck."""
        super().__init__()
        if task not in TASKS:
            raise ParameterError(f"no task '{task}'; known are {', '.join(TASKS)}")
        self.backbone, self.task, self.classes, self.width = backbone, task, classes, width
        if task == "classification":
            self.classify = nn.Linear(backbone.channels[-1], classes)
            return
        self.neck = TopDown(backbone.channels[1:], width)
        if task == "detection":
            self.detect = DetectionHead(width, classes)
        else:
            self.segment = SegmentationHead((width, width, width), classes)

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
        x16, x8, x4 = self.neck(features[-len(self.neck.lateral) :])
        if self.task == "detection":
            result["heatmap"], result["box"] = self.detect(x4)
        else:
            result["mask"] = self.segment(x16, x8, x4)
        return result

    def latest_split(self) -> int:
        """Behind how many stages it may be split at most."""
        return len(self.backbone.stages) if self.task == "classification" else 2

    def without(self, split: int) -> TaskNetwork:
        """A copy that lacks the first `split` stages."""
        state = torch.get_rng_state()
        rest = TaskNetwork(self.backbone.without(split), self.task, self.classes, self.width)
        torch.set_rng_state(state)
        rest.load_state_dict(self.state_dict(), strict=False)
        return rest
