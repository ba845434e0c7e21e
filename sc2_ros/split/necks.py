# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From a backbone's stages to features at strides 16, 8 and 4, which the heads read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.network.backbone import GroundBackbone
from sc2_ros.network.layers import PixelShuffleUp, conv_bn_relu
from sc2_ros.split.backbones import OWN, Backbone


class Neck(nn.Module):
    """What the heads' features are made of.

    `takes`: how many of the backbone's last stages it reads; `channels`: of x16, x8 and x4.
    """

    takes: int
    channels: tuple[int, int, int]


class TopDown(Neck):
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
        self.takes = len(channels)
        self.channels = (width, width, width)
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


class LatentNeck(Neck):
    """Our own ground backbone behind our own encoder, with nothing between them.

    ::

        stage 3, H/16 --1x1--> latent --GroundBackbone--> x16, x8, x4
    """

    def __init__(self, cin: int, channels: int = 64) -> None:
        """cin: of the last stage; channels: of the latent."""
        super().__init__()
        self.takes = 1
        self.project = nn.Conv2d(cin, channels, 1)
        self.synthesis = GroundBackbone(channels)
        self.channels = self.synthesis.widths

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Features of the last stage -> x16, x8, x4."""
        latent = self.project(features[0])
        found = self.synthesis(latent, torch.ones_like(latent[:, :1]))
        return cast(tuple[Tensor, Tensor, Tensor], found)


def build_neck(backbone: Backbone, width: int) -> Neck:
    """The neck that suits a backbone; width: of a TopDown."""
    if backbone.kind == OWN:
        return LatentNeck(backbone.channels[-1])
    return TopDown(backbone.channels[1:], width)
