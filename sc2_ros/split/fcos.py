# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Torchvision's FCOS (Tian et al. 2019) on our backbones: a stock detector beside our own head."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, cast

import torch
from torch import Tensor, nn
from torchvision.models.detection import FCOS
from torchvision.models.detection.transform import GeneralizedRCNNTransform
from torchvision.ops import FeaturePyramidNetwork
from torchvision.ops.feature_pyramid_network import LastLevelP6P7

from sc2_ros.errors import ParameterError
from sc2_ros.split.backbones import Backbone

NAME = "fcos"
_GROUPS = 32  # of the head's group norms, which need two values each
_STRIDES = 3  # of the backbone: 8, 16 and 32; two more come on top


class Fcos(nn.Module):
    """A backbone, a feature pyramid at strides 8 to 128, and torchvision's head and loss.

    Nothing is resized; classes count from 0, and there is none for the background.
    """

    def __init__(self, backbone: Backbone, classes: int, width: int = 96) -> None:
        """width: channels of pyramid and head, 64 or more; torchvision's own have 256.

        Raises ParameterError for another width, or a backbone that does not reach stride 32.
        """
        super().__init__()
        if width % _GROUPS or width < 2 * _GROUPS:
            raise ParameterError(f"width {width} of fcos; give a multiple of 32, 64 at least")
        if len(backbone.channels) <= _STRIDES:
            raise ParameterError(
                f"fcos needs a backbone with four stages, to stride 32; this one has "
                f"{len(backbone.channels)}: use efficientnet-lite0 or resnet:32-64-128-256:1-1-1-1"
            )
        self.detector = FCOS(
            _Pyramid(backbone, width),
            classes,
            score_thresh=0.01,
            detections_per_img=300,
        )
        self.detector.transform = _AsItIs(0, 0, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0])

    def forward(
        self, image: Tensor, targets: list[dict[str, Tensor]] | None = None
    ) -> dict[str, Tensor] | list[dict[str, Tensor]]:
        """Images (B, 3, H, W) in [0, 1] -> an image's boxes (N, 4) xyxy px, scores and labels (N,).

        With targets, boxes and labels of each image, and in training: the losses by name.
        """
        found: Any = self.detector(list(image), targets)
        return cast("dict[str, Tensor] | list[dict[str, Tensor]]", found)


class _AsItIs(GeneralizedRCNNTransform):
    """Images keep their size, and the backbone normalises them."""

    def resize(
        self, image: Tensor, target: dict[str, Tensor] | None = None
    ) -> tuple[Tensor, dict[str, Tensor] | None]:
        return image, target


class _Pyramid(nn.Module):
    """Images (B, 3, H, W), sides multiples of 32 -> features of `width` channels by level."""

    def __init__(self, backbone: Backbone, width: int) -> None:
        super().__init__()
        self.backbone = backbone
        self.out_channels = width  # FCOS asks for it
        self.pyramid = FeaturePyramidNetwork(
            list(backbone.channels[-_STRIDES:]), width, LastLevelP6P7(width, width)
        )

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        stages = self.backbone(image)[-_STRIDES:]
        named = OrderedDict((str(number), stage) for number, stage in enumerate(stages))
        levels: dict[str, Tensor] = self.pyramid(named)
        return levels


def targets_of(boxes: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """An image's boxes (N, 4) and labels (N,) as torchvision wants them, without empty boxes."""
    whole = (boxes[:, 2:] > boxes[:, :2]).all(1)
    return {"boxes": boxes[whole].to(torch.float32), "labels": labels[whole]}
