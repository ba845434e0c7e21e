# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The loss on held-out images, always the same ones: what chooses the best weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from sc2_ros.data import MASK_CLASSES
from sc2_ros.network.devices import AUTO, autocast
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.batches import make_batch
from sc2_ros.training.config import TrainConfig
from sc2_ros.training.sources import Source, SourceConfig
from sc2_ros.training.trainer import LossFunction, Validation

BATCHES = 8
_SEED = 20_260_101


def validation(
    config: TrainConfig, loss: LossFunction, mask_classes: Sequence[str] = MASK_CLASSES
) -> Validation | None:
    """The `validation_loss` of a training; None where it does not ask for one.

    loss, mask_classes: those of the training.
    """
    if config.trainer.validate_every <= 0:
        return None
    return validation_loss(config.sources, config.augment, loss, mask_classes)


def validation_loss(
    configs: Sequence[SourceConfig],
    augmentation: AugmentConfig,
    loss: LossFunction,
    mask_classes: Sequence[str] = MASK_CLASSES,
    prepare: Callable[[Source], None] = lambda source: None,
) -> Validation:
    """Mean loss over BATCHES batches of the data sets' val splits; score is minus that loss.

    Crops, rates and lost patches are drawn once and stay the same, so two networks are compared
    on the same questions. prepare: what a recipe does to its sources.
    """
    sources = [
        Source(config, augmentation, "val", mask_classes, limit=BATCHES * config.per_batch)
        for config in configs
    ]
    for source in sources:
        prepare(source)
    batches = [
        make_batch(sources, np.random.default_rng((_SEED, turn)), augmentation.crop)
        for turn in range(BATCHES)
    ]

    @torch.no_grad()
    def validate(model: nn.Module) -> dict[str, float]:
        device = next(model.parameters()).device
        total = 0.0
        with torch.random.fork_rng():
            for turn, batch in enumerate(batches):
                torch.manual_seed(_SEED + turn)
                with autocast(str(device), AUTO):
                    value, _ = loss(model, batch.to(device))
                total += float(value)
        return {"score": -total / len(batches)}

    return validate
