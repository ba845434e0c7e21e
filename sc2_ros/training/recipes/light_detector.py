# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The light detector that flies whole: what splitting has to beat (`onboard-only:light`)."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

from sc2_ros import checkpoint
from sc2_ros.network import weights
from sc2_ros.network.light_detector import LightDetector
from sc2_ros.training.batches import Batch, open_sources, train_on
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.detection_loss import detection_loss
from sc2_ros.training.sc2_model import LossConfig
from sc2_ros.training.segmentation_loss import segmentation_loss
from sc2_ros.training.trainer import Trainer
from sc2_ros.training.validation import validation

TAKES = ("init", "resume")
KIND = "light_detector"


def light_loss(
    model: nn.Module, batch: Batch, config: LossConfig
) -> tuple[Tensor, dict[str, float]]:
    """Losses of detection and segmentation, as of our own network, without a rate."""
    out = model(batch.image)
    everything = torch.ones_like(out["heatmap"][:, :1])
    heat, box = detection_loss(out["heatmap"], out["box"], batch.targets, everything)
    mask = segmentation_loss(out["mask"], batch.mask)
    loss = heat + config.box * box + config.mask * mask
    parts = {"heat": heat, "box": box, "mask": mask}
    return loss, {name: float(value.detach()) for name, value in parts.items()}


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train from labels, from a checkpoint's encoder on; write OUT/light_detector.safetensors."""
    torch.manual_seed(config.trainer.seed)
    start = checkpoint.read(options.init or "default")
    model = LightDetector(len(start.card["detection_classes"]), len(start.card["mask_classes"]))
    model.start_from(start.encoder)
    classes = start.card["mask_classes"]
    sources = open_sources(
        config.sources, config.augment, mask_classes=classes, need=("boxes", "masks")
    )

    def loss(net: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        return light_loss(net, batch, config.loss)

    folder = Path(config.out)
    validate = validation(config, loss, classes)
    trainer = Trainer(model, loss, config.trainer, folder, options.device, validate)
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    card = {
        "recipe": KIND,
        "steps": trainer.step,
        "minutes": round(trainer.minutes, 1),
        "trained": date.today().isoformat(),
        "data": [Path(source.path).name for source in config.sources],
        "detection_classes": start.card["detection_classes"],
        "mask_classes": classes,
    }
    path = folder / f"{KIND}.safetensors"
    weights.save(path, trainer.best_model().cpu().float(), KIND, card | config.card)
    print(f"wrote {path}")
    return path
