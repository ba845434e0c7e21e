# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground's synthesis transform and feature pyramid."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.network.layers import PixelShuffleUp, Residual, conv_bn_relu
from sc2_ros.network.semantics import Semantics


class GroundBackbone(nn.Module):
    """From received latents back to features at strides 16, 8 and 4.

    ::

        latent (B, C, h, w) ++ received (B, 1, h, w)
          | 3x3, residual blocks            (B, 128, h,  w)    stride 16
          | pixel shuffle, residual blocks  (B, 96, 2h, 2w)    stride 8
          | pixel shuffle, residual blocks  (B, 64, 4h, 4w)    stride 4, for 10-pixel objects

    With semantics (semantics.py), which read x8, a block more each mixes what they say into x16,
    and x16 into x8.
    """

    def __init__(
        self,
        channels: int = 64,
        widths: tuple[int, int, int] = (128, 96, 64),
        depths: tuple[int, int, int] = (3, 2, 1),
        *,
        semantics: bool = False,
    ) -> None:
        """channels: latent channels C; widths, depths: channels and blocks at strides 16, 8, 4."""
        super().__init__()
        self.widths, self.depths = widths, depths
        self.semantics = Semantics(widths[1], widths[0]) if semantics else None
        if semantics:
            self.mix16, self.mix8 = Residual(widths[0]), Residual(widths[1])
            self.lower = nn.Conv2d(widths[0], widths[1], 1, bias=False)
            nn.init.zeros_(self.lower.weight)
        self.enter = conv_bn_relu(channels + 1, widths[0], 3)
        self.blocks16 = nn.Sequential(*(Residual(widths[0]) for _ in range(depths[0])))
        self.up8 = PixelShuffleUp(widths[0], widths[1])
        self.blocks8 = nn.Sequential(*(Residual(widths[1]) for _ in range(depths[1])))
        self.up4 = PixelShuffleUp(widths[1], widths[2])
        self.blocks4 = nn.Sequential(*(Residual(widths[2]) for _ in range(depths[2])))

    def forward(self, latent: Tensor, received: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features at stride 16, 8, 4."""
        return self.features(latent, received)[:3]

    def features(
        self, latent: Tensor, received: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, tuple[Tensor, ...]]:
        """Features at stride 16, 8, 4, and those of the semantics that a teacher has too."""
        x16 = self.blocks16(self.enter(torch.cat((latent, received), 1)))
        x8 = self.blocks8(self.up8(x16))
        imitated: tuple[Tensor, ...] = ()
        if self.semantics is not None:
            said, imitated = self.semantics(x8)
            x16 = self.mix16(x16 + said)
            x8 = self.mix8(x8 + F.interpolate(self.lower(x16), scale_factor=2.0, mode="nearest"))
        return x16, x8, self.blocks4(self.up4(x8)), imitated
