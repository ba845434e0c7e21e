# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entropic Student: Matsubara, Yang, Levorato, Mandt, WACV 2022 (arXiv:2108.11898), section 4.1.

::

    image --5x5/2--> 96, GDN --5x5/2--> 48, GDN --2x2--> 24         H/4 - 1
    24 --2x2 pad 1--> 2C, IGDN --2x2--> C, IGDN --2x2 pad 1--> C    H/4: after stage 1

The layers are those of sc2bench's FPBasedResNetBottleneck (simplified GDN, no biases).
"""

from __future__ import annotations

from compressai.layers import GDN1
from torch import nn

from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck, Normalise
from sc2_ros.split.priors import FactorisedPrior

STRIDE, CUT = 4, 1


def encoder(channels: int = 24) -> nn.Sequential:
    """(B, 3, H, W) -> (B, channels, H/4 - 1, W/4 - 1)."""
    return nn.Sequential(
        Normalise(),
        nn.Conv2d(3, 4 * channels, 5, 2, 2, bias=False),
        GDN1(4 * channels),
        nn.Conv2d(4 * channels, 2 * channels, 5, 2, 2, bias=False),
        GDN1(2 * channels),
        nn.Conv2d(2 * channels, channels, 2, bias=False),
    )


def decoder(channels: int, target: int) -> nn.Sequential:
    """(B, channels, H/4 - 1, W/4 - 1) -> (B, target, H/4, W/4)."""
    return nn.Sequential(
        nn.Conv2d(channels, 2 * target, 2, 1, 1, bias=False),
        GDN1(2 * target, inverse=True),
        nn.Conv2d(2 * target, target, 2, bias=False),
        GDN1(target, inverse=True),
        nn.Conv2d(target, target, 2, 1, 1, bias=False),
    )


def build(backbone: Backbone, channels: int = 24) -> Bottleneck:
    """The paper's bottleneck; channels: of the latent, 24 in the paper."""
    return Bottleneck(
        encoder(channels),
        FactorisedPrior(channels),
        decoder(channels, backbone.channels[0]),
        split=1,
        stride=STRIDE,
        cut=CUT,
    )
