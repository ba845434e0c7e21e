# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The context network of sc2_ros.codec.entropy in training: its integers, in torch.

::

    symbols of training images at every rate
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

from sc2_ros.codec.entropy.cdf import Bank
from sc2_ros.codec.entropy.context_network import (
    CODE_STEP,
    HIDDEN_MAX,
    REACH,
    ROWS,
    ContextNetwork,
)
from sc2_ros.codec.slicing import PHASES, TAPS
from sc2_ros.codec.tables import LOG_SPREAD_UNIT, LOWEST_LOG_SPREAD, laplacian_bank, table_of
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.errors import ParameterError
from sc2_ros.network.channels import LATENT_CHANNELS
from sc2_ros.training.symbol_windows import Sample, draw, windows

ENTER_SCALE = 32.0
LEAVE_SCALE = LOG_SPREAD_UNIT / ENTER_SCALE
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
        channels: of the latent at most, those that are most often other than zero; each costs the
            drone time in every frame, also where only the highest rates have a use for it.
        hidden: units of each step.
        rates: at how many rates each image is seen.
        steps: of training.
        batch: windows in a step.
        window: positions on a side of a window.
        lr: of Adam, at its peak.
        seed: of all that is random.
    """

    groups: int = 5
    late_groups: int = 1
    channels: int = LATENT_CHANNELS
    hidden: int = 32
    rates: int = 6
    steps: int = 2000
    batch: int = 24
    window: int = 20
    lr: float = 4e-3
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise ParameterError for what no network can be made or trained with."""
        for name in ("groups", "late_groups", "channels", "hidden", "batch", "window"):
            if getattr(self, name) < 1:
                raise ParameterError(f"{name} is {getattr(self, name)}; give 1 or more")
        for name in ("steps", "lr", "seed"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ParameterError(f"{name} is {getattr(self, name)}; give 0 or more")
        check_rates("rates", self.rates)


def check_rates(name: str, count: int) -> None:
    """Raise ParameterError for a number of different rate codes that there are not."""
    if not 1 <= count <= RATE_CODES:
        raise ParameterError(f"{name} is {count}; give 1 to {RATE_CODES}")


@dataclass(frozen=True, eq=False)
class NetworkShape:
    """groups (G,) and first_code (G,), as in ContextNetwork."""

    groups: NDArray[np.int32]
    first_code: NDArray[np.int32]

    @property
    def count(self) -> int:
        """Channels, n."""
        return int(self.groups.sum())

    @classmethod
    def of(cls, network: ContextNetwork) -> NetworkShape:
        """That of a finished network."""
        return cls(network.groups, network.first_code)


def choose_channels(
    samples: Sequence[Sample], config: ContextConfig, *, keep_all: bool = False
) -> tuple[NDArray[np.int64], NetworkShape]:
    """Which channels of the latent are coded, in coding order; in which groups, from which code on.

    keep_all: those that are hardly ever anything are coded all the same, at the highest rates, and
    however many there are.
    """
    channels = len(samples[0].symbols)
    active = np.zeros((RATE_CODES, channels))
    seen = np.zeros(RATE_CODES)
    for sample in samples:
        active[sample.code] += (sample.symbols != 0).mean((1, 2))
        seen[sample.code] += 1
    share = active / np.maximum(seen, 1)[:, None]
    if not keep_all:
        share[:, np.argsort(-share.sum(0), kind="stable")[config.channels :]] = 0
    main = np.flatnonzero((share[: _MAIN_CODE + 1] >= _ALIVE).any(0))
    if not len(main):
        main = np.array([0])
    late = np.flatnonzero((share >= _ALIVE).any(0) | keep_all)
    late = np.setdiff1d(late, main)
    parts = [part for part in np.array_split(main, config.groups) if len(part)]
    firsts = [0] * len(parts)
    if len(late):
        late_parts = [part for part in np.array_split(late, config.late_groups) if len(part)]
        begun = np.flatnonzero((share[:, late] >= _ALIVE).any(1))
        first = int(begun[0]) if len(begun) else RATE_CODES - 1
        parts += late_parts
        firsts += [max(first - CODE_STEP // 2, 0)] * len(late_parts)
    groups = np.array([len(part) for part in parts], np.int32)
    return np.concatenate(parts), NetworkShape(groups, np.array(firsts, np.int32))


class ContextModel(nn.Module):
    """What the integer network computes, with a gradient.

    forward: symbols (B, n, h, w), code (B,) and, in the network of predicted frames, side
    (B, n + 1, h, w) -> mean and log spread (B, n, h, w) of every symbol. Positions are a
    checkerboard that begins with phase 0.
    """

    mask: Tensor

    def __init__(self, shape: NetworkShape, hidden: int, *, has_side: bool = False) -> None:
        """shape: of the groups; hidden: units of each step; has_side: of predicted frames."""
        super().__init__()
        self.shape, self.hidden = shape, hidden
        count, groups = shape.count, len(shape.groups)
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
        self.side = None
        if has_side:
            self.side = nn.Parameter(torch.randn(steps * hidden, count + 1, 3, 3) * spread * 0.3)
        self.enter_bias = nn.Parameter(torch.rand(ROWS, steps * hidden))
        self.leave = nn.Parameter(torch.randn(count, PHASES, 2, hidden) * 0.02)
        self.leave_bias = nn.Parameter(torch.zeros(ROWS, count, PHASES, 2))
        self.leave_bias.data[..., 1] = 1.0

    def entering(self) -> Tensor:
        """Weights of symbols and of side as the integers over their scale, straight through."""
        enter = _rounded(self.enter * self.mask, ENTER_SCALE)
        return enter if self.side is None else torch.cat((enter, self._side()), 1)

    def leaving(self) -> Tensor:
        """The same of what leaves the hidden units."""
        return _rounded(self.leave, LEAVE_SCALE)

    def _side(self) -> Tensor:
        assert self.side is not None
        return _rounded(self.side, ENTER_SCALE)

    def forward(
        self,
        symbols: Tensor,
        code: Tensor,
        side: Tensor | None = None,
        bias: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """See the class; bias: (B, 2 G H), added to what enters the hidden units."""
        batch, count, height, width = symbols.shape
        inputs = symbols.clamp(-REACH, REACH)
        if side is not None:
            inputs = torch.cat((inputs, side), 1)
        hidden = F.conv2d(inputs, self.entering(), padding=1)
        leave = self.leaving()
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
    optimizer = torch.optim.Adam(model.parameters(), config.lr)
    coded = coded_from(model.shape)
    for step in range(config.steps):
        for group in optimizer.param_groups:
            group["lr"] = config.lr * schedule(step / config.steps, step)
        symbols, code, _ = windows(draw(samples, config.batch, rng), config.window, rng)
        mean, log_spread = model(symbols, code)
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


def coded_from(shape: NetworkShape) -> Tensor:
    """The first rate code (n,) of every coded channel."""
    return torch.tensor(np.repeat(shape.first_code, shape.groups).astype(np.int64))


def from_network(network: ContextNetwork) -> ContextModel:
    """A finished network as a model to train on; `to_network` is the inverse."""
    model = ContextModel(NetworkShape.of(network), network.enter.shape[2])
    load(model, network)
    return model


def load(model: ContextModel, network: ContextNetwork) -> None:
    """Give a model the weights of a finished network of its shape."""

    def weights(array: NDArray[np.int8]) -> Tensor:
        taps_last = torch.tensor(array, dtype=torch.float32).transpose(3, 4)
        return taps_last.reshape(-1, array.shape[-1], 3, 3) / ENTER_SCALE

    with torch.no_grad():
        model.enter.copy_(weights(network.enter))
        if model.side is not None and network.side is not None:
            model.side.copy_(weights(network.side))
        model.enter_bias.copy_(torch.tensor(network.enter_bias.reshape(ROWS, -1)) / ENTER_SCALE)
        model.leave.copy_(torch.tensor(network.leave) / LEAVE_SCALE)
        model.leave_bias.copy_(torch.tensor(network.leave_bias) / LOG_SPREAD_UNIT)


def to_network(model: ContextModel, counts: NDArray[np.int64] | None = None) -> ContextNetwork:
    """The integers of a trained model; its bank from counts (232, 255), else Laplacians alone."""
    return ContextNetwork(**integers(model), bank=Bank.of(*symbol_tables(counts)))


def integers(model: ContextModel) -> dict[str, NDArray[Any]]:
    """The arrays of a trained model, all but the bank and the share bias."""
    shape, hidden = model.shape, model.hidden
    groups = len(shape.groups)
    with torch.inference_mode():
        enter, leave = model.entering().double().numpy(), model.leaving().double().numpy()
        enter_bias = model.enter_bias.double().numpy() * ENTER_SCALE
        leave_bias = model.leave_bias.double().numpy() * LOG_SPREAD_UNIT
    both = enter.reshape(groups, PHASES, hidden, -1, TAPS).transpose(0, 1, 2, 4, 3)
    whole = np.rint(both * ENTER_SCALE).astype(np.int8)
    found = {
        "groups": shape.groups,
        "first_code": shape.first_code,
        "enter": whole[..., : shape.count],
        "enter_bias": np.rint(enter_bias).reshape(ROWS, groups, PHASES, hidden).astype(np.int32),
        "leave": np.rint(leave * LEAVE_SCALE).astype(np.int8),
        "leave_bias": np.rint(leave_bias).reshape(ROWS, -1, PHASES, 2).astype(np.int32),
    }
    return found if model.side is None else found | {"side": whole[..., shape.count :]}


def symbol_tables(counts: NDArray[np.int64] | None) -> tuple[list[NDArray[np.int32]], list[int]]:
    """A CDF for each level and fraction, in their order, and its first symbol."""
    cdfs, offsets = [], []
    for table, laplacian in enumerate(laplacian_bank()):
        pmf = laplacian
        if counts is not None:
            pmf = counts[table] + _PRIOR_COUNTS * pmf
            pmf /= pmf.sum()
        cdf, offset = table_of(pmf)
        cdfs.append(cdf)
        offsets.append(offset)
    return cdfs, offsets
