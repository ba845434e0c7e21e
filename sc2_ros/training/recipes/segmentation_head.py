# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A new segmentation head on a finished checkpoint, whose stream does not change."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.network.heads import SegmentationHead
from sc2_ros.training.augment import VOID
from sc2_ros.training.batches import Batch, open_sources
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.head_on_stream import HeadOnStream, train_head
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.segmentation_loss import segmentation_loss

TAKES = ("init", "resume")


def head_loss(
    model: HeadOnStream, batch: Batch, code: Tensor, received: Tensor
) -> tuple[Tensor, dict[str, float]]:
    """Loss of the head where latents arrived (`head_on_stream.HeadLoss`)."""
    logits = model(batch.image, code, received)
    cells = F.interpolate(received, logits.shape[2:], mode="nearest")[:, 0]
    truth = batch.mask.masked_fill(cells == 0, VOID)
    loss = segmentation_loss(logits, truth)
    hit = ((logits.argmax(1) == truth) & (truth != VOID)).sum() / (truth != VOID).sum().clamp(min=1)
    return loss, {"mask": float(loss.detach()), "accuracy": float(hit)}


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train the head of the checkpoint that --init names; write OUT/checkpoint.safetensors."""
    check_settings(config.settings, "mask_classes")
    if options.init is None:
        raise ParameterError("segmentation_head needs a checkpoint: --init default, or a file")
    parts = checkpoint.read(options.init)
    classes = mask_classes_of(config, parts.card["mask_classes"])
    sources = open_sources(config.sources, config.augment, mask_classes=classes)
    if not any((source.mask_lookup != VOID).any() for source in sources):
        raise ParameterError("segmentation_head needs a data set with masks; none of them has any")
    torch.manual_seed(config.trainer.seed)
    if classes != tuple(parts.card["mask_classes"]):
        parts.ground.segmentation = SegmentationHead(parts.ground.backbone.widths, len(classes))
    card = {"mask_classes": list(classes)}
    return train_head(parts, "segmentation", head_loss, sources, config, options, card)
