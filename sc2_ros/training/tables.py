# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding tables for a trained network: count its symbols on training images, fit the bank."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.context import contexts
from sc2_ros.codec.fit import fit_tables
from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.network.bottleneck import CONTEXTS, THRESHOLDS, Bottleneck

SYMBOLS = 255
LIMIT = 127


@torch.inference_mode()
def count_symbols(
    encoder: torch.nn.Module,
    bottleneck: Bottleneck,
    images: Iterable[NDArray[np.uint8]],
    codes: list[int],
) -> NDArray[np.int64]:
    """How often each symbol was seen, (len(codes), K, C, 255), per code, context and channel.

    images: uint8 (H, W, 3) RGB or (H, W) grey; each is cut to multiples of 16.
    """
    channels = bottleneck.log_gain.shape[1]
    counts = np.zeros((len(codes), CONTEXTS, channels, SYMBOLS), np.int64)
    gains = bottleneck.gains(torch.tensor(codes) / (RATE_CODES - 1)).squeeze(-1).numpy()
    starts = np.cumsum([0, *bottleneck.groups])
    channel = np.arange(channels)[:, None]
    for image in images:
        height, width = (side // 16 * 16 for side in image.shape[:2])
        pixels = image[:height, :width]
        rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
        tensor = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255
        latent = encoder(tensor)[0].numpy()
        for row, gain in enumerate(gains):
            symbols = np.rint(latent * gain[:, :, None]).clip(-LIMIT, LIMIT).astype(np.int64)
            for group, (start, stop) in enumerate(itertools.pairwise(starts)):
                around = contexts(symbols, int(start), np.array(THRESHOLDS[group]))
                flat = symbols[start:stop].reshape(stop - start, -1) + LIMIT
                np.add.at(counts[row], (around.reshape(1, -1), channel[start:stop], flat), 1)
    return counts


def fit(
    encoder: torch.nn.Module,
    bottleneck: Bottleneck,
    images: Iterable[NDArray[np.uint8]],
    step: int = 4,
) -> CodingTables:
    """Tables from training images, counted at every step-th rate code."""
    codes = list(range(0, RATE_CODES, step))
    counts = count_symbols(encoder, bottleneck, images, codes)
    return fit_tables(
        bottleneck.log_gain.detach().exp().numpy(),
        bottleneck.groups,
        np.array(THRESHOLDS, np.int32),
        counts,
        codes=codes,
    )
