# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A context network for a trained encoder: from images and pairs of frames to coding tables.

::

    latents of images, and of pairs, each at some rates -> symbols
      -> training (context_network.py) -> integers -> twice: choose symbols, count, fit the bank
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.cdf import MAX_SYMBOL, SYMBOLS
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.context_network import TABLES, ContextNetwork
from sc2_ros.codec.learned import LearnedPricer, side_input, side_map
from sc2_ros.codec.packet import LEARNED_VERSION, origin_step
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import REFINEMENT, round_latent
from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.codec.temporal_tables import fixed_gains
from sc2_ros.training.context_network import (
    GOING_ON,
    ContextConfig,
    ContextModel,
    from_network,
    plan,
    to_network,
    train,
)
from sc2_ros.training.pairs import Image, PairConfig, encoded, pair_config, pairs
from sc2_ros.training.symbol_windows import Sample
from sc2_ros.training.tables import latents


@dataclass(frozen=True, eq=False)
class _Material:
    """A latent (C, h, w) at a rate code, with a prediction or without."""

    latent: NDArray[np.float32]
    code: int
    prediction: Prediction | None = None


def fit(
    encoder: torch.nn.Module,
    tables: CodingTables,
    images: Sequence[Image],
    footage: Iterable[Sequence[Image]] = (),
    config: ContextConfig | None = None,
    pair: PairConfig | None = None,
    start: ContextNetwork | None = None,
) -> CodingTables:
    """The tables with a context network for this encoder.

    Args:
        encoder: in eval mode, with the weights that the checkpoint will hold.
        tables: fitted for it.
        images: uint8 (H, W[, 3]), still training images.
        footage: clips, each a sequence of consecutive frames of one size.
        config: of the network; trained for at most a step per sample, so that a trial is quick.
        pair: how many pairs of each kind; by default, in keeping with the images.
        start: network of an encoder that hardly differs, to go on from; its shape is kept.
    """
    config = config or ContextConfig()
    rng = np.random.default_rng(config.seed)
    material = _material(encoder, tables, images, footage, config, pair, rng)
    codec = LatentCodec(replace(tables, temporal=None, context=None), 0, refinement=REFINEMENT)
    chosen = [codec.choose(part.latent, part.code) for part in material]
    plain = [Sample(s, part.code) for s, part in zip(chosen, material, strict=True)]
    model = from_network(start) if start else ContextModel(plan(plain, config), config.hidden)
    shape = model.shape
    gains = fixed_gains(tables.code_gains)
    samples = []
    for sample, part in zip(plain, material, strict=True):
        if part.prediction is not None:
            said = side_map(part.prediction, part.code, gains, shape.channels)
            side = said.T.reshape(-1, *part.latent.shape[1:]).astype(np.int8)
            sample = replace(sample, side=side)
        samples.append(sample)
    lr = config.lr * (GOING_ON if start else 1.0)
    config = replace(config, steps=min(config.steps, len(samples)), lr=lr)
    model = train(samples, model, config)
    network = to_network(model, gains)
    for _ in range(2):  # the tables decide which symbols are chosen, so they are fitted again
        network = to_network(model, gains, count(network, material, tables))
    return replace(tables, context=network)


def _material(
    encoder: torch.nn.Module,
    tables: CodingTables,
    images: Sequence[Image],
    footage: Iterable[Sequence[Image]],
    config: ContextConfig,
    pair: PairConfig | None,
    rng: np.random.Generator,
) -> list[_Material]:
    """Every image and every pair at some of the rates."""

    def codes(count: int) -> list[int]:
        chosen: list[int] = rng.choice(RATE_CODES, count, replace=False).tolist()
        return chosen

    found = [
        _Material(latent, code)
        for latent in latents(encoder, images)
        for code in codes(config.rates)
    ]
    for frames in pairs(images, footage, pair or pair_config(images), rng):
        both = encoded(encoder, frames, rng, origin_step(LEARNED_VERSION))
        for code in codes(config.pair_rates):
            prediction = both.prediction(code, tables.code_gains, rng)
            found.append(_Material(both.after, code, prediction))
    return found


def count(
    network: ContextNetwork, material: Sequence[_Material], tables: CodingTables
) -> NDArray[np.int64]:
    """How often each symbol came, less its mean, where each table was expected: (232, 255)."""
    pricer = LearnedPricer(network)
    counts = np.zeros(TABLES * SYMBOLS, np.int64)
    for part in material:
        rounded = round_latent(part.latent, tables.code_gains[part.code], REFINEMENT)
        grid = Grid(1, 1, *part.latent.shape[1:])
        side = None
        if part.prediction is not None:
            side = side_input(part.prediction, part.code, network, grid)
        trace = pricer.trace(rounded, part.code, grid, side)
        for table, coded in zip(trace.tables, trace.coded, strict=True):
            used = table > 0
            column = (table[used].astype(np.int64) - 1) * SYMBOLS + coded[used] + MAX_SYMBOL
            counts += np.bincount(column, minlength=len(counts))
    return counts.reshape(TABLES, SYMBOLS)
