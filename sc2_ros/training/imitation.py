# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Feeds network/semantics.py what imitates a teacher's features (Entropic Student, stage one)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.network.semantics import Semantics
from sc2_ros.training.latents import image_tensor

IMITATED = {"imitated": "stage1", "understood": "stage2"}
"""Features of the ground network, and their names in the answers of a teacher on EfficientNet.
The first at stride 8 go into the blocks, the second at stride 16 come out of them: what is not
understood from the second need not be right in the first."""
_SIDE = 32
_RIDGE = 1e-3


def imitation_loss(
    found: dict[str, Tensor], wanted: dict[str, Tensor], cells: Tensor, weights: Tensor
) -> Tensor:
    """Mean squared difference of features (B, C, h, w), in units of their channels' variance.

    Args:
        found: of the ground network, by the names of IMITATED.
        wanted: of the teacher, by its own.
        cells: (B, 1, H/4, W/4), 1 where latents arrived.
        weights: (B,), of the images.
    """
    losses = []
    for name, theirs in IMITATED.items():
        target = wanted[theirs].float()
        known = F.max_pool2d(cells, cells.shape[2] // target.shape[2])
        scale = target.var((0, 2, 3), keepdim=True).clamp(min=1e-4)
        far = ((found[name].float() - target).square() / scale).mean(1, keepdim=True)
        far = far * weights[:, None, None, None]
        losses.append((far * known).sum() / known.sum().clamp(min=1))
    return torch.stack(losses).mean()


@torch.no_grad()
def begin_imitating(
    encoder: nn.Module,
    ground: nn.Module,
    semantics: Semantics,
    teacher: Callable[[Tensor], dict[str, Tensor]],
    images: Iterable[NDArray[np.uint8]],
) -> None:
    """Set the convolution that feeds the semantics to the least squares fit of the teacher.

    Gradients would take a third of a training for it: the features have spreads of up to ten, and a
    step of Muon is of one size.

    images: (H, W, 3) or (H, W), nothing of them quantised or lost.
    """
    seen: list[Tensor] = []
    hook = semantics.imitate.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    gram, mixed = torch.zeros(()), torch.zeros(())
    networks = nn.ModuleList([encoder, ground])
    was_training = ground.training
    networks.eval()
    try:
        for image in images:
            tensor = image_tensor(image, _SIDE)
            latent = encoder(tensor)
            ground(latent, torch.ones_like(latent[:, :1]), mask=False, preview=False)
            x = seen.pop().double()[0].flatten(1)
            x = torch.cat((x, torch.ones_like(x[:1])))
            wanted = teacher(tensor)[IMITATED["imitated"]].double()[0].flatten(1)
            gram, mixed = gram + x @ x.T, mixed + x @ wanted.T
    finally:
        hook.remove()
        networks.train(was_training)
    ridge = _RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
    fit = torch.linalg.solve(gram + ridge, mixed).float()
    semantics.imitate.weight.copy_(fit[:-1].T[..., None, None])
    semantics.imitate.bias.copy_(fit[-1])
