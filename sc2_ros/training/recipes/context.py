# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""New context networks for a finished checkpoint: of keyframes, and of predicted frames.

The networks and the gains stay as they are, but for the order of the latent's channels, and the
checkpoint id changes: both ends need the new file.
"""

from __future__ import annotations

from pathlib import Path

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.export import finished
from sc2_ros.training import context_fit, skip_fit
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.fit_settings import fit_settings
from sc2_ros.training.latents import latents
from sc2_ros.training.pairs import footage
from sc2_ros.training.sources import some_images, training_data

TAKES = ("init",)
_IMAGES = 360


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Fit networks to the checkpoint that --init names; write OUT/checkpoint.safetensors.

    `settings: {footage: [...], context: {...}, skip: {...}}`: videos and image sequences, relative
    to the data folder; what `ContextConfig` has; what `skip_fit.SkipConfig` has.
    """
    check_settings(config.settings, "context", "footage", "skip")
    if options.init is None:
        raise ParameterError("context needs a checkpoint: --init default, or a file")
    parts = checkpoint.read(options.init)
    settings = fit_settings(config.settings)
    images = some_images(training_data(config.sources), _IMAGES, config.trainer.seed)
    encoder = checkpoint.load(options.init).encoder
    tables, channels = context_fit.fit(
        latents(encoder, images), parts.tables.gains, settings.context, keep_all=True
    )
    parts = checkpoint.with_channels(parts, channels.tolist())
    clips = footage(settings.footage)
    tables = skip_fit.fit(
        parts.encoder.eval(), tables, images, clips, settings.skip, saliency=parts.saliency
    )
    path = Path(config.out) / "checkpoint.safetensors"
    card = parts.card | config.card
    number = finished.save(path, parts.encoder, parts.ground, tables, card, parts.saliency)
    print(f"wrote {path}, checkpoint id {number:08x}")
    return path
