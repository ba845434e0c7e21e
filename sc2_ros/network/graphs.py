# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The networks as they run: from a picture, and to what a station wants of a frame."""

import copy

import torch
from torch import Tensor, nn

_WHITE = 255.0


class OnboardGraph(nn.Module):
    """From a camera's picture to what the codec needs of it."""

    def __init__(self, encoder: nn.Module, saliency: nn.Module | None, dtype: torch.dtype) -> None:
        """encoder: folded (`OnboardEncoder.fold`); neither it nor the head is changed."""
        super().__init__()
        self.encoder = copy.deepcopy(encoder).cpu().float()
        self.saliency = copy.deepcopy(saliency)
        _take_pixels(self.encoder)
        self.to(dtype=dtype, memory_format=torch.contiguous_format)
        self.eval().requires_grad_(False)
        self._dtype = dtype

    def forward(self, image: Tensor) -> tuple[Tensor, ...]:
        """(H, W, 3) uint8, sides multiples of 16 -> latent (C, h, w), and logit (h, w) if known."""
        rows = image.reshape(1, 1, image.shape[0], -1)
        latent = self.encoder(rows.to(self._dtype))
        if self.saliency is None:
            return (latent.float()[0],)
        return latent.float()[0], self.saliency(latent).float()[0, 0]


def _take_pixels(encoder: nn.Module) -> None:
    """Let the first convolution take pixels as they are, 0 to 255, R, G and B side by side.

    Its patches do not overlap: one of k x k pixels is k x 3k numbers of the picture's rows. That
    saves two passes over the picture, one for the scale and one for the planes.
    """
    name, first = next(
        (name, module) for name, module in encoder.named_modules() if isinstance(module, nn.Conv2d)
    )
    high, wide = first.kernel_size
    assert first.bias is not None
    colours = first.in_channels
    rows = nn.Conv2d(1, first.out_channels, (high, colours * wide), (high, colours * wide))
    weight = first.weight.data.permute(0, 2, 3, 1) / _WHITE
    rows.weight.data = weight.reshape(rows.weight.shape).contiguous()
    rows.bias = first.bias
    parent, _, place = name.rpartition(".")
    setattr(encoder.get_submodule(parent), place, rows)


class GroundGraph(nn.Module):
    """The ground network, its outputs in a fixed order."""

    OUTPUTS = ("heatmap", "box", "mask", "preview")

    def __init__(self, ground: nn.Module, dtype: torch.dtype) -> None:
        """ground: folded; it is not changed."""
        super().__init__()
        self.ground = copy.deepcopy(ground).cpu().to(dtype, memory_format=torch.contiguous_format)
        self.eval().requires_grad_(False)
        self._dtype = dtype

    def forward(self, latent: Tensor, received: Tensor) -> tuple[Tensor, ...]:
        """As `GroundNetwork.forward`, float32 in and out."""
        found = self.ground(latent.to(self._dtype), received.to(self._dtype))
        return tuple(found[name].float() for name in self.OUTPUTS)
