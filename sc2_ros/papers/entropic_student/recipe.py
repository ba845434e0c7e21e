# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Entropic Student in two stages: Matsubara et al., WACV 2022 (arXiv:2108.11898), section 3.

1. Encoder, prior and decoder learn: sum of squared differences to the teacher's stages
   + beta x bits, with additive noise; the stages behind stay the teacher's.
2. Encoder and prior are frozen, latents rounded; the rest learns from labels and teacher.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
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
from sc2_ros.training.task_loss import distillation_loss, squared_differences

TAKES = ("init", "resume", "teacher")
STAGE1 = ("features", "answers")


@dataclass(frozen=True)
class StudentSettings:
    """beta: per bit, against squared feature differences; stage2_share: of the schedule.

    bottleneck, options: of split.registry; encoder_from: a student whose encoder and prior
    are taken over, so that stage 1 trains the decoder alone; alpha: of the labels in stage 2.

    stage1: what the encoder learns, `features` as in the paper, or `answers`: labels, the teacher's
    answers and its last stage, so that bytes go to what the task needs and to nothing else.
    """

    beta: float = 1.28
    stage1: str = "features"
    stage2_share: float = 0.5
    bottleneck: str = "entropic_student"
    options: dict[str, Any] = field(default_factory=dict)
    encoder_from: str | None = None
    alpha: float = 0.5

    def __post_init__(self) -> None:
        """Check ranges."""
        if self.beta < 0 or not 0 <= self.stage2_share < 1 or not 0 <= self.alpha <= 1:
            raise ParameterError(
                f"beta {self.beta}, stage2_share {self.stage2_share}, alpha {self.alpha}: use "
                "0 or more, 0 to below 1, 0 to 1"
            )
        if self.stage1 not in STAGE1:
            raise ParameterError(f"stage1 '{self.stage1}' is unknown; use {' or '.join(STAGE1)}")


def features_loss(
    network: nn.Module, batch: Batch, teacher: Teacher, beta: float
) -> tuple[Tensor, dict[str, float]]:
    """Stage 1 (eq. 4 of the paper), per pixel, so that its size does not depend on the crop."""
    found: dict[str, Any] = network(batch.image)
    wanted = teacher(batch.image)["features"]
    wanted = wanted[len(wanted) - len(found["features"]) :]
    pixels = batch.image.shape[2] * batch.image.shape[3]
    difference = squared_differences(found["features"], wanted).mean() / pixels
    bpp = bits_per_pixel(found, batch)
    return difference + beta * bpp, log_parts(difference=difference, bpp=bpp)


def answers_rate_loss(
    network: nn.Module, batch: Batch, teacher: Teacher, beta: float, alpha: float
) -> tuple[Tensor, dict[str, float]]:
    """Stage 1 for the answers: eq. 5 with additive noise, L1 to the last stage, beta x bpp.

    Nothing asks for the layers in between, so what the answers do not need is not sent: End-to-End
    of Singh et al. 2020 (arXiv:2007.11797), with a teacher. L1 to the last stage is the
    unsupervised loss of Ahuja et al. 2023; it steadies the first steps.
    """
    found: dict[str, Any] = network(batch.image)
    wanted = teacher(batch.image)
    answers = distillation_loss(found, wanted, batch, alpha)
    last = F.l1_loss(found["features"][-1].float(), wanted["features"][-1].float())
    bpp = bits_per_pixel(found, batch)
    return answers + last + beta * bpp, log_parts(answers=answers, last=last, bpp=bpp)


def answers_stage_loss(
    network: nn.Module, batch: Batch, teacher: Teacher, alpha: float
) -> tuple[Tensor, dict[str, float]]:
    """Stage 2: labels and teacher, latents rounded (eq. 5)."""
    found: dict[str, Any] = network(batch.image, noise=False)
    loss = distillation_loss(found, teacher(batch.image), batch, alpha)
    return loss, log_parts(loss=loss, bpp=bits_per_pixel(found, batch))


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train both stages; write OUT/checkpoint.safetensors and return its path."""
    settings = build(StudentSettings, config.settings, "settings")
    return train(config, options, settings, "entropic_student")


def train(config: TrainConfig, options: RunOptions, settings: StudentSettings, recipe: str) -> Path:
    """Both stages with any bottleneck; `recipe` goes into the card."""
    teacher, sources = begin(config, options)
    student = start_student(
        teacher, settings.bottleneck, settings.options, settings.encoder_from, options.init
    )
    encoder = ("bottleneck.encoder", "bottleneck.prior")
    taken = settings.encoder_from is not None
    first_loss = partial(features_loss, teacher=teacher, beta=settings.beta)
    if settings.stage1 == "answers":
        first_loss = partial(
            answers_rate_loss, teacher=teacher, beta=settings.beta, alpha=settings.alpha
        )
    best, first = run_stage(
        student.freeze("ground", *(encoder if taken else ())),
        first_loss,
        sources,
        config,
        options,
        stage="stage1",
        share=1 - settings.stage2_share,
    )
    steps, minutes = first.step, first.minutes
    assert isinstance(best, SplitNetwork)
    if settings.stage2_share:
        best, second = run_stage(
            best.freeze(*encoder),
            lambda net, batch: answers_stage_loss(net, batch, teacher, settings.alpha),
            sources,
            config,
            options,
            stage="stage2",
            share=settings.stage2_share,
            lr_factor=0.3,
        )
        steps, minutes = steps + second.step, minutes + second.minutes
        assert isinstance(best, SplitNetwork)
    card = teacher.card | {
        "recipe": recipe,
        "bottleneck": {"name": settings.bottleneck, "options": settings.options},
        "setting": f"{settings.stage1}, beta {settings.beta:g}",
        "teacher": f"{teacher.id:08x}",
    }
    return finish(best, sources, config, card, steps=steps, minutes=minutes, keep_tables=taken)
