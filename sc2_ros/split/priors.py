# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Priors: how likely a latent is in training, and the strings that it becomes at run time.

::

    training   latent -> + U(-1/2, 1/2) -> latent, bits            Balle et al. 2017, eq. 5
    tuning     latent -> round -> latent                           encoder and prior are frozen
    run time   latent -> round -> rANS with integer tables -> bytes -> the same rounded latent
"""

from __future__ import annotations

import math
import struct
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import torch
from compressai.entropy_models import EntropyBottleneck, GaussianConditional
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.codec.entropy.rans import STATE_BYTES, WORD_BYTES
from sc2_ros.errors import PacketError

LARGEST = float(1 << 15)
"""Of a decoded latent's values; those of a trained encoder are a few hundred at most."""
INITIAL_WIDTH = 1.0
"""Of the learned densities. From compressai's 10 they need thousands of steps to narrow."""


class Prior(nn.Module, ABC):
    """A probability model of latents (B, C, h, w), with its entropy coder."""

    strings = 1
    """How many byte strings a latent becomes."""

    @abstractmethod
    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Latent -> (noisy or rounded latent of the same shape, bits (B,)); float32."""

    @abstractmethod
    def quantise(self, latent: Tensor) -> Tensor:
        """The latent as the ground will have it."""

    @abstractmethod
    def compress(self, latent: Tensor) -> list[bytes]:
        """One latent (1, C, h, w) -> `strings` byte strings."""

    @abstractmethod
    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """Byte strings -> quantised latent (1, C, *size). PacketError where they do not fit."""

    def fit(self, latents: Iterable[Tensor]) -> None:
        """Make the coding tables once training is over, from latents (1, C, h, w)."""


class FactorisedPrior(Prior):
    """A learned density per channel (Balle et al. 2018, appendix 6.1), by compressai."""

    def __init__(self, channels: int) -> None:
        """channels: C of the latent."""
        super().__init__()
        self.entropy = EntropyBottleneck(channels, init_scale=INITIAL_WIDTH)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """See Prior."""
        noisy, likelihood = self.entropy(latent.float())
        return noisy, bits(likelihood)

    def quantise(self, latent: Tensor) -> Tensor:
        """See Prior."""
        medians: Tensor = self.entropy.quantiles[:, :, 1:2].detach().view(1, -1, 1, 1)
        return (latent.float() - medians).round() + medians

    def compress(self, latent: Tensor) -> list[bytes]:
        """See Prior."""
        return list(self.entropy.compress(latent.float()))

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """See Prior."""
        symbols = self.entropy.channels * size[0] * size[1]
        return in_range(self.entropy.decompress([guarded(strings[0], symbols)], size))

    def fit(self, latents: Iterable[Tensor]) -> None:
        """Integer tables of the learned densities; needs no latents."""
        self.entropy.update(force=True, update_quantiles=True)


class HyperPrior(Prior):
    """Gaussians whose scales, and means, come from side information.

    Scale hyperprior (Balle et al. 2018), mean-scale (Minnen et al. 2018), with the small
    hypertransforms of the SC2 benchmark (Matsubara et al. 2022): 16 channels, 5x5 kernels.

    ::

        latent y -> h_a -> z -> factorised prior -> z_hat -> h_s -> scales (, means) of y
    """

    strings = 2

    def __init__(self, channels: int, hyper_channels: int = 16, *, means: bool = False) -> None:
        """channels: C of the latent; hyper_channels: of z; means: whether to predict them too."""
        super().__init__()
        n, self.means = hyper_channels, means
        middle = n * 3 // 2 if means else n
        self.h_a = nn.Sequential(
            nn.Conv2d(channels, n, 5, 2, 1, bias=False),
            nn.LeakyReLU(inplace=True) if means else nn.ReLU(inplace=True),
            nn.Conv2d(n, n, 5, 2, 2, bias=False),
        )
        self.h_s = nn.Sequential(
            nn.ConvTranspose2d(n, n, 5, 2, 1, bias=False),
            nn.LeakyReLU(inplace=True),
            nn.ConvTranspose2d(n, middle, 5, 2, 1, bias=False),
            nn.LeakyReLU(inplace=True),
            nn.Conv2d(middle, channels * (2 if means else 1), 5, bias=False),
        )
        self.hyper = FactorisedPrior(n)
        self.gaussian = GaussianConditional(None)

    def _parameters_of(self, z_hat: Tensor, size: tuple[int, int]) -> tuple[Tensor, Tensor | None]:
        side = fit_size(self.h_s(z_hat), size)
        if not self.means:
            return side, None
        scales, means = side.chunk(2, 1)
        return scales, means

    def _analyse(self, latent: Tensor) -> Tensor:
        height, width = (max(side, 3) for side in size_of(latent))  # h_a takes no less
        latent = fit_size(latent, (height, width))
        return cast(Tensor, self.h_a(latent if self.means else latent.abs()))

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """See Prior."""
        latent = latent.float()
        z_hat, z_bits = self.hyper(self._analyse(latent))
        scales, means = self._parameters_of(z_hat, size_of(latent))
        noisy, likelihood = self.gaussian(latent, scales, means)
        return noisy, bits(likelihood) + z_bits

    def quantise(self, latent: Tensor) -> Tensor:
        """See Prior."""
        latent = latent.float()
        if not self.means:
            return latent.round()
        z_hat = self.hyper.quantise(self._analyse(latent))
        _, means = self._parameters_of(z_hat, size_of(latent))
        assert means is not None
        return (latent - means).round() + means

    def compress(self, latent: Tensor) -> list[bytes]:
        """See Prior; the side information first."""
        latent = latent.float()
        z = self._analyse(latent)
        z_strings = self.hyper.compress(z)
        scales, means = self._parameters_of(
            self.hyper.decompress(z_strings, size_of(z)), size_of(latent)
        )
        indexes = self.gaussian.build_indexes(scales)
        return [*z_strings, *self.gaussian.compress(latent, indexes, means)]

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """See Prior."""
        z_size = (hyper_side(size[0]), hyper_side(size[1]))
        scales, means = self._parameters_of(self.hyper.decompress(strings[:1], z_size), size)
        indexes = self.gaussian.build_indexes(scales)
        data = guarded(strings[1], indexes.numel())
        return in_range(self.gaussian.decompress([data], indexes, means=means))

    def fit(self, latents: Iterable[Tensor]) -> None:
        """Integer tables of the side information and of 64 Gaussians; needs no latents."""
        self.hyper.fit(latents)
        table = torch.exp(torch.linspace(math.log(0.11), math.log(256), 64))
        self.gaussian.update_scale_table(table, force=True)


class ByteQuantiser(Prior):
    """Bottleneck quantisation: 8 bits per value between the latent's extremes, no entropy coding.

    Jacob et al. 2018, as the SC2 benchmark quantises the channel-reduced bottleneck (CR+BQ).
    """

    def __init__(self, channels: int, levels: int = 256) -> None:
        """channels: C of the latent; levels: 2 to 256; each value takes a byte."""
        super().__init__()
        self.channels, self.levels = channels, levels

    def _affine(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        low = latent.amin((1, 2, 3), keepdim=True)
        step = (latent.amax((1, 2, 3), keepdim=True) - low) / (self.levels - 1)
        return low, step.clamp(min=1e-8)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """See Prior; the network is trained without quantisation, as in the paper."""
        count = latent[0].numel() * 8.0
        return latent.float(), latent.new_full((len(latent),), count, dtype=torch.float32)

    def quantise(self, latent: Tensor) -> Tensor:
        """See Prior."""
        latent = latent.float()
        low, step = self._affine(latent)
        rounded: Tensor = ((latent - low) / step).round() * step + low
        return rounded

    def compress(self, latent: Tensor) -> list[bytes]:
        """See Prior: lowest value and step as float32, then a byte for each value."""
        latent = latent.float()
        low, step = self._affine(latent)
        symbols = ((latent - low) / step).round().byte().cpu().numpy()
        return [struct.pack("<ff", float(low), float(step)) + symbols.tobytes()]

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """See Prior."""
        data = strings[0]
        shape = (1, self.channels, *size)
        if len(data) != 8 + math.prod(shape):
            raise PacketError(f"{len(data)} bytes for a latent of {shape}")
        low, step = struct.unpack("<ff", data[:8])
        symbols = torch.from_numpy(np.frombuffer(data[8:], np.uint8).astype(np.float32))
        return in_range(symbols.view(shape) * step + low)


def bits(likelihood: Tensor) -> Tensor:
    """Likelihoods (B, ...) -> bits (B,)."""
    return -likelihood.flatten(1).log2().sum(1)


def size_of(x: Tensor) -> tuple[int, int]:
    """Height and width."""
    return int(x.shape[2]), int(x.shape[3])


def hyper_side(side: int) -> int:
    """A side of z for that side of y: h_a is 5x5/2 with padding 1, then 5x5/2 with padding 2."""
    return ((max(side, 3) - 3) // 2) // 2 + 1


def fit_size(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut at right and bottom, or repeat the edge, so that the size fits."""
    below, right = max(size[0] - x.shape[2], 0), max(size[1] - x.shape[3], 0)
    if below or right:
        x = F.pad(x, (0, right, 0, below), mode="replicate")
    return x[:, :, : size[0], : size[1]]


def check_words(data: bytes) -> bytes:
    """RANS strings are whole 32-bit words, two at least. Raises PacketError for others."""
    if len(data) < STATE_BYTES or len(data) % WORD_BYTES:
        raise PacketError(f"rANS string of {len(data)} bytes; expected words of 4, at least 2")
    return data


def guarded(data: bytes, symbols: int) -> bytes:
    """A string of that many symbols for compressai's decoder, which reads on beyond its end.

    Zeros behind the string, so that whatever it holds the reading stays inside.
    """
    return check_words(data) + bytes(padding_bytes(len(data), symbols))


def padding_bytes(length: int, most: int) -> int:
    """Zero bytes to put behind `length` hostile bytes so that `most` symbols cannot overrun them.

    compressai's decoder reads on without looking at the end of its buffer. A symbol reads one word
    at most. An escape is a run of nibbles 15 that adds up to the number of nibbles to follow, and
    each nibble reads a word at most:

    - The bytes given, and 8 of state, hold 2 (length + 8) nibbles, so all runs that lie in them ask
      for at most 15 times as many nibbles.
    - In the zeros behind, a run is at most the 16 nibbles of the state long and asks for 240 more;
      nibbles are only shifted out, so after 16 of them the state is 0 and stays 0, where every
      symbol is a table's first and reads one word. Such a run happens once.
    - Shorter escapes in the zeros shift out at most 60 bits, which is two words besides the one of
      the escape itself.
    """
    nibbles = 2 * (length + STATE_BYTES)
    return WORD_BYTES * (16 * nibbles + 256 + 3 * most)


def in_range(latent: Tensor) -> Tensor:
    """A decoded latent. PacketError for values that no encoder makes.

    Escapes have no end, and the extremes of a latent may be any number, infinity too.
    """
    largest = float(latent.detach().abs().max())
    if not largest <= LARGEST:
        raise PacketError(f"a latent as large as {largest:g}: damaged or not ours")
    return latent
