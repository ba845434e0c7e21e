# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal tables for a trained encoder: pairs of frames, counts of their symbols, a fit.

::

    pairs of frames (pairs.py) -> latents -> symbols at every rate -> histograms -> bank
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.codec.temporal_fit import ContextShape, SymbolCounter, fit_temporal
from sc2_ros.training.pairs import Image, PairConfig, encoded, pair_config, pairs

CODES = tuple(range(0, RATE_CODES, 8))
LEVELS = 3
ACTIVITY = (1, 5, 14, 32, 64)


def fit(
    encoder: torch.nn.Module,
    tables: CodingTables,
    images: Sequence[Image],
    footage: Iterable[Sequence[Image]] = (),
    config: PairConfig | None = None,
) -> CodingTables:
    """The tables with temporal tables for this encoder.

    Args:
        encoder: in eval mode, with the weights that the checkpoint will hold.
        tables: fitted for it.
        images: uint8 (H, W[, 3]), still training images.
        footage: clips, each a sequence of consecutive frames of one size.
        config: how many pairs; by default, in keeping with the images.
    """
    config = config or pair_config(images)
    rng = np.random.default_rng(config.seed)
    shape = ContextShape(_levels(tables.contexts), np.array(ACTIVITY, np.int32), CODES)
    counter = SymbolCounter(tables, shape)
    for pair in pairs(images, footage, config, rng):
        latents = encoded(encoder, pair, rng)
        for row, code in enumerate(CODES):
            counter.add(latents.after, latents.prediction(code, tables.code_gains, rng), row)
    return replace(tables, temporal=fit_temporal(tables, shape, counter.counts))


def _levels(contexts: int) -> NDArray[np.uint8]:
    """Level of each of K contexts: thirds."""
    return (np.arange(contexts) * LEVELS // contexts).astype(np.uint8)
