# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Neural rate estimator: Ahuja et al., CVPR 2023 workshops (pp. 2022-2030).

Low-complexity bottleneck units at a split of a frozen backbone. A hyperprior estimates the rate in
training only; at run time each channel has one static table, counted on training images::

    image --frozen stages 1 .. split--> x --depthwise 3x3/s, 1x1--> K --x 1/step, round--> bytes
    bytes -> K --1x1, pixel shuffle s, depthwise 3x3, 1x1--> x_hat --frozen stages split+1 ..-->
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, SYMBOLS, Bank, quantised_cdf
from sc2_ros.codec.entropy.rans import SymbolCoder
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.split.backbones import Backbone, BackboneHead
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.priors import HyperPrior, Prior, check_words


class StaticPrior(Prior):
    """Rate by a hyperprior in training, one static probability table per channel at run time."""

    counts: Tensor

    def __init__(self, channels: int, step: float = 1.0) -> None:
        """channels: C, at most 255; step: of the uniform quantiser."""
        super().__init__()
        if not 1 <= channels <= 255 or step <= 0:
            raise ParameterError(f"{channels} channels, step {step}: use 1 to 255, and above 0")
        self.channels, self.step = channels, step
        self.estimator = HyperPrior(channels)
        self.register_buffer("counts", torch.zeros(channels, SYMBOLS, dtype=torch.int64))
        self._coder: tuple[bytes, SymbolCoder] | None = None

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """See Prior."""
        noisy, bits = self.estimator(latent.float() / self.step)
        return noisy * self.step, bits

    def symbols(self, latent: Tensor) -> Tensor:
        """Latent -> rounded steps, -127 to 127."""
        return (latent.float() / self.step).round().clamp(-MAX_SYMBOL, MAX_SYMBOL)

    def quantise(self, latent: Tensor) -> Tensor:
        """See Prior."""
        return self.symbols(latent) * self.step

    def compress(self, latent: Tensor) -> list[bytes]:
        """See Prior."""
        symbols = self.symbols(latent)[0].flatten(1).int().cpu().numpy()
        tables = np.repeat(np.arange(1, self.channels + 1), symbols.shape[1])
        return [self._symbol_coder().encode(symbols.ravel(), tables)]

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """See Prior."""
        positions = size[0] * size[1]
        reader = self._symbol_coder().reader(check_words(strings[0]))
        tables = np.repeat(np.arange(1, self.channels + 1, dtype=np.uint8), positions)
        symbols = reader.decode(tables).astype(np.float32)
        reader.check_done()
        return torch.from_numpy(symbols).view(1, self.channels, *size) * self.step

    def fit(self, latents: Iterable[Tensor]) -> None:
        """Count the symbols of each channel."""
        self.counts.zero_()
        for latent in latents:
            columns = self.symbols(latent)[0].flatten(1).long() + MAX_SYMBOL
            self.counts.scatter_add_(1, columns, torch.ones_like(columns))

    def _symbol_coder(self) -> SymbolCoder:
        """The coder of the tables that the counts make, made anew when they change."""
        counts = self.counts.cpu().numpy()
        key = counts.tobytes()
        if self._coder is None or self._coder[0] != key:
            if not counts.any():
                raise CheckpointError("the static tables were never fitted; train to the end")
            self._coder = key, SymbolCoder(static_tables(counts))
        return self._coder[1]


def static_tables(counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Bank:
    """Counts (C, 255) of the symbols -127 .. 127 -> one table per channel, no contexts."""
    cdfs, offsets = [], []
    for row in counts:
        seen = np.flatnonzero(row)
        first = min(int(seen[0]), MAX_SYMBOL) if len(seen) else MAX_SYMBOL
        last = max(int(seen[-1]), MAX_SYMBOL) if len(seen) else MAX_SYMBOL
        share = row[first : last + 1] + 0.01  # gaps inside the range stay codable
        cdfs.append(quantised_cdf(share, 0.5))
        offsets.append(first - MAX_SYMBOL)
    return Bank.of(cdfs, offsets)


class UnitEncoder(nn.Module):
    """Depthwise 3x3 of a stride, then 1x1: the part of the unit that flies."""

    def __init__(self, cin: int, channels: int, stride: int) -> None:
        """cin: of the split stage; channels: of the latent."""
        super().__init__()
        self.depthwise = nn.Conv2d(cin, cin, 3, stride, 1, groups=cin)
        self.pointwise = nn.Conv2d(cin, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, cin, h, w) -> (B, channels, h/stride, w/stride)."""
        return cast(Tensor, self.pointwise(self.depthwise(x)))


class UnitDecoder(nn.Module):
    """1x1 and pixel shuffle back to the split's stride, then depthwise 3x3 and 1x1."""

    def __init__(self, channels: int, target: int, stride: int) -> None:
        """The mirror of UnitEncoder."""
        super().__init__()
        self.expand = nn.Conv2d(channels, target * stride * stride, 1)
        self.shuffle = nn.PixelShuffle(stride)
        self.relu = nn.ReLU(inplace=True)
        self.depthwise = nn.Conv2d(target, target, 3, 1, 1, groups=target)
        self.pointwise = nn.Conv2d(target, target, 1)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, channels, h, w) -> (B, target, h stride, w stride)."""
        x = self.relu(self.shuffle(self.expand(latent)))
        return cast(Tensor, self.pointwise(self.relu(self.depthwise(x))))


def build(
    backbone: Backbone, split: int = 2, stride: int = 2, channels: int = 16, step: float = 1.0
) -> Bottleneck:
    """The searched values: split point, stride and channels of the unit, quantiser step."""
    if not 1 <= split <= len(backbone.stages):
        raise ParameterError(f"split {split}: the backbone has {len(backbone.stages)} stages")
    cin = backbone.channels[split - 1]
    head = BackboneHead(backbone, split)
    return FrozenHeadBottleneck(
        nn.Sequential(head, UnitEncoder(cin, channels, stride)),
        StaticPrior(channels, step),
        UnitDecoder(channels, cin, stride),
        split=split,
        stride=2 ** (split + 1) * stride,
    )


class FrozenHeadBottleneck(Bottleneck):
    """A bottleneck whose encoder begins with stages of the backbone, which stay as they are."""

    never_trained = ("encoder.0",)
