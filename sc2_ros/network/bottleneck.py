# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The bottleneck in training: gains for every rate, noise for the rate, rounding for the task.

At run time the codec does the same with integers and tables (sc2_ros.codec); this module is
what makes a network that survives it.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ANCHORS = 5
CONTEXTS = 6
GROUPS = (8, 24, 32)
# Thresholds of the neighbourhood sum, per channel group (the first group has no context).
THRESHOLDS = ((1, 2, 3, 4, 5), (1, 3, 7, 14, 28), (1, 4, 10, 24, 50))


def interpolate_anchors(table: Tensor, rate: Tensor) -> Tensor:
    """Linear interpolation over the anchors: (A, ...) at rate (B,) in [0, 1] -> (B, ...)."""
    position = rate.clamp(0, 1) * (table.shape[0] - 1)
    low = position.floor().long().clamp(max=table.shape[0] - 2)
    weight = (position - low).view(-1, *([1] * (table.dim() - 1)))
    return table[low] * (1 - weight) + table[low + 1] * weight


def laplace_bits(value: Tensor, scale: Tensor) -> Tensor:
    """Bits of the unit interval around value under a zero-mean Laplace density of that scale."""
    magnitude = value.abs()
    inside = 1 - 0.5 * (
        torch.exp(-(0.5 - magnitude).clamp(min=0) / scale) + torch.exp(-(0.5 + magnitude) / scale)
    )
    outside = (
        -(magnitude - 0.5).clamp(min=0) / scale
        + math.log(0.5)
        + torch.log(-torch.expm1(-1.0 / scale))
    )
    nats = torch.where(magnitude > 0.5, outside, torch.log(inside.clamp(min=1e-9)))
    return nats / -math.log(2.0)


class Bottleneck(nn.Module):
    """Gain, quantise, price, undo the gain; with a prior that looks at what is around.

    ::

        latent y (B, C, h, w), rate r (B,)
          z = y * gain(r)                              gains: Cui et al. 2021 (asymmetric gained)
          rate:  bits(z + U(-1/2, 1/2) | context)      Balle et al. 2017, eq. 5
          task:  y_hat = round(z) / gain(r)            straight-through (Minnen & Singh 2020)

    The context of a position is the sum of the magnitudes, up to 3, of the groups before it in its
    3x3 neighbourhood, in CONTEXTS classes: far cheaper than the integer network that the codec gets
    once training is over, and it shapes the latent well enough.
    """

    def __init__(self, channels: int = 64, groups: tuple[int, ...] = GROUPS) -> None:
        """channels: C; groups: channels coded together, in order; they sum up to C."""
        super().__init__()
        if sum(groups) != channels:
            raise ValueError(f"groups {groups} do not sum to {channels} channels")
        self.groups = groups
        start = torch.linspace(math.log(1.0), math.log(6.0), ANCHORS)
        self.log_gain = nn.Parameter(start[:, None].repeat(1, channels))
        level = (
            torch.linspace(-1.0, 0.5, CONTEXTS)[None, :]
            + torch.linspace(0.0, 1.0, ANCHORS)[:, None]
        )
        self.log_scale = nn.Parameter(level[:, :, None].repeat(1, 1, channels))

    def gains(self, rate: Tensor) -> Tensor:
        """(B,) -> (B, C, 1, 1)."""
        return interpolate_anchors(self.log_gain, rate).exp()[..., None, None]

    @torch.no_grad()
    def contexts(self, symbols: Tensor) -> list[Tensor]:
        """Symbols (B, C, h, w) -> per group the context (B, h, w) int64."""
        result = [torch.zeros(symbols.shape[0], *symbols.shape[2:], dtype=torch.long)]
        result[0] = result[0].to(symbols.device)
        stop = 0
        activity = symbols.abs().clamp(max=3)
        for number, size in enumerate(self.groups[:-1], start=1):
            stop += size
            total = activity[:, :stop].sum(1, keepdim=True)
            near = F.avg_pool2d(total, 3, 1, 1, divisor_override=1).squeeze(1).contiguous()
            edges = torch.tensor(THRESHOLDS[number], dtype=near.dtype, device=near.device)
            result.append(torch.bucketize(near, edges, right=True))
        return result

    def forward(self, latent: Tensor, rate: Tensor) -> tuple[Tensor, Tensor]:
        """Latent (B, C, h, w), rate (B,) -> (y_hat (B, C, h, w), bits (B, h, w))."""
        latent = latent.float()
        gain = self.gains(rate)
        scaled = latent * gain
        rounded = scaled.round().clamp(-127, 127)
        scales = interpolate_anchors(self.log_scale, rate).clamp(-4, 5).exp()  # (B, K, C)
        chosen = []
        start = 0
        for size, context in zip(self.groups, self.contexts(rounded), strict=True):
            onehot = F.one_hot(context, CONTEXTS).to(scales.dtype)  # (B, h, w, K)
            chosen.append(
                torch.einsum("bhwk,bkc->bchw", onehot, scales[:, :, start : start + size])
            )
            start += size
        noisy = scaled + torch.rand_like(scaled) - 0.5
        bits = laplace_bits(noisy, torch.cat(chosen, 1)).sum(1)
        straight = scaled + (rounded - scaled).detach()
        return straight / gain, bits


def drop_patches(
    batch: int, height: int, width: int, probability: float, device: torch.device
) -> Tensor:
    """Which latents arrived, (B, 1, h, w) float 0/1: rectangular patches lost as packets are."""
    received = torch.ones(batch, 1, height, width, device=device)
    for number in range(batch):
        if torch.rand(()) >= probability:
            continue
        rows, cols = (int(torch.randint(1, 4, ())) for _ in range(2))
        lost = torch.rand(rows, cols) < 0.3
        if lost.all():
            continue
        mask = F.interpolate(lost[None, None].float(), (height, width), mode="nearest")[0]
        received[number] -= mask.to(device)
    return received
