# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Torchvision's FCOS, from labels: what a stock detector has from the same data and minutes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from sc2_ros.data import DETECTION_CLASSES
from sc2_ros.errors import ParameterError
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split import efficientnet, fcos
from sc2_ros.training.batches import Batch
from sc2_ros.training.config import RunOptions, TrainConfig, build
from sc2_ros.training.split_training import finish, run_stage, sources_for

TAKES = ("resume",)


@dataclass(frozen=True)
class FcosSettings:
    """backbone, pretrained: see build_backbone; width: channels of pyramid and head."""

    backbone: str = efficientnet.NAME
    pretrained: bool = True
    width: int = 96


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train; write OUT/checkpoint.safetensors and return its path."""
    settings = build(FcosSettings, config.settings, "settings")
    torch.manual_seed(config.trainer.seed)
    sources, known = sources_for("detection", config)
    # An object that a data set does not label would count as background there.
    labelled = np.all([source.labelled for source in sources], 0)
    if not labelled.any():
        raise ParameterError("the data sets label no class that all of them have; train on one")
    classes = tuple(name for name, has in zip(known, labelled, strict=True) if has)
    card = split_checkpoint.make_card(
        recipe=fcos.NAME,
        task="detection",
        classes=classes,
        backbone=settings.backbone,
        detector={"name": fcos.NAME, "width": settings.width},
    )
    network = split_checkpoint.build_network(card, pretrained=settings.pretrained)
    number = torch.full((len(DETECTION_CLASSES),), -1)
    number[torch.from_numpy(labelled)] = torch.arange(len(classes))

    def loss(network: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        device = batch.image.device
        targets = []
        for target in batch.targets:
            labels = number[torch.from_numpy(target.labels)]
            boxes = torch.from_numpy(target.objects)[labels >= 0]
            targets.append(fcos.targets_of(boxes.to(device), labels[labels >= 0].to(device)))
        losses: dict[str, Tensor] = network(batch.image, targets)
        total = torch.stack(list(losses.values())).sum()
        return total, {name: float(value.detach()) for name, value in losses.items()}

    best, trainer = run_stage(network, loss, sources, config, options)
    assert isinstance(best, fcos.Fcos)
    return finish(best, sources, config, card, steps=trainer.step, minutes=trainer.minutes)
