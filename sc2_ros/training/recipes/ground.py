# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A ground network for other data, or of another size, on a finished checkpoint's stream.

Encoder and coding tables stay, and with them the checkpoint id: drones in the air need no update,
and several ground networks share one encoder.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import nn

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.export import finished
from sc2_ros.network.model import GroundNetwork
from sc2_ros.training.adaptation import FixedStream
from sc2_ros.training.batches import Batch, open_sources, train_on
from sc2_ros.training.config import RunOptions, TrainConfig, build, check_settings
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.sc2_model import GroundShape, sc2_loss
from sc2_ros.training.starting import begin_with, weights_of
from sc2_ros.training.teachers import answers_for
from sc2_ros.training.trainer import Trainer
from sc2_ros.training.validation import validation

TAKES = ("init", "resume", "teacher")


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train a ground network on the stream of --init; write OUT/checkpoint.safetensors.

    --init is one checkpoint, or with a comma after it a last.pt or checkpoint whose ground network
    is begun with; where the shape is another, what does not fit begins afresh.
    """
    check_settings(config.settings, "mask_classes", "ground")
    if options.init is None:
        raise ParameterError("ground needs a checkpoint whose stream it is for: --init default")
    stream, *begun = options.init.split(",")
    parts = checkpoint.read(stream)
    classes = mask_classes_of(config, parts.card["mask_classes"])
    parts, card = _shaped(parts, config, classes)
    folder = Path(config.out)
    torch.manual_seed(config.trainer.seed)
    model = FixedStream(parts)
    for path in begun:
        begin_with(model, _ground_of(path), path)
    sources = open_sources(
        config.sources, config.augment, mask_classes=classes, need=("boxes", "masks")
    )

    teacher = answers_for(options.teacher or config.teacher, classes, options.device)

    def loss(net: nn.Module, batch: Batch) -> tuple[torch.Tensor, dict[str, float]]:
        return sc2_loss(net, batch, config.loss, teacher)

    validate = validation(config, loss, classes)
    trainer = Trainer(model, loss, config.trainer, folder, options.device, validate)
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    best = trainer.best_model().cpu().float()
    assert isinstance(best, FixedStream)
    card |= {
        "ground": {
            "steps": trainer.step,
            "trained": date.today().isoformat(),
            "data": [Path(source.path).name for source in config.sources],
        }
    }
    path = folder / "checkpoint.safetensors"
    number = finished.save(
        path, best.encoder, best.ground, parts.tables, card | config.card, parts.saliency
    )
    print(f"wrote {path}, checkpoint id {number:08x} as before: no drone needs an update")
    return path


def _ground_of(path: str) -> dict[str, torch.Tensor]:
    """Weights ground.* of a last.pt of this recipe, or of a checkpoint, with its own channels."""
    if path.endswith(".pt"):
        return {k: v for k, v in weights_of(path).items() if k.startswith("ground.")}
    state = checkpoint.read(path).ground.state_dict()
    return {f"ground.{key}": value for key, value in state.items()}


def _shaped(
    parts: checkpoint.Parts, config: TrainConfig, classes: tuple[str, ...]
) -> tuple[checkpoint.Parts, dict[str, Any]]:
    """The checkpoint with a ground network of the wanted shape, and its card.

    A network of the same shape keeps its weights; of another one, it begins afresh.
    """
    given = GroundShape.of(parts.ground.backbone)
    wanted = asdict(given) | config.settings.get("ground", {})
    shape = build(GroundShape, wanted, "settings: ground")
    network = parts.card["network"] | shape.card()
    card = parts.card | {"mask_classes": list(classes), "network": network}
    if shape == given and card["mask_classes"] == parts.card["mask_classes"]:
        return parts, card
    _, ground = checkpoint.build_networks(card)
    old, new = parts.ground.state_dict(), ground.state_dict()
    ground.load_state_dict(
        {k: old[k] if k in old and old[k].shape == v.shape else v for k, v in new.items()}
    )
    assert isinstance(ground, GroundNetwork)
    return replace(parts, ground=ground), card
