# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of keyframes for a trained encoder: from latents to coding tables.

::

    latents of images, each at some rates -> rounded symbols
      -> training (context_network.py) -> integers -> twice: choose symbols, count, fit the bank
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, SYMBOLS
from sc2_ros.codec.entropy.context_network import TABLES, ContextNetwork
from sc2_ros.codec.entropy.walk import Chosen
from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA, round_latent
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.training.context_network import (
    GOING_ON,
    ContextConfig,
    ContextModel,
    choose_channels,
    from_network,
    to_network,
    train,
)
from sc2_ros.training.symbol_windows import Sample

Latent = NDArray[np.float32]


def fit(
    latents: Sequence[Latent],
    gains: NDArray[np.float32],
    config: ContextConfig | None = None,
    *,
    start: ContextNetwork | None = None,
    keep_all: bool = False,
) -> tuple[CodingTables, NDArray[np.int64]]:
    """Tables with a network of keyframes, and the channels of the latent that they are for.

    Args:
        latents: (C, h, w) float32 of training images.
        gains: (65, C).
        config: of the network; trained for at most a step per sample, so that a trial is quick.
        start: network of an encoder that hardly differs, to go on from; its channels, the first of
            the latent, and its shape are kept.
        keep_all: all channels are to be coded, in whatever order.
    """
    config = config or ContextConfig()
    rng = np.random.default_rng(config.seed)
    codes = [rng.choice(RATE_CODES, config.rates, replace=False).tolist() for _ in latents]
    samples = [
        Sample(round_latent(latent, gains[code]).symbols, code)
        for latent, some in zip(latents, codes, strict=True)
        for code in some
    ]
    if start is not None:
        channels, model = np.arange(start.channels), from_network(start)
    else:
        channels, shape = choose_channels(samples, config, keep_all=keep_all)
        model = ContextModel(shape, config.hidden)
    samples = [replace(sample, symbols=sample.symbols[channels]) for sample in samples]
    coded = [latent[channels] for latent in latents]  # one copy of each, at whatever rates
    material = [(latent, c) for latent, some in zip(coded, codes, strict=True) for c in some]
    lr = config.lr * (GOING_ON if start else 1.0)
    config = replace(config, steps=min(config.steps, len(samples)), lr=lr)
    model = train(samples, model, config)
    tables = CodingTables(gains[:, channels], to_network(model))
    for _ in range(2):  # the tables decide which symbols are chosen, so they are fitted again
        tables = replace(tables, context=to_network(model, _count(tables, material)))
    return tables, channels


def _count(tables: CodingTables, material: Iterable[tuple[Latent, int]]) -> NDArray[np.int64]:
    """How often each symbol came, less its mean, where each table was expected: (232, 255)."""
    planner = Planner(tables)
    counts = np.zeros((TABLES, SYMBOLS), np.int64)
    for latent, code in material:
        rounded = round_latent(latent, tables.gains[code], RDOQ_LAMBDA)
        add_counts(counts, planner.intra(rounded, code, Grid(1, 1, *latent.shape[1:])).chosen)
    return counts


def add_counts(counts: NDArray[np.int64], chosen: Chosen) -> None:
    """Count what was coded with each table of a bank; counts: (B, 255)."""
    used = chosen.tables > 0
    table = chosen.tables[used].astype(np.int64) - 1
    column = table * SYMBOLS + chosen.values[used] + MAX_SYMBOL
    counts += np.bincount(column, minlength=counts.size).reshape(counts.shape)
