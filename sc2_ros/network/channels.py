# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latent channels of a trained stream: those that are never coded are left out when it is exported.

Training begins with 64 channels, of which its rate term leaves some twenty alive. The others are
zero on the ground at every rate, so a stream without them gives the same answers.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LATENT_CHANNELS = 64
"""With which training begins."""
_OUTPUTS = ("encoder.project.weight", "encoder.project.bias")
_INPUTS = ("ground.backbone.enter.0.weight", "ground.preview.enter.0.weight")
"""Of the latent's channels and, behind them, the one of what was received."""
_SALIENCY = ("saliency.enter.weight",)

State = dict[str, Tensor]


def kept(state: State, channels: Sequence[int]) -> State:
    """Weights encoder.*, ground.*, saliency.* with these channels of the latent, in this order."""
    rows = torch.as_tensor(channels)
    found = dict(state)
    for name in _OUTPUTS:
        found[name] = state[name][rows]
    for name in _INPUTS:
        last = torch.tensor([state[name].shape[1] - 1])
        found[name] = state[name][:, torch.cat((rows, last))]
    for name in _SALIENCY:
        if name in state:
            found[name] = state[name][:, rows]
    return found


def widened(state: State, channels: int = LATENT_CHANNELS, *, to_learn: bool = False) -> State:
    """Weights encoder.* and ground.* with further channels, which change no answer.

    to_learn: the encoder fills them with unit spread, as in a new one, and only the ground takes no
    notice yet. Where both sides are zero, neither has a gradient, and they stay so for ever.
    """
    missing = channels - len(state[_OUTPUTS[0]])
    found = dict(state)
    for name in _OUTPUTS:
        more = state[name].new_zeros(missing, *state[name].shape[1:])
        if to_learn and more.dim() == 4:
            chance = torch.Generator().manual_seed(0)
            more.normal_(std=more.shape[1] ** -0.5, generator=chance)
        found[name] = torch.cat((state[name], more))
    for name in _INPUTS:
        weight = state[name]
        more = weight.new_zeros(len(weight), missing, *weight.shape[2:])
        found[name] = torch.cat((weight[:, :-1], more, weight[:, -1:]), 1)
    return found
