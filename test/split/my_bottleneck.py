# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bottleneck of one's own: a strided convolution, 4 bits per value, no entropy coding."""

import torch
from torch import nn

from sc2_ros.errors import PacketError
from sc2_ros.split.bottleneck import Bottleneck, Normalise
from sc2_ros.split.priors import Prior


class Nibbles(Prior):
    """Values from -8 to 7, two in a byte."""

    def __init__(self, channels):
        super().__init__()
        self.channels = channels

    def forward(self, latent):
        noisy = latent.float() + torch.rand_like(latent.float()) - 0.5
        return noisy, latent.new_full((len(latent),), 4.0 * latent[0].numel())

    def quantise(self, latent):
        return latent.float().round().clamp(-8, 7)

    def compress(self, latent):
        values = (self.quantise(latent).flatten() + 8).byte()
        pairs = torch.nn.functional.pad(values, (0, len(values) % 2)).view(-1, 2)
        return [bytes((pairs[:, 0] << 4 | pairs[:, 1]).tolist())]

    def decompress(self, strings, size):
        count = self.channels * size[0] * size[1]
        data = torch.tensor(list(strings[0]), dtype=torch.uint8)
        if len(data) != (count + 1) // 2:
            raise PacketError(f"{len(data)} bytes for {count} values")
        values = torch.stack((data >> 4, data & 15), 1).flatten()[:count]
        return values.float().view(1, self.channels, *size) - 8


def build(backbone, channels=8):
    encoder = nn.Sequential(Normalise(), nn.Conv2d(3, channels, 8, 8))
    decoder = nn.Conv2d(channels, backbone.channels[1], 3, 1, 1)
    return Bottleneck(encoder, Nibbles(channels), decoder, split=2, stride=8)
