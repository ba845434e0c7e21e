# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A new preview head on a finished checkpoint, whose stream does not change; no labels."""

from __future__ import annotations

from pathlib import Path

import torch
from pytorch_msssim import ms_ssim
from torch import Tensor
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.network.encoder import INPUT_SCALE, INPUT_SHIFT
from sc2_ros.network.heads import PREVIEW_CELL
from sc2_ros.training.batches import Batch, open_sources
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.head_on_stream import HeadOnStream, train_head

TAKES = ("init", "resume")

# Weights of the parts beside the mean difference.
_STRUCTURE, _FEATURES = 0.3, 0.05
# Of MS-SSIM, at five scales: smaller than the usual 11, so that a crop of 320 px has room for it.
_WINDOW = 7
_SMALLEST_CROP = (_WINDOW - 1) * 2**4 * PREVIEW_CELL + 32
# The encoder's layers up to its last at stride 8: edges and textures, not yet objects.
_LAYERS = 5


def head_loss(
    model: HeadOnStream, batch: Batch, code: Tensor, received: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Mean difference + MS-SSIM (Zhao et al. 2017) + difference in the encoder's features.

    The last is Johnson et al. 2016's perceptual loss with the encoder that is there anyway. What
    was lost on the way is filled from the image and so costs nothing (`head_on_stream.HeadLoss`).
    """
    image = batch.image
    found = model(image, code, received).float()
    wanted = F.avg_pool2d(image, PREVIEW_CELL)
    known = F.interpolate(received, wanted.shape[2:], mode="nearest")
    found = found * known + wanted * (1 - known)
    with torch.autocast(image.device.type, enabled=False):
        likeness = ms_ssim(found, wanted, data_range=1.0, win_size=_WINDOW)
    body = model.encoder.body[:_LAYERS]
    with torch.no_grad():
        theirs = body(_spread(wanted))
    ours = body(_spread(found))
    parts = {
        "difference": (found - wanted).abs().mean(),
        "structure": 1 - likeness,
        "features": (ours - theirs).float().abs().mean(),
    }
    loss = parts["difference"] + _STRUCTURE * parts["structure"] + _FEATURES * parts["features"]
    return loss, {name: float(value.detach()) for name, value in parts.items()}


def _spread(picture: Tensor) -> Tensor:
    """A picture at half the resolution as the encoder wants it."""
    whole = F.interpolate(picture, scale_factor=float(PREVIEW_CELL), mode="bilinear")
    return whole * INPUT_SCALE + INPUT_SHIFT


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train the head of the checkpoint that --init names; write OUT/checkpoint.safetensors."""
    check_settings(config.settings)
    if options.init is None:
        raise ParameterError("preview_head needs a checkpoint: --init default, or a file")
    if config.augment.crop < _SMALLEST_CROP:
        raise ParameterError(
            f"augment: crop is {config.augment.crop}; preview_head compares at five scales and "
            f"needs {_SMALLEST_CROP} px or more"
        )
    parts = checkpoint.read(options.init)
    sources = open_sources(config.sources, config.augment)
    torch.manual_seed(config.trainer.seed)
    return train_head(parts, "preview", head_loss, sources, config, options, {})
