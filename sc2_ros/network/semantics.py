# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Later blocks of EfficientNet-Lite0 (Tan & Le 2019), which know what ImageNet's pictures show."""

from __future__ import annotations

from typing import cast

from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.network.layers import depthwise

TAKES = 40
"""Channels at stride 8 behind the network's second stage, where these blocks begin."""
MIDDLE = ((80, 3, 2), (80, 3, 1), (80, 3, 1), (112, 5, 1), (112, 5, 1), (112, 5, 1))
DEEP = ((192, 5, 2), (192, 5, 1))
"""Output channels, kernel and stride of its blocks 5 to 10 and of 11 and 12; 13 to 15 are left out:
three of the seven megabytes, for what lies at stride 32."""
_EPS = 1e-3


class InvertedResidual(nn.Module):
    """Expand, depthwise convolution, project (Sandler et al. 2018), with ReLU6.

    Padded as TensorFlow does, on which its weights were trained: with stride 2 more behind than
    before, so that a side of h becomes ceil(h / 2).
    """

    norm_pairs = (("expand", "norm0"), ("depthwise", "norm1"), ("project", "norm2"))

    def __init__(self, cin: int, cout: int, kernel: int, stride: int, ratio: int = 6) -> None:
        """Channels in and out, of a depthwise kernel; ratio: of the channels in between."""
        super().__init__()
        wide, around = cin * ratio, (kernel - stride) // 2
        # Convolutions pad alike on all sides; what TensorFlow has more behind is padded before.
        more = kernel - 1 - 2 * around
        self.padding = (0, more, 0, more)
        self.is_residual = stride == 1 and cin == cout
        self.expand = nn.Conv2d(cin, wide, 1, bias=False)
        self.norm0 = nn.BatchNorm2d(wide, eps=_EPS)
        self.depthwise = nn.Conv2d(wide, wide, kernel, stride, around, groups=wide, bias=False)
        self.norm1 = nn.BatchNorm2d(wide, eps=_EPS)
        self.project = nn.Conv2d(wide, cout, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(cout, eps=_EPS)

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, h, w) -> (B, cout, h, w) or half of it, rounded up."""
        y = F.relu6(self.norm0(self.expand(x)))
        if any(self.padding):
            y = F.pad(y, self.padding)
        y = F.relu6(self.norm1(depthwise(self.depthwise, y)))
        y = self.norm2(self.project(y))
        return x + y if self.is_residual else cast(Tensor, y)


class Semantics(nn.Module):
    """What is seen in features of stride 8, by blocks that stay as they were trained elsewhere.

    ::

        x8 --1x1--> as behind EfficientNet's second stage --6 blocks--> stride 16 --2 blocks--> 32
                                                                 |                       |
                                              1x1, and what is added to x16 <-- 1x1, up -+

    The blocks are frozen: a few hundred images would have them forget what millions taught them.
    The 1x1 that feeds them learns what they expect, from a teacher's features at that place.
    """

    def __init__(self, x8: int, x16: int) -> None:
        """Channels of the features that it reads and of those that it adds to."""
        super().__init__()
        self.imitate = nn.Conv2d(x8, TAKES, 1)
        self.middle = _blocks(TAKES, MIDDLE)
        self.deep = _blocks(MIDDLE[-1][0], DEEP)
        self.say16 = nn.Conv2d(MIDDLE[-1][0], x16, 1, bias=False)
        self.say32 = nn.Conv2d(DEEP[-1][0], x16, 1, bias=False)
        for say in (self.say16, self.say32):  # at first it says nothing
            nn.init.zeros_(say.weight)
        for blocks in (self.middle, self.deep):
            blocks.requires_grad_(False)

    def train(self, mode: bool = True) -> Semantics:
        """The frozen blocks keep their statistics."""
        super().train(mode)
        self.middle.eval()
        self.deep.eval()
        return self

    def forward(self, x8: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """(B, x8, 2h, 2w) -> what to add to x16 (B, x16, h, w), and what a teacher has there too.

        That is what the blocks are fed with (B, 40, 2h, 2w), and `middle` of it (B, 112, h, w).
        """
        imitated = self.imitate(x8)
        middle = self.middle(imitated)
        deep = self.say32(self.deep(middle)).repeat_interleave(2, 2).repeat_interleave(2, 3)
        deep = deep[..., : middle.shape[2], : middle.shape[3]]
        return self.say16(middle) + deep, (imitated, middle)


def _blocks(cin: int, shapes: tuple[tuple[int, int, int], ...]) -> nn.Sequential:
    widths = (cin, *(shape[0] for shape in shapes))
    return nn.Sequential(*(InvertedResidual(widths[n], *shape) for n, shape in enumerate(shapes)))


def weights_from(stages: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of `middle` and `deep` from those of split/efficientnet.py's stages (N.M.NAME)."""
    names = {
        "_expand_conv": "expand", "_bn0": "norm0", "_depthwise_conv.conv": "depthwise",
        "_bn1": "norm1", "_project_conv": "project", "_bn2": "norm2",
    }  # fmt: skip
    found = {}
    for key, value in stages.items():
        stage, block, rest = key.split(".", 2)
        part, _, leaf = rest.rpartition(".")
        if stage == "2" or (stage == "3" and int(block) < len(DEEP)):
            place = "middle" if stage == "2" else "deep"
            found[f"{place}.{block}.{names[part]}.{leaf}"] = value
    return found
