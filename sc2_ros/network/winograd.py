# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""3x3 convolutions with fewer multiplications, for CPUs that have AVX2 and no wider vectors.

Winograd's algorithm (Lavin and Gray 2016) makes a tile of 6x6 outputs from 8x8 inputs with 64
multiplications instead of 324. NNPACK, which PyTorch brings along and no longer calls by itself,
does that with AVX2: the whole ground network takes 0.63 of the time that oneDNN's direct
convolutions take (two cores of an EPYC of 2017). Where there is AVX-512, those are as quick. The
tiles take memory: 30 MB at 640x512, 250 at 1920x1088.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_LEAST_CHANNELS = 16
"""With fewer, transforming the tiles takes longer than it saves."""


class WinogradConv2d(nn.Conv2d):
    """A 3x3 convolution with stride 1 on the CPU, in float32; for inference."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, H, W), contiguous -> (B, cout, H, W); by 1e-5 of the values beside Conv2d's."""
        return torch._nnpack_spatial_convolution(x, self.weight, self.bias, padding=1)


def are_there() -> bool:
    """Whether this PyTorch and CPU have these convolutions; being asked makes NNPACK ready."""
    # Neither name is promised by PyTorch.
    known = hasattr(torch, "_nnpack_spatial_convolution") and hasattr(torch, "_nnpack_available")
    return known and torch._nnpack_available()


def pays(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether these convolutions are there and the quicker ones, on this machine."""
    if device.type != "cpu" or dtype is not torch.float32:
        return False
    return torch.backends.cpu.get_cpu_capability() == "AVX2" and are_there()


def use(network: nn.Module) -> nn.Module:
    """Let all 3x3 convolutions of a network go this way, in place; it wants contiguous tensors."""
    are_there()  # what makes NNPACK ready
    network.to(memory_format=torch.contiguous_format)
    for module in network.modules():
        if type(module) is nn.Conv2d and _fits(module):
            module.__class__ = WinogradConv2d
    return network


def _fits(conv: nn.Conv2d) -> bool:
    shape = (conv.kernel_size, conv.stride, conv.padding, conv.dilation)
    return (
        shape == ((3, 3), (1, 1), (1, 1), (1, 1))
        and conv.groups == 1
        and conv.padding_mode == "zeros"
        and min(conv.in_channels, conv.out_channels) >= _LEAST_CHANNELS
    )
