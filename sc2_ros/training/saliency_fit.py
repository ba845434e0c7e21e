# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A saliency head for a trained stream, without labels: it learns where the ground finds objects.

::

    image -> encoder -> latent, not quantised -> ground network -> boxes -> positions they cover
                                              -> SaliencyHead   -> logit per position
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional as F

from sc2_ros.network.decode import decode_detections
from sc2_ros.network.encoder import STRIDE
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.training.latents import latents

Image = NDArray[np.uint8]

_LARGEST = 640
_SCORE = 0.1
_MARGIN = 8
"""Pixels by which a box is taken to be larger: what tells an object from what is around it."""
_EPOCHS, _LR, _DECAY = 12, 3e-3, 0.8
_FEWEST = 1e-3


def fit(
    encoder: nn.Module, ground: nn.Module, images: Sequence[Image], seed: int = 0
) -> SaliencyHead | None:
    """A head for an encoder; None where the ground network finds nothing on the images.

    Args:
        encoder: in eval mode, with the weights that the checkpoint will hold.
        ground: in eval mode.
        images: uint8 (H, W[, 3]); of larger ones a part of 640 x 640 pixels is used.
        seed: of the parts, the order and the weights.
    """
    rng = np.random.default_rng(seed)
    parts = [_part(image, rng) for image in images]
    data = [torch.from_numpy(latent)[None] for latent in latents(encoder, parts)]
    truth = [_covered(ground, latent) for latent in data]
    if not data or sum(float(where.mean()) for where in truth) < _FEWEST * len(truth):
        return None
    spread = torch.stack([latent.std((0, 2, 3)) for latent in data]).mean(0).clamp_min(1e-6)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = SaliencyHead(len(spread))
    optimizer = torch.optim.Adam(head.parameters(), _LR)
    schedule = torch.optim.lr_scheduler.ExponentialLR(optimizer, _DECAY)
    for _ in range(_EPOCHS):
        for number in rng.permutation(len(data)):
            logit = head(data[number] / spread[:, None, None])
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(logit, truth[number]).backward()
            optimizer.step()
        schedule.step()
    head.enter.weight.data /= spread[:, None, None]
    return head.eval()


def _part(image: Image, rng: np.random.Generator) -> Image:
    for axis in (0, 1):
        spare = image.shape[axis] - _LARGEST
        if spare > 0:
            start = int(rng.integers(spare + 1))
            image = image[(slice(None),) * axis + (slice(start, start + _LARGEST),)]
    return image


@torch.no_grad()
def _covered(ground: nn.Module, latent: torch.Tensor) -> torch.Tensor:
    """(1, 1, h, w): 1 where one of the boxes that the ground network finds reaches."""
    height, width = latent.shape[2:]
    output = ground(latent, torch.ones(1, 1, height, width), mask=False, preview=False)
    found = decode_detections(
        output["heatmap"][0],
        output["box"][0],
        size=(width * STRIDE, height * STRIDE),
        score_threshold=_SCORE,
    )
    covered = torch.zeros(1, 1, height, width)
    for left, top, right, bottom in found.boxes.tolist():
        rows = slice(max(int(top - _MARGIN) // STRIDE, 0), int(bottom + _MARGIN) // STRIDE + 1)
        cols = slice(max(int(left - _MARGIN) // STRIDE, 0), int(right + _MARGIN) // STRIDE + 1)
        covered[..., rows, cols] = 1
    return covered
