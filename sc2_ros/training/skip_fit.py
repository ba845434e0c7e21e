# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network of predicted frames, for tables that have one of keyframes: from images and footage.

::

    frames in a row (chains.py), each at some rates -> symbols, skip maps, what is predicted
      -> training (skip_network.py) -> integers -> twice: choose symbols, count, fit the bank
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.entropy.cdf import SYMBOLS
from sc2_ros.codec.entropy.context_network import ALL_TABLES, ContextNetwork
from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.reference import Prediction, planes, predicted_symbols
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA, Rounded, share_class
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.onboard.config import OnboardConfig
from sc2_ros.onboard.saliency import rdoq_lambda
from sc2_ros.training.chains import ChainCoder, encoded_chain
from sc2_ros.training.context_fit import add_counts
from sc2_ros.training.context_network import (
    GOING_ON,
    ContextConfig,
    NetworkShape,
    check_rates,
)
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
    """As of the network of keyframes; few positions are coded, so more units take little time.

    pair_rates: at how many rates each frame is seen.
    """

    hidden: int = 48
    pair_rates: int = 6
    steps: int = 5000

    def __post_init__(self) -> None:
        """Raise ParameterError as ContextConfig does."""
        super().__post_init__()
        check_rates("pair_rates", self.pair_rates)


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
    start: ContextNetwork | None = None,
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
    config = config or SkipConfig()
    clips = list(footage)
    pair = pair or chain_config(images, clips, going_on=start is not None)
    rng = np.random.default_rng(config.seed)
    coder = ChainCoder(tables, lambda latent: _lambda_onboard(latent, saliency))
    shape = with_map(NetworkShape.of(tables.context))
    material, samples = [], []
    for frames in pairs(images, clips, replace(pair, still_share=STILL_SHARE), rng):
        chain = encoded_chain(encoder, frames, rng)
        for code in rng.choice(RATE_CODES, config.pair_rates, replace=False).tolist():
            prediction = coder.prediction(chain, code, rng)
            latent = chain.latents[-1]
            material.append(_Material(coder.rounded(latent, code), code, prediction))
            symbols, coded = coder.chosen(latent, code, prediction)
            samples.append(_sample(symbols, coded, code, prediction, tables))
    model = SkipModel(shape, config.hidden)
    if start is not None and np.array_equal(start.groups, shape.groups):
        model = from_network(start)
        config = replace(config, steps=config.steps // 5, lr=config.lr * GOING_ON)
    model = train(samples, model, replace(config, steps=min(config.steps, len(samples))))
    tables = replace(tables, skip=to_network(model))
    for _ in range(2):  # the tables decide which symbols are chosen, so they are fitted again
        tables = replace(tables, skip=to_network(model, count(tables, material)))
    return tables


def _lambda_onboard(latent: NDArray[np.float32], head: SaliencyHead | None) -> NDArray[np.float32]:
    """The RDOQ lambda (h, w) that the drone will use for a latent (C, h, w)."""
    if head is None:
        return np.full(latent.shape[1:], RDOQ_LAMBDA, np.float32)
    with torch.inference_mode():
        logit = head(torch.from_numpy(latent)[None])[0, 0].numpy()
    return rdoq_lambda(logit, OnboardConfig().rate_saliency)


def chain_config(
    images: Sequence[Image], clips: Sequence[Sequence[Image]] = (), *, going_on: bool = False
) -> PairConfig:
    """In keeping with the images and clips: few are a trial, which need not wait for 48 flights."""
    per_clip = max(2, 48 // max(len(clips), 1))
    if going_on:
        return PairConfig(stills=60, flights=min(8, 1 + len(images) // 8), per_clip=per_clip)
    flights = min(48, 1 + len(images) // 8)
    return PairConfig(stills=300, flights=flights, per_flight=6, per_clip=per_clip)


def count(tables: CodingTables, material: Sequence[_Material]) -> NDArray[np.int64]:
    """How often each symbol came, less its mean, where each table was expected: (255, 255)."""
    planner = Planner(tables)
    counts = np.zeros((ALL_TABLES, SYMBOLS), np.int64)
    for part in material:
        grid = Grid(1, 1, *part.rounded.symbols.shape[1:])
        add_counts(counts, planner.predicted(part.rounded, part.code, grid, part.prediction).chosen)
    return counts


def _sample(
    symbols: NDArray[np.int8],
    coded: NDArray[np.bool_],
    code: int,
    prediction: Prediction,
    tables: CodingTables,
) -> SkipSample:
    """A frame to train on, all channels of it: its map is the first of its planes."""
    whole = np.concatenate((coded[None].astype(np.int8), symbols))
    expected = predicted_symbols(prediction, code, tables.integer_gains, tables.channels)
    side = planes(prediction, expected).T.reshape(-1, *coded.shape).astype(np.int8)
    return SkipSample(whole, code, side, share_class(int(coded.sum()), coded.size))
