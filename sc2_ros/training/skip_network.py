# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The skip network of sc2_ros.codec.skip_network in training: its integers, in torch.

::

    symbols, map and what the reference says, at every rate
      -> the context model's network with one more channel, the map
      -> bits: of the map, log-odds; of the symbols, a Laplacian where the map tells them
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.codec.cdf import MAX_SYMBOL, quantised_cdf, stack
from sc2_ros.codec.context_network import PHASES, TABLES
from sc2_ros.codec.skip_network import HIGHEST, LOWEST, SHARES, SkipNetwork
from sc2_ros.training.context_network import (
    ENTER_SCALE,
    ContextConfig,
    ContextModel,
    Plan,
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
    """A predicted frame: symbols (C + 1, h, w), of which the last is the map, 0 or 1.

    side: (n + 2, h, w) int8 of `side_planes`. share: its share class.
    """

    share: int = 1


def with_map(shape: Plan, channels: int) -> Plan:
    """The shape of a context network for C channels, with the map before the others."""
    return Plan(
        np.concatenate(([channels], shape.channels)).astype(np.int32),
        np.concatenate(([1], shape.groups)).astype(np.int32),
        np.concatenate(([0], shape.first_code)).astype(np.int32),
    )


class SkipModel(ContextModel):
    """What the integer network computes, with a gradient.

    forward: symbols (B, n + 1, h, w), side (B, n + 2, h, w), code (B,), share (B,) -> (B, n + 1, h,
    w) mean and log spread of every symbol; the mean of channel 0 is the map's log-odds.
    """

    def __init__(self, shape: Plan, hidden: int) -> None:
        """shape: of `with_map`; hidden: units of each step."""
        super().__init__(shape, hidden)
        self.share_bias = nn.Parameter(torch.zeros(SHARES, len(shape.groups) * PHASES * hidden))

    def bits(self, symbols: Tensor, side: Tensor, code: Tensor, share: Tensor) -> Tensor:
        """What each symbol takes, (B, n + 1, h, w); 0 where it is not told."""
        mean, log_spread = self(symbols, side, code, self.share_bias[share])
        told = symbols[:, :1]
        of_map = _LOG2_E * F.binary_cross_entropy_with_logits(mean[:, :1], told, reduction="none")
        rest = laplace_bits(symbols[:, 1:], mean[:, 1:], log_spread[:, 1:]) * told
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
        symbols, side, code = windows(batch, model.shape.channels, config.window, rng)
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


def from_network(network: SkipNetwork) -> SkipModel:
    """A finished network as a model to train on; `to_network` is the inverse."""
    shape = Plan(network.channels, network.groups, network.first_code)
    model = SkipModel(shape, network.enter.shape[2])
    load(model, network)
    with torch.no_grad():
        flat = network.share_bias.reshape(SHARES, -1)
        model.share_bias.copy_(torch.tensor(flat) / ENTER_SCALE)
    return model


def to_network(
    model: SkipModel, gains: NDArray[np.int32], counts: NDArray[np.int64] | None = None
) -> SkipNetwork:
    """The integers of a trained model; its bank from counts (255, 255), else from formulas alone.

    gains: (65, C), as in ContextNetwork.
    """
    groups, hidden = len(model.shape.groups), model.hidden
    with torch.inference_mode():
        share_bias = np.rint(model.share_bias.double().numpy() * ENTER_SCALE)
    cdfs, offsets = symbol_tables(None if counts is None else counts[:TABLES])
    for odds in range(LOWEST, HIGHEST + 1):
        share = 1.0 / (1.0 + np.exp(-odds / 2))
        pmf = np.array([1.0 - share, share]) * _PRIOR_COUNTS
        if counts is not None:
            row = counts[TABLES + odds - LOWEST]
            pmf += row[MAX_SYMBOL : MAX_SYMBOL + 2]
        cdfs.append(quantised_cdf(pmf, 0.0))
        offsets.append(0)
    bank, sizes = stack(cdfs)
    # The map is 0 or 1 at every rate.
    scale = np.full((len(gains), 1), 1 << 12, np.int32)
    return SkipNetwork(
        **integers(model, np.concatenate((gains, scale), 1)),
        cdfs=bank,
        sizes=sizes,
        offsets=np.array(offsets, np.int32),
        share_bias=share_bias.reshape(SHARES, groups, PHASES, hidden).astype(np.int32),
    )
