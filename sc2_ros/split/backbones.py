# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ground backbones cut into stages, so that a bottleneck can stand in for the first ones."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
import torchvision
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock

from sc2_ros.errors import InputError, ParameterError
from sc2_ros.network.encoder import INPUT_SCALE, INPUT_SHIFT, OnboardEncoder
from sc2_ros.network.layers import DepthwiseResidual, StridedPointwise
from sc2_ros.split import efficientnet

DEFAULT = "resnet:64-128-256:2-2-2"
OWN = "sc2_ros"
IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


class Backbone(nn.Module):
    """Stages in a row; the first includes the stem and ends at stride 4, each other halves.

    ::

        image (B, 3, H, W) -> stage 1 (B, C1, H/4, W/4) -> stage 2 (B, C2, H/8, W/8) -> ...
        |-------- head(image, split=1) --------------|------- tail(x, split=1) ------------>
    """

    mean: Tensor
    std: Tensor
    kind = "resnet"  # whose neck it gets (necks.py)

    def __init__(
        self, stages: Sequence[nn.Module], channels: Sequence[int], *, channels_last: bool = False
    ) -> None:
        """channels: of each stage's output; channels_last: whether stages pass (B, H, W, C)."""
        super().__init__()
        self.stages = nn.ModuleList(stages)
        self.channels = tuple(channels)
        self.channels_last = channels_last
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(1, 3, 1, 1), persistent=False)

    def head(self, image: Tensor, split: int) -> Tensor:
        """Image (B, 3, H, W) in [0, 1] -> output (B, C, h, w) of the first `split` stages."""
        x = (image - self.mean) / self.std
        for stage in list(self.stages)[:split]:
            x = stage(x)
        return x.permute(0, 3, 1, 2) if self.channels_last else x

    def tail(self, x: Tensor, split: int) -> list[Tensor]:
        """Output of the first `split` stages -> outputs of stages split, split + 1, ... (NCHW)."""
        outputs = [x]
        x = x.permute(0, 2, 3, 1) if self.channels_last else x
        for stage in list(self.stages)[split:]:
            x = stage(x)
            outputs.append(x.permute(0, 3, 1, 2) if self.channels_last else x)
        return outputs

    def forward(self, image: Tensor) -> list[Tensor]:
        """Image (B, 3, H, W) in [0, 1] -> the output of every stage, (B, C_i, H/2^(i+1), ...)."""
        return self.tail(self.head(image, 1), 1)

    def without(self, split: int) -> Backbone:
        """A copy that lacks the first `split` stages: what the ground needs behind a bottleneck."""
        rest = copy.deepcopy(self)
        for number in range(split):
            rest.stages[number] = nn.Identity()
        return rest


class BackboneHead(nn.Module):
    """The first stages alone, as a module: what flies where a backbone is split late."""

    def __init__(self, backbone: Backbone, split: int) -> None:
        """A copy of the stages, so that the backbone can go on without them."""
        super().__init__()
        self.split = split
        self.backbone = copy.deepcopy(backbone)
        self.backbone.stages = self.backbone.stages[:split]

    def forward(self, image: Tensor) -> Tensor:
        """(B, 3, H, W) in [0, 1] -> (B, C, h, w)."""
        return self.backbone.head(image, self.split)


def build_backbone(spec: str = DEFAULT, *, pretrained: bool = False) -> Backbone:
    """A backbone by its specification.

    Args:
        spec: "resnet:WIDTHS:DEPTHS", as resnet:64-128-256:2-2-2 (basic blocks, He et al. 2016),
            "torchvision:NAME" with a ResNet, Swin or ConvNeXt of torchvision, "efficientnet-lite0",
            or "sc2_ros", our own onboard encoder as three stages.
        pretrained: ImageNet weights: torchvision downloads them, those of efficientnet-lite0 are
            a package.

    Raises:
        ParameterError: the specification is not understood, or its package is not installed.
        InputError: the weights cannot be downloaded.
    """
    kind, _, rest = spec.partition(":")
    if spec == OWN:
        return OwnTrunk()
    if spec == efficientnet.NAME:
        backbone = Backbone(efficientnet.stages(pretrained=pretrained), efficientnet.CHANNELS)
        backbone.mean.fill_(efficientnet.MEAN)
        backbone.std.fill_(efficientnet.STD)
        return backbone
    if kind == "torchvision" and rest:
        return _torchvision(rest, pretrained)
    try:
        if kind != "resnet":
            raise ValueError
        widths, depths = ([int(n) for n in part.split("-")] for part in rest.split(":"))
        if len(widths) != len(depths) or len(widths) < 2 or min(*widths, *depths) < 1:
            raise ValueError
    except ValueError:
        raise ParameterError(
            f"backbone '{spec}' is none: use {DEFAULT}, torchvision:resnet18 or {OWN}, as examples"
        ) from None
    return _resnet(widths, depths)


class OwnTrunk(Backbone):
    """Our onboard encoder before its latent: stages at strides 4, 8 and 16."""

    kind = OWN

    def __init__(self) -> None:
        """Of the shipped checkpoint's shape, untrained."""
        encoder = OnboardEncoder()
        layers = list(encoder.body)
        starts = [n for n, layer in enumerate(layers) if not isinstance(layer, DepthwiseResidual)]
        ends = [*starts[1:], len(layers)]
        stages = [nn.Sequential(*layers[a:b]) for a, b in zip(starts, ends, strict=True)]
        super().__init__(stages, [stage[0][0].out_channels for stage in stages])
        self.mean.fill_(-INPUT_SHIFT / INPUT_SCALE)
        self.std.fill_(1 / INPUT_SCALE)


def _resnet(widths: list[int], depths: list[int]) -> Backbone:
    stem = nn.Sequential(
        nn.Conv2d(3, widths[0], 7, 2, 3, bias=False),
        nn.BatchNorm2d(widths[0]),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(3, 2, 1),
    )
    stages: list[nn.Module] = []
    cin = widths[0]
    for number, (width, depth) in enumerate(zip(widths, depths, strict=True)):
        stride = 1 if number == 0 else 2
        layers: list[nn.Module] = [stem] if number == 0 else []
        for block in range(depth):
            step = stride if block == 0 else 1
            shortcut = None
            if step != 1:
                shortcut = nn.Sequential(
                    StridedPointwise(cin, width, bias=False), nn.BatchNorm2d(width)
                )
            layers.append(BasicBlock(cin, width, step, shortcut))
            cin = width
        stages.append(nn.Sequential(*layers))
    return Backbone(stages, widths)


def _torchvision(name: str, pretrained: bool) -> Backbone:
    families = ("resnet", "wide_resnet", "resnext", "swin", "convnext")
    if name not in torchvision.models.list_models(torchvision.models):
        raise ParameterError(f"torchvision has no model '{name}'")
    if not name.startswith(families):
        raise ParameterError(f"cannot split torchvision:{name}; known are {', '.join(families)}")
    try:
        model: Any = torchvision.models.get_model(name, weights="DEFAULT" if pretrained else None)
    except OSError as error:
        raise InputError(
            f"cannot download the weights of torchvision:{name} ({error}); "
            "set pretrained: false, or run once where there is internet"
        ) from error
    if name.startswith(("swin", "convnext")):
        parts = list(model.features)  # stem, stage 1, then pairs of downsampling and stage
        stages = [nn.Sequential(*parts[i : i + 2]) for i in range(0, len(parts), 2)]
        swin = name.startswith("swin")
        return Backbone(stages, _widths(stages, swin), channels_last=swin)
    stem = nn.Sequential(model.conv1, model.bn1, model.relu, model.maxpool)
    stages = [nn.Sequential(stem, model.layer1), model.layer2, model.layer3, model.layer4]
    return Backbone(stages, _widths(stages, False))


@torch.no_grad()
def _widths(stages: Sequence[nn.Module], channels_last: bool) -> list[int]:
    """Channels of each stage's output, found by a tiny image."""
    widths = []
    x = torch.zeros(1, 3, 64, 64)
    for stage in stages:
        training = stage.training
        x = stage.eval()(x)
        stage.train(training)
        widths.append(x.shape[-1 if channels_last else 1])
    return widths
