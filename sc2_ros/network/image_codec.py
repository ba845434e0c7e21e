# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A learned image codec from CompressAI's parts: the neural baseline beside JPEG and HEVC.

Balle et al., "Variational image compression with a scale hyperprior" (2018), the factorised-prior
model, with N = 64 and M = 96 channels; one network serves every quality by gains (Cui et al. 2021,
"Asymmetric gained deep image compression"), with a prior of its own for each.
"""

from __future__ import annotations

import torch
from compressai.entropy_models import EntropyBottleneck
from compressai.layers import GDN
from compressai.models.utils import conv, deconv
from torch import Tensor, nn

STRIDE = 16
LAMBDAS = (0.0004, 0.0010, 0.0025, 0.0067, 0.018)
"""Weights of 255^2 x MSE against bits per pixel, one per quality."""


class FactorisedImageCodec(nn.Module):
    """Image to strings and back.

    ::

        image (B, 3, H, W) --g_a--> y (B, M, H/16, W/16) --x gain--> round, code --/ gain--> g_s
    """

    def __init__(self, width: int = 64, channels: int = 96, qualities: int = len(LAMBDAS)) -> None:
        """width: N, inside; channels: M, of the latent."""
        super().__init__()
        self.analysis = nn.Sequential(
            conv(3, width),
            GDN(width),
            conv(width, width),
            GDN(width),
            conv(width, width),
            GDN(width),
            conv(width, channels),
        )
        self.synthesis = nn.Sequential(
            deconv(channels, width),
            GDN(width, inverse=True),
            deconv(width, width),
            GDN(width, inverse=True),
            deconv(width, width),
            GDN(width, inverse=True),
            deconv(width, 3),
        )
        start = torch.linspace(0.0, 2.5, qualities)
        self.log_gain = nn.Parameter(start[:, None].repeat(1, channels))
        self.priors = nn.ModuleList(
            EntropyBottleneck(channels, init_scale=3) for _ in range(qualities)
        )

    def forward(self, image: Tensor, quality: int) -> tuple[Tensor, Tensor]:
        """Image (B, 3, H, W) in [0, 1], sides multiples of 16 -> (image again, bits per pixel)."""
        latent = self.analysis(image)
        gain = self._gain(quality)
        with torch.autocast(image.device.type, enabled=False):
            noisy, likelihood = self.priors[quality](latent.float() * gain)
            pixels = image.shape[0] * image.shape[2] * image.shape[3]
            bits = -torch.log2(likelihood).sum() / pixels
        return self.synthesis(noisy / gain), bits

    def table_loss(self) -> Tensor:
        """Of the priors' quantiles (CompressAI's auxiliary loss); it moves nothing else."""
        losses = [prior.loss() for prior in self.priors if isinstance(prior, EntropyBottleneck)]
        return torch.stack(losses).sum()

    def update(self) -> None:
        """Make the coding tables from the priors; before `compress` and `decompress`."""
        for prior in self.priors:
            assert isinstance(prior, EntropyBottleneck)
            prior.update(force=True)

    @torch.inference_mode()
    def compress(self, image: Tensor, quality: int) -> bytes:
        """One image (1, 3, H, W), sides multiples of 16, to its string."""
        latent = self.analysis(image) * self._gain(quality)
        strings: list[bytes] = self._prior(quality).compress(latent)
        return strings[0]

    @torch.inference_mode()
    def decompress(self, string: bytes, quality: int, size: tuple[int, int]) -> Tensor:
        """The image (1, 3, H, W) in [0, 1]; size: (H, W)."""
        shape = (size[0] // STRIDE, size[1] // STRIDE)
        latent = self._prior(quality).decompress([string], shape)
        image: Tensor = self.synthesis(latent / self._gain(quality))
        return image.clamp(0, 1)

    def _gain(self, quality: int) -> Tensor:
        return self.log_gain[quality].exp()[None, :, None, None]

    def _prior(self, quality: int) -> EntropyBottleneck:
        prior = self.priors[quality]
        assert isinstance(prior, EntropyBottleneck)
        return prior
