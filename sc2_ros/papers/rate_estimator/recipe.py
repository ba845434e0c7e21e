# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Neural rate estimator: Ahuja et al., CVPR 2023 workshops (pp. 2022-2030).

Only the bottleneck unit learns, the backbone is frozen on both sides of it::

    supervised     loss = task loss + lambda x bits per pixel
    unsupervised   loss = mean |teacher's last features - ours| + lambda x bits per pixel
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.errors import ParameterError
from sc2_ros.split.network import SplitNetwork
from sc2_ros.training.batches import Batch
from sc2_ros.training.config import RunOptions, TrainConfig, build
from sc2_ros.training.split_training import (
    Teacher,
    begin,
    bits_per_pixel,
    finish,
    log_parts,
    run_stage,
    start_student,
)
from sc2_ros.training.task_loss import task_loss

TAKES = ("init", "resume", "teacher")


@dataclass(frozen=True)
class RateEstimatorSettings:
    """What the paper searches over, and which loss; price: lambda."""

    price: float = 0.1
    split: int = 2
    stride: int = 2
    channels: int = 16
    step: float = 1.0
    supervised: bool = False

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.price < 0 or self.stride not in (1, 2, 4):
            raise ParameterError(
                f"price {self.price}, stride {self.stride}: use 0 or more, and 1, 2 or 4"
            )


def unit_loss(
    network: nn.Module, batch: Batch, teacher: Teacher, price: float, supervised: bool
) -> tuple[Tensor, dict[str, float]]:
    """Either loss of the paper (section 3.3)."""
    found: dict[str, Any] = network(batch.image)
    bpp = bits_per_pixel(found, batch)
    if supervised:
        distortion = task_loss(found, batch)
    else:
        last = teacher(batch.image)["features"][-1]
        distortion = F.l1_loss(found["features"][-1].float(), last.float())
    return distortion + price * bpp, log_parts(distortion=distortion, bpp=bpp)


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train the unit; write OUT/checkpoint.safetensors and return its path."""
    settings = build(RateEstimatorSettings, config.settings, "settings")
    teacher, sources = begin(config, options)
    unit = {
        "split": settings.split,
        "stride": settings.stride,
        "channels": settings.channels,
        "step": settings.step,
    }
    student = start_student(teacher, "rate_estimator", unit, init=options.init)
    best, trainer = run_stage(
        student.freeze("ground"),
        lambda net, batch: unit_loss(net, batch, teacher, settings.price, settings.supervised),
        sources,
        config,
        options,
    )
    assert isinstance(best, SplitNetwork)
    card = teacher.card | {
        "recipe": "rate_estimator",
        "bottleneck": {"name": "rate_estimator", "options": unit},
        "setting": (
            f"{'supervised' if settings.supervised else 'unsupervised'}, lambda "
            f"{settings.price:g}, split {settings.split}, stride {settings.stride}, channels "
            f"{settings.channels}, step {settings.step:g}"
        ),
        "teacher": f"{teacher.id:08x}",
    }
    return finish(best, sources, config, card, steps=trainer.step, minutes=trainer.minutes)
