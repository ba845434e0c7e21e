# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Building blocks that the encoder and the ground network share."""

import itertools
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def conv_bn_relu(cin: int, cout: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU: (B, cin, H, W) -> (B, cout, H/stride, W/stride).

    A kernel as large as its stride is a patch embedding and gets no padding.
    """
    padding = 0 if kernel == stride else kernel // 2
    return nn.Sequential(
        nn.Conv2d(cin, cout, kernel, stride, padding, bias=False),
        nn.BatchNorm2d(cout),
        nn.ReLU(inplace=True),
    )


def depthwise(conv: nn.Module, x: Tensor) -> Tensor:
    """A depthwise convolution of x, which CPUs train in float32.

    oneDNN's bf16 depthwise backward is twice as slow (13 against 7 ms measured).
    """
    if conv.training and x.device.type == "cpu":
        with torch.autocast("cpu", enabled=False):
            return cast(Tensor, conv(x.float()))
    return cast(Tensor, conv(x))


class StridedPointwise(nn.Conv2d):
    """A 1x1 convolution of every second position.

    `nn.Conv2d(cin, cout, 1, 2)` says the same, but its backward on a CPU writes past the end of
    oneDNN's buffer where channels come last and are fewer than a register holds (oneDNN issue 6035,
    torch 2.15: fp32 below 8 channels with AVX2, bf16 with 3).
    """

    def __init__(self, cin: int, cout: int, *, bias: bool = True) -> None:
        """Channels in and out."""
        super().__init__(cin, cout, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, H, W) -> (B, cout, H/2, W/2)."""
        return super().forward(x[..., ::2, ::2])


class DepthwiseResidual(nn.Module):
    """x + pointwise(ReLU(depthwise 5x5(x))): spatial mixing for a few MACs per pixel."""

    norm_pairs = (("depthwise", "norm1"), ("pointwise", "norm2"))

    def __init__(self, channels: int) -> None:
        """Same number of channels in and out."""
        super().__init__()
        self.depthwise = nn.Conv2d(channels, channels, 5, 1, 2, groups=channels, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.pointwise = nn.Conv2d(channels, channels, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        mixed = depthwise(self.depthwise, x)
        y = self.norm2(self.pointwise(self.relu(self.norm1(mixed))))
        y += x
        return self.relu(y)


class Residual(nn.Module):
    """Basic residual block of two 3x3 convolutions (He et al. 2016, Fig. 2)."""

    norm_pairs = (("conv1", "norm1"), ("conv2", "norm2"))

    def __init__(self, channels: int) -> None:
        """Same number of channels in and out; the last batch norm starts at zero (identity)."""
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm2.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, H, W)."""
        y = self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x)))))
        y += x
        return self.relu(y)


class PixelShuffleUp(nn.Module):
    """Twice the resolution by a 1x1 convolution and pixel shuffle (Shi et al. 2016)."""

    norm_pairs = (("conv", "norm"),)

    def __init__(self, cin: int, cout: int) -> None:
        """Cin channels in, cout channels out at twice the resolution."""
        super().__init__()
        self.conv = nn.Conv2d(cin, 4 * cout, 1, bias=False)
        self.norm = nn.BatchNorm2d(4 * cout)
        self.shuffle = nn.PixelShuffle(2)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, H, W) -> (B, cout, 2H, 2W)."""
        return self.relu(self.shuffle(self.norm(self.conv(x))))


def fold_batch_norm(network: nn.Module) -> nn.Module:
    """Fold every batch norm into the convolution before it, in place; for inference only.

    A module names its pairs in `norm_pairs`; in a Sequential they are neighbours.
    """
    for module in list(network.modules()):
        pairs: tuple[tuple[str, str], ...] = getattr(module, "norm_pairs", ())
        if isinstance(module, nn.Sequential):
            names = list(module._modules)
            pairs = tuple(itertools.pairwise(names))
        for before, after in pairs:
            conv, norm = getattr(module, before), getattr(module, after)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, before, fuse_conv_bn_eval(conv, norm))
                setattr(module, after, nn.Identity())
    return network
