# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A new head on a finished checkpoint, whose stream does not change.

Encoder, coding tables and the ground's backbone stay as they are, so drones in the air need no
update: the checkpoint id is that of encoder and tables, and it stays too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sc2_ros import checkpoint
from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.export import finished
from sc2_ros.network.bottleneck import drop_patches
from sc2_ros.network.encoder import STRIDE
from sc2_ros.training.batches import Batch, Source, train_on
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.trainer import Trainer
from sc2_ros.training.validation import validation

HeadLoss = Callable[["HeadOnStream", Batch, Tensor, Tensor], tuple[Tensor, dict[str, float]]]
"""Model, batch, rate codes (B,), received (B, 1, h, w) -> loss and its parts for the log."""


class HeadOnStream(nn.Module):
    """The frozen stream with one of the ground's heads that learns.

    ::

        image -> encoder -> x gain -> round -> / gain -> patches lost -> backbone -> head -> answer
        [----------------------------- frozen --------------------------------]     [learns]
    """

    gains: Tensor

    def __init__(self, parts: checkpoint.Parts, head: str) -> None:
        """parts: of the checkpoint; head: "segmentation" or "preview"."""
        super().__init__()
        self.encoder, self.ground, self.head = parts.encoder, parts.ground, head
        self.register_buffer("gains", torch.tensor(parts.tables.gains))
        self.requires_grad_(False)
        self._learns.requires_grad_(True)

    @property
    def _learns(self) -> nn.Module:
        found: nn.Module = getattr(self.ground, self.head)
        return found

    def train(self, mode: bool = True) -> HeadOnStream:
        """Only the head leaves eval mode, so that no frozen batch norm moves."""
        super().train(False)
        self._learns.train(mode)
        return self

    def forward(self, image: Tensor, code: Tensor, received: Tensor) -> Tensor:
        """Image (B, 3, H, W), rate code (B,), received (B, 1, h, w) -> the head's answer."""
        with torch.no_grad():
            gain = self.gains[code][:, :, None, None]
            latent = (self.encoder(image).float() * gain).round().clamp(-127, 127) / gain
            latent = latent * received
            x16, x8, x4 = self.ground.backbone(latent, received)
        if self.head == "preview":
            return self.ground.preview(latent, received, x8, x4)  # type: ignore[no-any-return]
        return self.ground.segmentation(x16, x8, x4)  # type: ignore[no-any-return]


def train_head(
    parts: checkpoint.Parts,
    head: str,
    loss: HeadLoss,
    sources: Sequence[Source],
    config: TrainConfig,
    options: RunOptions,
    card: dict[str, Any],
) -> Path:
    """Train a head at random rates, with patches lost; write OUT/checkpoint.safetensors.

    card: what the new checkpoint's says otherwise than that of parts, mask_classes among it where
    they are others.
    """
    folder = Path(config.out)

    def at_random(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
        assert isinstance(model, HeadOnStream)
        size, _, height, width = batch.image.shape
        device = batch.image.device
        code = torch.randint(0, RATE_CODES, (size,), device=device)
        received = drop_patches(
            size, height // STRIDE, width // STRIDE, config.loss.drop_probability, device
        )
        return loss(model, batch, code, received)

    classes = (parts.card | card)["mask_classes"]
    trainer = Trainer(
        HeadOnStream(parts, head),
        at_random,
        config.trainer,
        folder,
        options.device,
        validation(config, at_random, classes),
    )
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    best = trainer.best_model().cpu().float()
    assert isinstance(best, HeadOnStream)
    trained = {
        "steps": trainer.step,
        "trained": date.today().isoformat(),
        "data": [Path(source.path).name for source in config.sources],
    }
    card = parts.card | card | {f"{head}_head": trained} | config.card
    path = folder / "checkpoint.safetensors"
    number = finished.save(path, best.encoder, best.ground, parts.tables, card, parts.saliency)
    print(f"wrote {path}, checkpoint id {number:08x} (was {parts.id:08x})")
    return path
