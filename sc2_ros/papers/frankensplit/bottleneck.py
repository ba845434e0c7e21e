# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FrankenSplit: Furutanpey, Raith, Dustdar, IEEE TMC 2024 (arXiv:2302.10681), section 5.

One encoder for every backbone, a decoder per kind of backbone::

    image --residual/2 48--> --residual/2 64--> --residual/2 48--> latent       H/8
    latent --decoder of the backbone's own blocks--> C2                         H/8: after stage 2

The paper's names: SVBI-bottleneck, blueprints. Encoder: QuantizableSimpleAnalysisNetwork2 of the
authors' code (ReLU, no normalisation), decoders with a residual connection over the blocks.
"""

from __future__ import annotations

from functools import partial
from typing import cast

from torch import Tensor, nn
from torchvision.models.convnext import CNBlock
from torchvision.models.resnet import BasicBlock
from torchvision.models.swin_transformer import SwinTransformerBlock

from sc2_ros.errors import ParameterError
from sc2_ros.network.layers import StridedPointwise
from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck, Normalise
from sc2_ros.split.priors import FactorisedPrior

BLUEPRINTS = ("resnet", "swin", "convnext")


class StridedResidual(nn.Module):
    """3x3/2, ReLU, 3x3, and a 1x1/2 around them."""

    def __init__(self, cin: int, cout: int) -> None:
        """Cin channels in, cout out at half the resolution."""
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, 2, 1)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1)
        self.skip = StridedPointwise(cin, cout)

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, H, W) -> (B, cout, H/2, W/2)."""
        return cast(Tensor, self.conv2(self.relu(self.conv1(x))) + self.skip(x))


class BlueprintDecoder(nn.Module):
    """1x1 to the target's width, then blocks as the backbone has them (the inductive bias)."""

    def __init__(self, channels: int, target: int, blueprint: str, depth: int = 2) -> None:
        """blueprint: one of BLUEPRINTS; depth: blocks."""
        super().__init__()
        if blueprint not in BLUEPRINTS:
            raise ParameterError(
                f"no decoder blueprint '{blueprint}'; known are {', '.join(BLUEPRINTS)}"
            )
        self.expand = nn.Conv2d(channels, target, 1)
        self.channels_last = blueprint == "swin"
        if blueprint == "swin":
            blocks: list[nn.Module] = [
                SwinTransformerBlock(target, max(target // 32, 1), [7, 7], [3 * (n % 2)] * 2)
                for n in range(depth)
            ]
        else:
            kind = (
                BasicBlock
                if blueprint == "resnet"
                else partial(CNBlock, layer_scale=1e-2, stochastic_depth_prob=0.0)
            )
            make = partial(kind, target, target) if blueprint == "resnet" else partial(kind, target)
            blocks = [make() for _ in range(depth)]
        self.blocks = nn.Sequential(*blocks)
        self.project = nn.Conv2d(target, target, 1)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, target, h, w)."""
        x = self.expand(latent)
        if self.channels_last:
            y = self.blocks(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
        else:
            y = self.blocks(x)
        return cast(Tensor, self.project(y + x))


def encoder(channels: int = 48, widths: tuple[int, int] = (48, 64)) -> nn.Sequential:
    """(B, 3, H, W) -> (B, channels, H/8, W/8)."""
    return nn.Sequential(
        Normalise(),
        StridedResidual(3, widths[0]),
        StridedResidual(widths[0], widths[1]),
        StridedResidual(widths[1], channels),
    )


def build(backbone: Backbone, channels: int = 48, blueprint: str = "resnet") -> Bottleneck:
    """channels: of the latent, 48 in the paper; blueprint: kind of the decoder's blocks."""
    return Bottleneck(
        encoder(channels),
        FactorisedPrior(channels),
        BlueprintDecoder(channels, backbone.channels[1], blueprint),
        split=2,
        stride=8,
    )
