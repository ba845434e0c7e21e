# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skip network for a checkpoint that has a context network: from images and footage to tables.

::

    frames in a row (chains.py), each at some rates -> symbols, maps, what the references say
      -> training (skip_network.py) -> integers -> twice: choose symbols, count, fit the bank
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.cdf import MAX_SYMBOL, SYMBOLS
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.prediction import Prediction, said_symbols
from sc2_ros.codec.skip import share_class, side_planes
from sc2_ros.codec.skip_network import ALL_TABLES, SkipNetwork
from sc2_ros.codec.skip_pricing import SkipPricer
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import Rounded
from sc2_ros.codec.tables import RATE_CODES, CodingTables
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.onboard.config import OnboardConfig
from sc2_ros.onboard.saliency import SaliencyRefinement
from sc2_ros.training.chains import ChainCoder, encoded_chain
from sc2_ros.training.context_network import GOING_ON, ContextConfig, Plan
from sc2_ros.training.pairs import Image, PairConfig, pairs
from sc2_ros.training.skip_network import (
    SkipModel,
    SkipSample,
    from_network,
    to_network,
    train,
    with_map,
)

STILL_SHARE = 0.35
"""Of the still images that are moved, how many are not: cameras stand, too."""


@dataclass(frozen=True)
class SkipConfig(ContextConfig):
    """As of the context network; few positions are told, so that more units take little time."""

    hidden: int = 48
    pair_rates: int = 6
    steps: int = 5000


@dataclass(frozen=True, eq=False)
class _Material:
    """A predicted frame at a rate code."""

    rounded: Rounded
    code: int
    prediction: Prediction


def fit(
    encoder: torch.nn.Module,
    tables: CodingTables,
    images: Sequence[Image],
    footage: Iterable[Sequence[Image]] = (),
    config: SkipConfig | None = None,
    pair: PairConfig | None = None,
    saliency: SaliencyHead | None = None,
    start: SkipNetwork | None = None,
) -> CodingTables:
    """The tables with a skip network for this encoder.

    Args:
        encoder: in eval mode, with the weights that the checkpoint will hold.
        tables: fitted for it, with a context network.
        images: uint8 (H, W[, 3]), still training images.
        footage: clips, each a sequence of consecutive frames of one size.
        config: of the network; trained for at most a step per sample, so that a trial is quick.
        pair: how many sequences of each kind; by default, in keeping with the images.
        saliency: head of the checkpoint, by which the drone will choose symbols.
        start: network of an encoder that hardly differs, to go on from, in a fifth of the time.
    """
    assert tables.context is not None
    config = config or SkipConfig()
    clips = list(footage)
    pair = pair or chain_config(images, clips, going_on=start is not None)
    rng = np.random.default_rng(config.seed)
    refinement = SaliencyRefinement(saliency)
    refinement.strength = OnboardConfig().rate_saliency
    codec = LatentCodec(replace(tables, temporal=None, skip=None), 0, refinement=refinement)
    coder = ChainCoder(tables, codec)
    context = tables.context
    shape = with_map(Plan(context.channels, context.groups, context.first_code), tables.channels)
    material, samples = [], []
    for frames in pairs(images, clips, replace(pair, frames=3, still_share=STILL_SHARE), rng):
        chain = encoded_chain(encoder, frames, rng)
        for code in rng.choice(RATE_CODES, config.pair_rates, replace=False).tolist():
            prediction = coder.prediction(chain, code, rng)
            latent = chain.latents[-1]
            material.append(_Material(coder.rounded(latent, code), code, prediction))
            symbols, told = coder.chosen(latent, code, prediction)
            said = said_symbols(prediction, code, context.gains, context.channels)
            samples.append(_sample(symbols, told, code, side_planes(prediction, said)))
    model = SkipModel(shape, config.hidden)
    if start is not None and np.array_equal(start.channels, shape.channels):
        model = from_network(start)
        config = replace(config, steps=config.steps // 5, lr=config.lr * GOING_ON)
    model = train(samples, model, replace(config, steps=min(config.steps, len(samples))))
    network = to_network(model, context.gains)
    for _ in range(2):  # the tables decide which symbols are chosen, so they are fitted again
        network = to_network(model, context.gains, count(network, material))
    return replace(tables, skip=network)


def chain_config(
    images: Sequence[Image], clips: Sequence[Sequence[Image]] = (), *, going_on: bool = False
) -> PairConfig:
    """In keeping with the images and clips: few are a trial, which need not wait for 48 flights."""
    per_clip = max(2, 48 // max(len(clips), 1))
    if going_on:
        return PairConfig(stills=60, flights=min(8, 1 + len(images) // 8), per_clip=per_clip)
    flights = min(48, 1 + len(images) // 8)
    return PairConfig(stills=300, flights=flights, per_flight=6, per_clip=per_clip)


def count(network: SkipNetwork, material: Sequence[_Material]) -> NDArray[np.int64]:
    """How often each symbol came, less its mean, where each table was expected: (255, 255)."""
    pricer = SkipPricer(network)
    counts = np.zeros(ALL_TABLES * SYMBOLS, np.int64)
    for part in material:
        grid = Grid(1, 1, *part.rounded.symbols.shape[1:])
        trace = pricer.trace(part.rounded, part.code, grid, part.prediction)
        for step in trace.steps:
            used = step.tables > 0
            table = step.tables[used].astype(np.int64) - 1
            column = table * SYMBOLS + step.coded[used] + MAX_SYMBOL
            counts += np.bincount(column, minlength=len(counts))
    return counts.reshape(ALL_TABLES, SYMBOLS)


def _sample(
    symbols: NDArray[np.int8], told: NDArray[np.bool_], code: int, planes: NDArray[np.float32]
) -> SkipSample:
    """A frame to train on: its map is the last of its planes."""
    whole = np.concatenate((symbols, told[None].astype(np.int8)))
    side = planes.T.reshape(-1, *told.shape).astype(np.int8)
    return SkipSample(whole, code, side, share_class(int(told.sum()), told.size))
