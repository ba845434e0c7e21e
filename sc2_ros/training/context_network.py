# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The learned context model of sc2_ros.codec.context_network in training: its integers, in torch.

::

    symbols of training images at every rate, and of pairs of frames
      -> which channels are alive, which groups
      -> network with rounded weights, straight through (Y. Bengio et al., 2013), and a Laplacian
      -> integers -> histograms of what it expects and what came -> bank of tables
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.codec.cdf import MAX_SYMBOL, stack
from sc2_ros.codec.context_network import (
    CODE_STEP,
    FRACTIONS,
    HIDDEN_MAX,
    PHASES,
    REACH,
    TABLES,
    ContextNetwork,
)
from sc2_ros.codec.fit import table_of
from sc2_ros.codec.layout import TAPS
from sc2_ros.codec.tables import RATE_CODES
from sc2_ros.training.symbol_windows import Sample, draw, windows

ROWS = (RATE_CODES - 1) // CODE_STEP + 1
ENTER_SCALE = 32.0
LEAVE_SCALE = 64.0
UNIT = ENTER_SCALE * LEAVE_SCALE
LOWEST_LOG_SPREAD = -2.8
LEVEL_STEP = 0.2
GOING_ON = 0.25
"""Share of the learning rate where a finished network is trained on."""
_ALIVE = 5e-4
_WEIGHT_MAX = 127
_PRIOR_COUNTS = 200.0
_MAIN_CODE = 40


@dataclass(frozen=True)
class ContextConfig:
    """How the context model is shaped and trained.

    Attributes:
        groups: of the channels that are alive at most rates.
        late_groups: of those that are alive at the highest rates only.
        hidden: units of each step.
        rates: at how many rates each image is seen.
        pair_rates: at how many rates each pair is; most frames of a flight are predicted.
        steps: of training.
        batch: windows in a step.
        window: positions on a side of a window.
        lr: of Adam, at its peak.
        seed: of all that is random.
    """

    groups: int = 5
    late_groups: int = 1
    hidden: int = 32
    rates: int = 4
    pair_rates: int = 8
    steps: int = 2000
    batch: int = 24
    window: int = 20
    lr: float = 4e-3
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Plan:
    """channels (n,), groups (G,), first_code (G,), as in ContextNetwork."""

    channels: NDArray[np.int32]
    groups: NDArray[np.int32]
    first_code: NDArray[np.int32]


def plan(samples: Sequence[Sample], config: ContextConfig) -> Plan:
    """Which channels are coded, in which groups, from which rate code on."""
    channels = len(samples[0].symbols)
    active = np.zeros((RATE_CODES, channels))
    seen = np.zeros(RATE_CODES)
    for sample in samples:
        active[sample.code] += (sample.symbols != 0).mean((1, 2))
        seen[sample.code] += 1
    share = active / np.maximum(seen, 1)[:, None]
    main = np.flatnonzero((share[: _MAIN_CODE + 1] >= _ALIVE).any(0))
    late = np.setdiff1d(np.flatnonzero((share >= _ALIVE).any(0)), main)
    parts = [part for part in np.array_split(main, config.groups) if len(part)]
    firsts = [0] * len(parts)
    if len(late):
        late_parts = [part for part in np.array_split(late, config.late_groups) if len(part)]
        first = int(np.flatnonzero((share[:, late] >= _ALIVE).any(1))[0])
        parts += late_parts
        firsts += [max(first - CODE_STEP // 2, 0)] * len(late_parts)
    return Plan(
        np.concatenate(parts).astype(np.int32),
        np.array([len(part) for part in parts], np.int32),
        np.array(firsts, np.int32),
    )


class ContextModel(nn.Module):
    """What the integer network computes, with a gradient.

    forward: symbols (B, n, h, w), side (B, n + 1, h, w), code (B,) -> mean and log spread
    (B, n, h, w) of every symbol. Positions are a checkerboard that begins with phase 0.
    """

    mask: Tensor

    def __init__(self, shape: Plan, hidden: int) -> None:
        """shape: groups and channels; hidden: units of each step."""
        super().__init__()
        self.shape, self.hidden = shape, hidden
        count, groups = len(shape.channels), len(shape.groups)
        steps = groups * PHASES
        owner = np.repeat(np.arange(groups), shape.groups)
        mask = np.zeros((groups, PHASES, 1, count, TAPS), np.float32)
        for group in range(groups):
            mask[group, :, :, owner < group] = 1
            mask[group, 1, :, owner == group, 1::2] = 1  # the other colour of the checkerboard
        whole = np.broadcast_to(mask, (groups, PHASES, hidden, count, TAPS))
        self.register_buffer("mask", torch.tensor(whole.reshape(-1, count, 3, 3).copy()))
        spread = 0.5 / math.sqrt(count)
        self.enter = nn.Parameter(torch.randn(steps * hidden, count, 3, 3) * spread)
        self.side = nn.Parameter(torch.randn(steps * hidden, count + 1, 3, 3) * spread * 0.3)
        self.enter_bias = nn.Parameter(torch.rand(ROWS, steps * hidden))
        self.leave = nn.Parameter(torch.randn(count, PHASES, 2, hidden) * 0.02)
        self.leave_bias = nn.Parameter(torch.zeros(ROWS, count, PHASES, 2))
        self.leave_bias.data[..., 1] = 1.0

    def weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """enter, side and leave as the integers over their scales, straight through."""
        return (
            _rounded(self.enter * self.mask, ENTER_SCALE),
            _rounded(self.side, ENTER_SCALE),
            _rounded(self.leave, LEAVE_SCALE),
        )

    def forward(
        self, symbols: Tensor, side: Tensor, code: Tensor, bias: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """See the class; bias: (B, 2 G H), added to what enters the hidden units."""
        batch, count, height, width = symbols.shape
        enter, beside, leave = self.weights()
        inputs = torch.cat((symbols.clamp(-REACH, REACH), side), 1)
        hidden = F.conv2d(inputs, torch.cat((enter, beside), 1), padding=1)
        low = (code // CODE_STEP).clamp(max=ROWS - 2)
        part = (code - low * CODE_STEP).float()[:, None] / CODE_STEP

        def between(rows: Tensor) -> Tensor:
            flat = rows.flatten(1)
            return flat[low] * (1 - part) + flat[low + 1] * part

        entering = between(self.enter_bias) + (0.0 if bias is None else bias)
        hidden = hidden + entering[:, :, None, None]
        hidden = hidden.clamp(0, HIDDEN_MAX / ENTER_SCALE)
        hidden = hidden.reshape(batch, -1, PHASES, self.hidden, height, width)
        bias = between(self.leave_bias).reshape(batch, count, PHASES, 2, 1, 1)
        found = []
        start = 0
        for group, size in enumerate(self.shape.groups.tolist()):
            part_of = leave[start : start + size]
            found.append(torch.einsum("bphyx,cpoh->bcpoyx", hidden[:, group], part_of))
            start += size
        out = torch.cat(found, 1) + bias
        rows = torch.arange(height, device=out.device)[:, None]
        odd = ((rows + torch.arange(width, device=out.device)) % 2).to(out.dtype)
        chosen = out[:, :, 0] * (1 - odd) + out[:, :, 1] * odd
        return chosen[:, :, 0], chosen[:, :, 1] + LOWEST_LOG_SPREAD


def _rounded(weight: Tensor, scale: float) -> Tensor:
    limited = (weight * scale).clamp(-_WEIGHT_MAX, _WEIGHT_MAX)
    straight: Tensor = limited + (limited.round() - limited).detach()
    return straight / scale


def laplace_bits(symbols: Tensor, mean: Tensor, log_spread: Tensor) -> Tensor:
    """Bits of whole numbers under a Laplacian of any mean, elementwise."""
    spread = log_spread.clamp(-3.2, 4.0).exp()

    def cdf(x: Tensor) -> Tensor:
        tail = 0.5 * torch.exp(-x.abs() / spread)
        return torch.where(x < 0, tail, 1 - tail)

    mass = cdf(symbols + 0.5 - mean) - cdf(symbols - 0.5 - mean)
    return -torch.log2(mass.clamp(min=2.0**-18))


def train(samples: Sequence[Sample], model: ContextModel, config: ContextConfig) -> ContextModel:
    """Fit the network to symbols."""
    torch.manual_seed(config.seed)
    rng = np.random.default_rng(config.seed)
    shape = model.shape
    optimizer = torch.optim.Adam(model.parameters(), config.lr)
    coded = coded_from(shape)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * schedule(step / config.steps, step)
        symbols, side, code = windows(
            draw(samples, config.batch, rng), shape.channels, config.window, rng
        )
        mean, log_spread = model(symbols, side, code)
        bits = laplace_bits(symbols, mean, log_spread)
        live = (coded[None] <= code[:, None])[:, :, None, None]
        # Every rate counts alike, though high ones have ten times the bits.
        per_window = (bits * live).sum((1, 2, 3))
        weight = 1.0 / (per_window.detach() + 40.0)
        loss = (per_window * weight).sum() / config.batch
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return model.eval()


def schedule(done: float, step: int) -> float:
    """Share of the learning rate: a short warm-up, then half a cosine."""
    return min(1.0, (step + 1) / 50) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))


def coded_from(shape: Plan) -> Tensor:
    """The first rate code (n,) of every coded channel."""
    return torch.tensor(np.repeat(shape.first_code, shape.groups).astype(np.int64))


def from_network(network: ContextNetwork) -> ContextModel:
    """A finished network as a model to train on; `to_network` is the inverse."""
    hidden = network.enter.shape[2]
    model = ContextModel(Plan(network.channels, network.groups, network.first_code), hidden)
    load(model, network)
    return model


def load(model: ContextModel, network: ContextNetwork) -> None:
    """Give a model the weights of a finished network of its shape."""

    def weights(array: NDArray[np.int8]) -> Tensor:
        taps_last = torch.tensor(array, dtype=torch.float32).transpose(3, 4)
        return taps_last.reshape(-1, array.shape[-1], 3, 3) / ENTER_SCALE

    with torch.no_grad():
        model.enter.copy_(weights(network.enter))
        model.side.copy_(weights(network.side))
        model.enter_bias.copy_(torch.tensor(network.enter_bias.reshape(ROWS, -1)) / ENTER_SCALE)
        model.leave.copy_(torch.tensor(network.leave) / LEAVE_SCALE)
        model.leave_bias.copy_(torch.tensor(network.leave_bias) / UNIT)


def to_network(
    model: ContextModel, gains: NDArray[np.int32], counts: NDArray[np.int64] | None = None
) -> ContextNetwork:
    """The integers of a trained model; its bank from counts (232, 255), else Laplacians alone."""
    cdfs, offsets = symbol_tables(counts)
    bank, sizes = stack(cdfs)
    return ContextNetwork(
        **integers(model, gains), cdfs=bank, sizes=sizes, offsets=np.array(offsets, np.int32)
    )


def integers(model: ContextModel, gains: NDArray[np.int32]) -> dict[str, NDArray[Any]]:
    """The arrays of a trained model, all but the bank."""
    shape, hidden = model.shape, model.hidden
    count, groups = len(shape.channels), len(shape.groups)
    with torch.inference_mode():
        enter, side, leave = (weight.double().numpy() for weight in model.weights())
        enter_bias = model.enter_bias.double().numpy() * ENTER_SCALE
        leave_bias = model.leave_bias.double().numpy() * UNIT

    def taps_first(weight: NDArray[np.float64]) -> NDArray[np.int8]:
        whole = weight.reshape(groups, PHASES, hidden, -1, TAPS)
        found: NDArray[np.int8] = np.rint(whole.transpose(0, 1, 2, 4, 3) * ENTER_SCALE).astype(
            np.int8
        )
        return found

    return {
        "channels": shape.channels,
        "groups": shape.groups,
        "first_code": shape.first_code,
        "gains": gains,
        "enter": taps_first(enter),
        "side": taps_first(side),
        "enter_bias": np.rint(enter_bias).reshape(ROWS, groups, PHASES, hidden).astype(np.int32),
        "leave": np.rint(leave * LEAVE_SCALE).astype(np.int8),
        "leave_bias": np.rint(leave_bias).reshape(ROWS, count, PHASES, 2).astype(np.int32),
    }


def symbol_tables(counts: NDArray[np.int64] | None) -> tuple[list[NDArray[np.int32]], list[int]]:
    """A table for each level and fraction, in their order, and its first symbol."""
    symbol = np.arange(-MAX_SYMBOL, MAX_SYMBOL + 1)
    cdfs, offsets = [], []
    for table in range(TABLES):
        level, fraction = divmod(table, FRACTIONS)
        spread = math.exp(LOWEST_LOG_SPREAD + LEVEL_STEP * (level + 0.5))
        mean = (fraction - FRACTIONS // 2) / FRACTIONS
        pmf = _laplacian(symbol, mean, spread)
        if counts is not None:
            pmf = counts[table] + _PRIOR_COUNTS * pmf
            pmf /= pmf.sum()
        cdf, offset = table_of(pmf)
        cdfs.append(cdf)
        offsets.append(offset)
    return cdfs, offsets


def _laplacian(symbol: NDArray[np.int64], mean: float, spread: float) -> NDArray[np.float64]:
    def cdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
        tail = 0.5 * np.exp(-np.abs(x) / spread)
        below: NDArray[np.float64] = np.where(x < 0, tail, 1 - tail)
        return below

    mass: NDArray[np.float64] = cdf(symbol + 0.5 - mean) - cdf(symbol - 0.5 - mean)
    mass = np.maximum(mass, 1e-12)
    whole: NDArray[np.float64] = mass / mass.sum()
    return whole
