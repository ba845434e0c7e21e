# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ground network without bottleneck, from labels: the ceiling of every table, and the teacher."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sc2_ros.data import MASK_CLASSES
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.backbones import DEFAULT
from sc2_ros.split.heads import TaskNetwork
from sc2_ros.training.batches import Batch
from sc2_ros.training.config import RunOptions, TrainConfig, build
from sc2_ros.training.split_training import finish, run_stage, sources_for
from sc2_ros.training.starting import begin_with, teacher_weights_of
from sc2_ros.training.task_loss import task_loss
from sc2_ros.training.validation import validation

TAKES = ("init", "resume")


@dataclass(frozen=True)
class TeacherSettings:
    """task: one of split.heads.TASKS; backbone, pretrained: see build_backbone."""

    task: str
    backbone: str = DEFAULT
    pretrained: bool = False


def teacher_loss(
    network: nn.Module, batch: Batch, quality: float = 0.0
) -> tuple[Tensor, dict[str, float]]:
    """Loss against the labels, and the hit rate where there is one."""
    found: dict[str, Any] = network(batch.image)
    loss = task_loss(found, batch, quality)
    parts = {"loss": float(loss.detach())}
    if "logits" in found:
        parts["top1"] = float((found["logits"].argmax(1) == batch.category).float().mean())
    return loss, parts


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train; write OUT/checkpoint.safetensors and return its path."""
    settings = build(TeacherSettings, config.settings, "settings")
    torch.manual_seed(config.trainer.seed)
    sources, classes = sources_for(settings.task, config)
    card = split_checkpoint.make_card(
        recipe="teacher",
        task=settings.task,
        classes=classes,
        backbone=settings.backbone,
        crop=config.augment.crop,
    )
    network = split_checkpoint.build_network(card, pretrained=settings.pretrained)
    assert isinstance(network, TaskNetwork)
    if options.init is not None:
        begin_with(network, teacher_weights_of(options.init), options.init)
    masks = classes if settings.task == "segmentation" else MASK_CLASSES
    # Scores that tell how well a box fits, as those of a stream that learns from them.
    loss = partial(teacher_loss, quality=config.loss.quality)
    validate = validation(config, loss, masks)
    best, trainer = run_stage(network, loss, sources, config, options, validate=validate)
    assert isinstance(best, TaskNetwork)
    return finish(best, sources, config, card, steps=trainer.step, minutes=trainer.minutes)
