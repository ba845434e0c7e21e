# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A CompressAI factorised image codec trained on our data: the baseline `compressai:Q`."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import torch
from torch import Tensor, nn

from sc2_ros.network import weights
from sc2_ros.network.image_codec import LAMBDAS, FactorisedImageCodec
from sc2_ros.training.batches import Batch, open_sources, train_on
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.trainer import Trainer
from sc2_ros.training.validation import validation

TAKES = ("resume",)
KIND = "image_codec"


def codec_loss(model: nn.Module, batch: Batch) -> tuple[Tensor, dict[str, float]]:
    """Rate + lambda x 255^2 x MSE at a random quality (Balle et al. 2018, eq. 4)."""
    quality = int(torch.randint(len(LAMBDAS), ()))
    again, bits = model(batch.image, quality)
    error = (again.float() - batch.image).square().mean()
    table = model.table_loss()  # type: ignore[operator]
    loss = bits + LAMBDAS[quality] * 255**2 * error + table
    # Divided by lambda, so that no quality is learnt faster than another for its weight alone.
    loss = loss / (LAMBDAS[quality] * 255**2) ** 0.5
    parts = {"bpp": float(bits.detach()), "psnr": float(-10 * error.detach().log10())}
    return loss, parts


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train; write OUT/image_codec.safetensors."""
    torch.manual_seed(config.trainer.seed)
    sources = open_sources(config.sources, config.augment)
    folder = Path(config.out)
    validate = validation(config, codec_loss)
    trainer = Trainer(
        FactorisedImageCodec(), codec_loss, config.trainer, folder, options.device, validate
    )
    train_on(sources, trainer, config.augment.crop, resume=options.resume)
    if not trainer.is_main:
        return folder
    card = {
        "recipe": KIND,
        "lambdas": list(LAMBDAS),
        "steps": trainer.step,
        "minutes": round(trainer.minutes, 1),
        "trained": date.today().isoformat(),
        "data": [Path(source.path).name for source in config.sources],
    }
    path = folder / f"{KIND}.safetensors"
    weights.save(path, trainer.best_model().cpu().float(), KIND, card | config.card)
    print(f"wrote {path}")
    return path
