# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A new segmentation head on a finished checkpoint, whose stream does not change.

Encoder, coding tables and the ground's backbone stay as they are, so drones in the air need no
update: the checkpoint id is that of encoder and tables, and it stays too.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.export import finished
from sc2_ros.network.bottleneck import drop_patches
from sc2_ros.network.encoder import STRIDE
from sc2_ros.network.heads import SegmentationHead
from sc2_ros.training.augment import VOID
from sc2_ros.training.batches import Batch, open_sources, stream_batches
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.mask_classes import mask_classes_of
from sc2_ros.training.segmentation_loss import segmentation_loss
from sc2_ros.training.trainer import Trainer


class HeadOnStream(nn.Module):
    """The frozen stream with a segmentation head that learns.

    ::

        image -> encoder -> x gain -> round -> / gain -> patches lost -> backbone -> head -> logits
        [----------------------------- frozen --------------------------------]     [learns]
    """

    gains: Tensor

    def __init__(self, parts: checkpoint.Parts) -> None:
        """parts: of the checkpoint whose head is trained."""
        super().__init__()
        self.encoder, self.ground = parts.encoder, parts.ground
        self.register_buffer("gains", torch.tensor(parts.tables.gains))
        self.requires_grad_(False)
        self.ground.segmentation.requires_grad_(True)

    def train(self, mode: bool = True) -> HeadOnStream:
        """Only the head leaves eval mode, so that no frozen batch norm moves."""
        super().train(False)
        self.ground.segmentation.train(mode)
        return self

    def forward(self, image: Tensor, code: Tensor, received: Tensor) -> Tensor:
        """Image (B, 3, H, W), rate code (B,), received (B, 1, h, w) -> logits at stride 4."""
        with torch.no_grad():
            gain = self.gains[code][:, :, None, None]
            latent = (self.encoder(image).float() * gain).round().clamp(-127, 127) / gain
            features = self.ground.backbone(latent * received, received)
        logits: Tensor = self.ground.segmentation(*features)
        return logits


def head_loss(
    model: nn.Module, batch: Batch, drop_probability: float
) -> tuple[Tensor, dict[str, float]]:
    """Loss of the head at a random rate per image, with patches lost."""
    size, _, height, width = batch.image.shape
    device = batch.image.device
    code = torch.randint(0, 65, (size,), device=device)
    received = drop_patches(size, height // STRIDE, width // STRIDE, drop_probability, device)
    logits = model(batch.image, code, received)
    cells = F.interpolate(received, logits.shape[2:], mode="nearest")[:, 0]
    truth = batch.mask.masked_fill(cells == 0, VOID)
    loss = segmentation_loss(logits, truth)
    hit = ((logits.argmax(1) == truth) & (truth != VOID)).sum() / (truth != VOID).sum().clamp(min=1)
    return loss, {"mask": float(loss.detach()), "accuracy": float(hit)}


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train the head of the checkpoint that --init names; write OUT/checkpoint.safetensors."""
    check_settings(config.settings, "mask_classes")
    if options.init is None:
        raise ParameterError("segmentation_head needs a checkpoint: --init default, or a file")
    parts = checkpoint.read(options.init)
    classes = mask_classes_of(config, parts.card["mask_classes"])
    sources = open_sources(config.sources, config.augment, mask_classes=classes)
    if not any((source.mask_lookup != VOID).any() for source in sources):
        raise ParameterError("segmentation_head needs a data set with masks; none of them has any")
    folder = Path(config.out)
    torch.manual_seed(config.trainer.seed)
    if classes != tuple(parts.card["mask_classes"]):
        parts.ground.segmentation = SegmentationHead(parts.ground.backbone.widths, len(classes))
    trainer = Trainer(
        HeadOnStream(parts),
        lambda net, batch: head_loss(net, batch, config.loss.drop_probability),
        config.trainer,
        folder,
        options.device,
    )
    if options.resume:
        trainer.resume()
    seed, crop = config.trainer.seed, config.augment.crop
    trainer.run(stream_batches(sources, seed, crop, start=trainer.step))
    if not trainer.is_main:
        return folder
    best = trainer.ema.cpu().float()
    assert isinstance(best, HeadOnStream)
    card = parts.card | {
        "mask_classes": list(classes),
        "segmentation_head": {
            "steps": trainer.step,
            "trained": date.today().isoformat(),
            "data": [Path(source.path).name for source in config.sources],
        },
    }
    path = folder / "checkpoint.safetensors"
    number = finished.save(
        path, best.encoder, best.ground, parts.tables, card | config.card, parts.saliency
    )
    print(f"wrote {path}, checkpoint id {number:08x} (was {parts.id:08x})")
    return path
