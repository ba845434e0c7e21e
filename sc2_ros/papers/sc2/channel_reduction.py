# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Channel reduction and bottleneck quantisation (CR+BQ), the SC2 benchmark's feature baseline.

Head network distillation's ResNet bottleneck (Matsubara et al., IEEE Access 2020), as in sc2bench's
larger_resnet_bottleneck, with the decoder's width scaled to the backbone's second stage::

    image --7x7/2 64, BN, ReLU, max pool--> BN, ReLU --2x2/2 pad 1--> K     H/8 + 1
    K --four 2x2 convolutions with BN and ReLU, 2x2 average--> C2           H/8: after stage 2
"""

from __future__ import annotations

from torch import nn

from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck, Normalise
from sc2_ros.split.priors import ByteQuantiser


def build(backbone: Backbone, channels: int = 12, levels: int = 256) -> Bottleneck:
    """channels: K, 1 to 12 in the benchmark; levels: of the quantiser, 256 there."""
    target = backbone.channels[1]
    encoder = nn.Sequential(
        Normalise(),
        nn.Conv2d(3, 64, 7, 2, 3, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        nn.Conv2d(64, channels, 2, 2, 1, bias=False),
    )
    layers: list[nn.Module] = [nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]
    cin = channels
    for padding in (1, 1, 0):
        layers += [nn.Conv2d(cin, target, 2, 1, padding, bias=False), nn.BatchNorm2d(target)]
        layers.append(nn.ReLU(inplace=True))
        cin = target
    layers += [nn.Conv2d(target, target, 2, bias=False), nn.AvgPool2d(2, 1)]
    return Bottleneck(
        encoder, ByteQuantiser(channels, levels), nn.Sequential(*layers), split=2, stride=8, cut=-1
    )
