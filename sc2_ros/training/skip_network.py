# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The context network of predicted frames in training: its integers, in torch.

::

    symbols, skip map and what is predicted, at every rate
      -> the context network with one more channel, the map
      -> bits: of the map, log-odds; of the symbols, a Laplacian where the map is set
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, Bank, quantised_cdf
from sc2_ros.codec.entropy.context_network import (
    HIGHEST_ODDS,
    LOWEST_ODDS,
    TABLES,
    ContextNetwork,
)
from sc2_ros.codec.slicing import PHASES
from sc2_ros.codec.wire.predicted import SHARES
from sc2_ros.training.context_network import (
    ENTER_SCALE,
    ContextConfig,
    ContextModel,
    NetworkShape,
    coded_from,
    integers,
    laplace_bits,
    load,
    schedule,
    symbol_tables,
)
from sc2_ros.training.symbol_windows import Sample, draw, windows

_PRIOR_COUNTS = 50.0
_LOG2_E = 1.4427


@dataclass(frozen=True, eq=False)
class SkipSample(Sample):
    """A predicted frame: symbols (n + 1, h, w), of which the first is the map, 0 or 1.

    side: (n + 2, h, w) int8 of `reference.planes`. share: its share class.
    """

    share: int = 1


def with_map(shape: NetworkShape) -> NetworkShape:
    """The shape of the network of keyframes, with the map before the others."""
    return NetworkShape(
        np.concatenate(([1], shape.groups)).astype(np.int32),
        np.concatenate(([0], shape.first_code)).astype(np.int32),
    )


class SkipModel(ContextModel):
    """What the integer network computes, with a gradient.

    Symbols are (B, n + 1, h, w), side (B, n + 2, h, w); the mean of channel 0 is the map's
    log-odds.
    """

    def __init__(self, shape: NetworkShape, hidden: int) -> None:
        """shape: of `with_map`; hidden: units of each step."""
        super().__init__(shape, hidden, has_side=True)
        self.share_bias = nn.Parameter(torch.zeros(SHARES, len(shape.groups) * PHASES * hidden))

    def bits(self, symbols: Tensor, side: Tensor, code: Tensor, share: Tensor) -> Tensor:
        """What each symbol takes, (B, n + 1, h, w); 0 where it is skipped."""
        mean, log_spread = self(symbols, code, side, self.share_bias[share])
        coded = symbols[:, :1]
        of_map = _LOG2_E * F.binary_cross_entropy_with_logits(mean[:, :1], coded, reduction="none")
        rest = laplace_bits(symbols[:, 1:], mean[:, 1:], log_spread[:, 1:]) * coded
        return torch.cat((of_map, rest), 1)


def train(samples: Sequence[SkipSample], model: SkipModel, config: ContextConfig) -> SkipModel:
    """Fit the network to symbols and maps."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    optimizer = torch.optim.Adam(model.parameters(), config.lr)
    coded = coded_from(model.shape)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * schedule(step / config.steps, step)
        batch = draw(samples, config.batch, rng)
        symbols, code, side = windows(batch, config.window, rng)
        bits = model.bits(symbols, side, code, torch.tensor([one.share for one in batch]))
        live = (coded[None] <= code[:, None])[:, :, None, None]
        # Every rate and motion counts alike, though some have a hundred times the bits.
        per_window = (bits * live).sum((1, 2, 3))
        loss = (per_window / (per_window.detach() + 40.0)).sum() / config.batch
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def from_network(network: ContextNetwork) -> SkipModel:
    """A finished network as a model to train on; `to_network` is the inverse."""
    model = SkipModel(NetworkShape.of(network), network.enter.shape[2])
    load(model, network)
    assert network.share_bias is not None
    with torch.no_grad():
        flat = network.share_bias.reshape(SHARES, -1)
        model.share_bias.copy_(torch.tensor(flat) / ENTER_SCALE)
    return model


def to_network(model: SkipModel, counts: NDArray[np.int64] | None = None) -> ContextNetwork:
    """The integers of a trained model; its bank from counts (255, 255), else from formulas."""
    groups, hidden = len(model.shape.groups), model.hidden
    with torch.inference_mode():
        share_bias = np.rint(model.share_bias.double().numpy() * ENTER_SCALE)
    cdfs, offsets = symbol_tables(None if counts is None else counts[:TABLES])
    for odds in range(LOWEST_ODDS, HIGHEST_ODDS + 1):
        share = 1.0 / (1.0 + np.exp(-odds / 2))
        pmf = np.array([1.0 - share, share]) * _PRIOR_COUNTS
        if counts is not None:
            row = counts[TABLES + odds - LOWEST_ODDS]
            pmf += row[MAX_SYMBOL : MAX_SYMBOL + 2]
        cdfs.append(quantised_cdf(pmf, 0.0))
        offsets.append(0)
    return ContextNetwork(
        **integers(model),
        bank=Bank.of(cdfs, offsets),
        share_bias=share_bias.reshape(SHARES, groups, PHASES, hidden).astype(np.int32),
    )
