# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Heads of the ground network: detection, segmentation, preview."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.network.layers import PixelShuffleUp, Residual, conv_bn_relu

CELL = 4  # pixels of the encoded image per output cell of boxes and masks
PREVIEW_CELL = 2  # the same of the preview


class DetectionHead(nn.Module):
    """Anchor-free detection at stride 4 (CenterNet, Zhou et al. 2019; TTFNet, Liu et al. 2020)."""

    def __init__(self, channels: int, classes: int, width: int = 96) -> None:
        """channels: of the stride-4 features; classes: heatmaps."""
        super().__init__()
        self.tower = conv_bn_relu(channels, width, 3)
        self.heatmap = nn.Conv2d(width, classes, 1)
        self.box = nn.Conv2d(width, 4, 1)
        nn.init.constant_(self.heatmap.bias, -4.6)
        nn.init.normal_(self.heatmap.weight, std=0.01)
        nn.init.constant_(self.box.bias, 0.0)

    def forward(self, x4: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, H/4, W/4) -> heatmap logits (B, classes, ...), ltrb px (B, 4, ...)."""
        x = self.tower(x4)
        dx, dy, log_w, log_h = self.box(x).float().unbind(1)
        half_w = 8.0 * torch.exp(log_w.clamp(-4, 4))
        half_h = 8.0 * torch.exp(log_h.clamp(-4, 4))
        dx, dy = dx * CELL, dy * CELL
        box = torch.stack((half_w - dx, half_h - dy, half_w + dx, half_h + dy), 1)
        return self.heatmap(x), box


class SegmentationHead(nn.Module):
    """Class logits at stride 4 from all three strides.

    ::

        x16 --1x1--> up --+
        x8  --3x3---------+--> residual block --> pixel shuffle --+
        x4  --1x1-------------------------------------------------+--> 3x3 --> logits
    """

    def __init__(
        self, channels: tuple[int, int, int], classes: int, widths: tuple[int, int] = (64, 32)
    ) -> None:
        """channels: of the features at strides 16, 8 and 4; widths: inside, at strides 8 and 4."""
        super().__init__()
        self.wide = conv_bn_relu(channels[0], widths[0], 1)
        self.middle = conv_bn_relu(channels[1], widths[0], 3)
        self.mix = Residual(widths[0])
        self.up = PixelShuffleUp(widths[0], widths[1])
        self.fine = conv_bn_relu(channels[2], widths[1], 1)
        self.tower = conv_bn_relu(widths[1], widths[1], 3)
        self.classify = nn.Conv2d(widths[1], classes, 1)

    def forward(self, x16: Tensor, x8: Tensor, x4: Tensor) -> Tensor:
        """Features (B, C, H/16 | H/8 | H/4, ...) -> logits (B, classes, H/4, W/4)."""
        x = self.middle(x8) + F.interpolate(self.wide(x16), scale_factor=2.0, mode="nearest")
        x = self.up(self.mix(x)) + self.fine(x4)
        return self.classify(self.tower(x))


class PreviewHead(nn.Module):
    """A picture at stride 2, so that the operator sees what the boxes lie on.

    Colours come from the latents themselves, edges also from the backbone's features::

        latent ++ received --3x3, residual block--> up --+
        x8 --1x1-----------------------------------------+--> residual block --> up --+
        x4 --1x1----------------------------------------------------------------------+
                                    picture <-- pixel shuffle <-- 3x3 <-- 3x3 --------+
    """

    def __init__(
        self,
        channels: int,
        features: tuple[int, int],
        widths: tuple[int, int, int] = (96, 48, 32),
    ) -> None:
        """channels: latent channels C; features: of x8 and x4; widths: at strides 16, 8 and 4."""
        super().__init__()
        self.enter = conv_bn_relu(channels + 1, widths[0], 3)
        self.coarse = Residual(widths[0])
        self.up8 = PixelShuffleUp(widths[0], widths[1])
        self.beside8 = conv_bn_relu(features[0], widths[1], 1)
        self.middle = Residual(widths[1])
        self.up4 = PixelShuffleUp(widths[1], widths[2])
        self.beside4 = conv_bn_relu(features[1], widths[2], 1)
        self.fine = conv_bn_relu(widths[2], widths[2], 3)
        self.paint = nn.Conv2d(widths[2], 3 * (CELL // PREVIEW_CELL) ** 2, 3, 1, 1)
        self.shuffle = nn.PixelShuffle(CELL // PREVIEW_CELL)

    def forward(self, latent: Tensor, received: Tensor, x8: Tensor, x4: Tensor) -> Tensor:
        """Latent (B, C, h, w), received (B, 1, h, w), features (B, ..., 2h, 2w | 4h, 4w).

        Returns the picture (B, 3, 8h, 8w) in [0, 1].
        """
        x = self.up8(self.coarse(self.enter(torch.cat((latent, received), 1))))
        x = self.up4(self.middle(x + self.beside8(x8)))
        return self.shuffle(self.paint(self.fine(x + self.beside4(x4)))).sigmoid()
