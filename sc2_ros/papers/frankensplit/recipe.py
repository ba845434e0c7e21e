# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""FrankenSplit: Furutanpey et al., IEEE TMC 2024 (arXiv:2302.10681), section 4.

1. Head distillation: squared difference to the teacher's shallow stage + lambda x bits.
2. Saliency-guided: every position's difference is weighted by (1 + class activation) / 2.
   ("mult_avg" in the authors' code; their additional rate term for the map is left out, since the
   map itself is never sent.)

With encoder_from the encoder of another student is taken over, frozen, and a decoder for another
backbone is trained: one encoder on board, several ground networks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from sc2_ros.errors import ParameterError
from sc2_ros.papers.frankensplit.bottleneck import BLUEPRINTS
from sc2_ros.papers.frankensplit.saliency import saliency
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

TAKES = ("init", "resume", "teacher")


@dataclass(frozen=True)
class FrankenSplitSettings:
    """price: lambda, per bit; blueprint: of the decoder, None for the backbone's own kind.

    saliency_share: of the schedule, for the second phase; channels: of the latent.
    """

    price: float = 0.5
    channels: int = 48
    blueprint: str | None = None
    saliency_share: float = 0.6
    encoder_from: str | None = None

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.price < 0 or not 0 <= self.saliency_share <= 1:
            raise ParameterError(
                f"price {self.price}, saliency_share {self.saliency_share}: use 0 or more, 0 to 1"
            )


def shallow_loss(
    network: nn.Module, batch: Batch, teacher: Teacher, price: float, guided: bool
) -> tuple[Tensor, dict[str, float]]:
    """Distortion at the split alone + lambda x bits, both per pixel."""
    found: dict[str, Any] = network(batch.image)
    stages = teacher(batch.image)["features"]
    ours = found["features"][0].float()
    wanted = stages[len(stages) - len(found["features"])].float()
    difference = (ours - wanted).square()
    if guided:
        size = (int(ours.shape[2]), int(ours.shape[3]))
        difference = difference * ((1 + saliency(teacher.network, stages, size)) / 2)
    pixels = batch.image.shape[2] * batch.image.shape[3]
    distortion = difference.flatten(1).sum(1).mean() / pixels
    bpp = bits_per_pixel(found, batch)
    return distortion + price * bpp, log_parts(distortion=distortion, bpp=bpp)


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train; write OUT/checkpoint.safetensors and return its path."""
    settings = build(FrankenSplitSettings, config.settings, "settings")
    teacher, sources = begin(config, options)
    chosen = {
        "channels": settings.channels,
        "blueprint": settings.blueprint or blueprint_of(teacher.card["backbone"]),
    }
    student = start_student(teacher, "frankensplit", chosen, settings.encoder_from, options.init)
    taken = settings.encoder_from is not None
    student.freeze("ground", *(("bottleneck.encoder", "bottleneck.prior") if taken else ()))
    network: nn.Module = student
    steps, minutes = 0, 0.0
    phases = (("stage1", 1 - settings.saliency_share), ("stage2", settings.saliency_share))
    for stage, share in phases:
        if not share:
            continue
        network, trainer = run_stage(
            network,
            partial(shallow_loss, teacher=teacher, price=settings.price, guided=stage == "stage2"),
            sources,
            config,
            options,
            stage=stage,
            share=share,
        )
        steps, minutes = steps + trainer.step, minutes + trainer.minutes
    assert isinstance(network, SplitNetwork)
    card = teacher.card | {
        "recipe": "frankensplit",
        "bottleneck": {"name": "frankensplit", "options": chosen},
        "setting": f"lambda {settings.price:g}",
        "teacher": f"{teacher.id:08x}",
    }
    return finish(network, sources, config, card, steps=steps, minutes=minutes, keep_tables=taken)


def blueprint_of(backbone: str) -> str:
    """The kind of decoder that suits a backbone's specification."""
    return next((name for name in BLUEPRINTS if name in backbone), "resnet")
