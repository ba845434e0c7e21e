# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our own onboard encoder as a bottleneck like the papers', to compare encoders and nothing else.

One rate per network, a factorised prior and no lost packets: what sc2_ros adds to that (gains for
every rate, contexts, slices) is left out, the training is the Entropic Student's.

::

    image --OnboardEncoder--> (B, C, H/16, W/16) --3x3, residual block, pixel shuffle--> H/8
"""

from __future__ import annotations

from torch import nn

from sc2_ros.network.encoder import STRIDE, OnboardEncoder
from sc2_ros.network.layers import PixelShuffleUp, Residual, conv_bn_relu
from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.priors import FactorisedPrior


def build(backbone: Backbone, channels: int = 64, width: int = 128) -> Bottleneck:
    """channels: of the latent; width: of the decoder at stride 16."""
    target = backbone.channels[1]
    decoder = nn.Sequential(
        conv_bn_relu(channels, width, 3),
        Residual(width),
        PixelShuffleUp(width, target),
        nn.Conv2d(target, target, 3, 1, 1),
    )
    return Bottleneck(
        OnboardEncoder(channels), FactorisedPrior(channels), decoder, split=2, stride=STRIDE
    )
