# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our own codec: one network for every rate, trained from labels (design.md, invariants 1-4)."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from sc2_ros import checkpoint
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.export import finished
from sc2_ros.network.bottleneck import ANCHORS
from sc2_ros.network.channels import LATENT_CHANNELS, kept, widened
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.training import context_fit, saliency_fit, skip_fit
from sc2_ros.training.batches import Batch, Source, open_sources, train_on
from sc2_ros.training.config import RunOptions, TrainConfig, build, check_settings
from sc2_ros.training.fit_settings import fit_settings
from sc2_ros.training.imitation import IMITATED, begin_imitating
from sc2_ros.training.latents import code_gains, latents
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.pairs import footage
from sc2_ros.training.sc2_model import Answers, GroundShape, TrainingModel, sc2_loss
from sc2_ros.training.sources import some_images
from sc2_ros.training.starting import begin_with, ground_shape_of, weights_of
from sc2_ros.training.teachers import answers_for
from sc2_ros.training.trainer import Trainer
from sc2_ros.training.validation import validation

TAKES = ("init", "resume", "teacher")
IMAGES_FOR_TABLES = 360
IMAGES_TO_IMITATE = 24
_JOINING_GAINS = (0.01, 0.02, 0.06, 0.25, 0.5)
"""Of channels that join a trained stream, from rate index 0 to 1: rounded away where bits are dear.
With a new stream's gains the rate term has them out again within 1,500 steps (model_changes.md)."""


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train, fit the coding tables, write OUT/checkpoint.safetensors and return its path."""
    check_settings(config.settings, "mask_classes", "context", "footage", "skip", "ground")
    fit_settings(config.settings)  # an error in them is told now, not after the training
    folder = Path(config.out)
    torch.manual_seed(config.trainer.seed)
    classes = mask_classes_of(config)
    shape = _ground_shape(config, options.init)
    model = TrainingModel(mask_classes=len(classes), **asdict(shape))
    if options.init is not None:
        start(model, options.init)
    sources = open_sources(
        config.sources, config.augment, mask_classes=classes, need=("boxes", "masks")
    )

    teacher = answers_for(options.teacher or config.teacher, classes, options.device)
    if teacher is not None and not options.resume:
        _begin_imitating(model, teacher, sources, config.trainer.seed, options.device)

    def loss(net: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        return sc2_loss(net, batch, config.loss, teacher)

    validate = validation(config, loss, classes)
    trainer = Trainer(model, loss, config.trainer, folder, options.device, validate)
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    return export(trainer.best_model(), sources, config, trainer.step, trainer.minutes)


def _begin_imitating(
    model: TrainingModel, teacher: Answers, sources: list[Source], seed: int, device: str
) -> None:
    """Where there is somebody to imitate and somebody to be told."""

    def answer(image: torch.Tensor) -> dict[str, torch.Tensor]:
        return {name: found.cpu() for name, found in teacher(image.to(device)).items()}

    semantics = model.ground.backbone.semantics
    if semantics is None or IMITATED["imitated"] not in answer(torch.zeros(1, 3, 64, 64)):
        return
    shares = [(source.per_batch, source.samples) for source in sources]
    images = some_images(shares, IMAGES_TO_IMITATE, seed)
    begin_imitating(model.encoder, model.ground, semantics, answer, images)


def _ground_shape(config: TrainConfig, init: str | None) -> GroundShape:
    """What the configuration says; what it does not is as in the file that is gone on from."""
    given = dict(config.settings.get("ground", {}))
    for path in reversed(init.split(",") if init is not None else ()):
        given = ground_shape_of(weights_of(path)) | given
    return build(GroundShape, given, "settings: ground")


def export(
    model: nn.Module,
    sources: list[Source],
    config: TrainConfig,
    steps: int,
    minutes: float,
    card: dict[str, Any] | None = None,
    clips: Sequence[Sequence[NDArray[np.uint8]]] = (),
    begun: CodingTables | None = None,
) -> Path:
    """Fit context networks and saliency head on training images; write the checkpoint.

    Channels of the latent that are never coded are left out of it.

    card: of a checkpoint that was trained on; without one, what this training was. clips: frames
    in their order, for the skip network, beside the footage that the configuration names.
    begun: tables of a checkpoint that was trained on, to go on from its context networks.
    """
    model = copy.deepcopy(model).cpu().float().eval()
    assert isinstance(model, TrainingModel)
    model.bottleneck.log_gain.data[0] += math.log(config.floor_gain)
    model.encoder.half().float()  # the tables must fit the weights as they are stored
    shares = [(source.per_batch, source.samples) for source in sources]
    images = some_images(shares, IMAGES_FOR_TABLES, config.trainer.seed)
    settings = fit_settings(config.settings)
    fitted, channels = context_fit.fit(
        latents(model.encoder, images),
        code_gains(model.bottleneck),
        settings.context,
        start=begun and begun.context,
    )
    if card is None:
        card = checkpoint.default_card() | {
            "recipe": "sc2_ros",
            "mask_classes": list(mask_classes_of(config)),
            "steps": steps,
            "minutes": round(minutes, 1),
            "trained": date.today().isoformat(),
            "data": [Path(source.path).name for source in config.sources],
        }
    network = {"channels": len(channels)} | GroundShape.of(model.ground.backbone).card()
    card = card | {"network": card["network"] | network}
    encoder, ground = checkpoint.networks_of(kept(model.state_dict(), channels.tolist()), card)
    head = saliency_fit.fit(encoder.eval(), ground.eval(), images, config.trainer.seed)
    known = [*footage(settings.footage), *clips]
    fitted = skip_fit.fit(
        encoder, fitted, images, known, settings.skip, saliency=head, start=begun and begun.skip
    )
    path = Path(config.out) / "checkpoint.safetensors"
    number = finished.save(path, encoder, ground, fitted, card | config.card, head)
    print(f"wrote {path}, checkpoint id {number:08x}")
    return path


def start(model: TrainingModel, paths: str) -> None:
    """Begin with a last.pt, a finished checkpoint's networks and gains, or a teacher's networks.

    paths: one, or several with commas between, each taking the place of what those before it gave.
    """
    for path in paths.split(","):
        if path.endswith(".pt") or split_checkpoint.is_split(path):
            begin_with(model, weights_of(path), path)
        else:
            parts = checkpoint.read(path)
            begin_with(model, unpacked(parts, to_learn=True).state_dict(), path)


def unpacked(parts: checkpoint.Parts, *, to_learn: bool = False) -> TrainingModel:
    """A finished checkpoint as a model to train: its networks and gains, with a new prior.

    It has the channels that training begins with; those that the checkpoint lacks are zero, or with
    `to_learn` (`channels.widened`) there for whoever can use them, first at high rates only.
    """
    shape = GroundShape.of(parts.ground.backbone)
    model = TrainingModel(LATENT_CHANNELS, len(parts.card["mask_classes"]), **asdict(shape))
    state = {f"encoder.{key}": value for key, value in parts.encoder.state_dict().items()}
    state |= {f"ground.{key}": value for key, value in parts.ground.state_dict().items()}
    model.load_state_dict(widened(state, to_learn=to_learn), strict=False)
    codes = np.linspace(0, RATE_CODES - 1, ANCHORS).round().astype(int)
    anchors = torch.tensor(parts.tables.gains[codes])
    model.bottleneck.log_gain.data[:] = torch.tensor(_JOINING_GAINS).log()[:, None]
    model.bottleneck.log_gain.data[:, : parts.tables.channels] = anchors.log()
    return model
