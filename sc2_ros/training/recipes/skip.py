# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skip network for a finished checkpoint: predicted frames take half the bytes with it.

The networks, the gains and the network of keyframes stay as they are, and with them every keyframe,
but the checkpoint id changes: both ends need the new file.
"""

from __future__ import annotations

from pathlib import Path

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.training import skip_fit
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.fit_settings import fit_settings
from sc2_ros.training.pairs import footage
from sc2_ros.training.sources import some_images, training_data

TAKES = ("init",)
_IMAGES = 360


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Fit a skip network to the checkpoint that --init names; write OUT/checkpoint.safetensors.

    `settings: {footage: [...], skip: {...}}`: videos and image sequences, relative to the data
    folder; and what `skip_fit.SkipConfig` has.
    """
    check_settings(config.settings, "footage", "skip")
    if options.init is None:
        raise ParameterError("skip needs a checkpoint: --init default, or a file")
    settings = fit_settings(config.settings)
    parts = checkpoint.read(options.init)
    encoder = checkpoint.load(options.init).encoder
    images = []  # footage alone will do
    if config.sources:
        images = some_images(training_data(config.sources), _IMAGES, config.trainer.seed)
    clips = footage(settings.footage)
    tables = skip_fit.fit(
        encoder, parts.tables, images, clips, settings.skip, saliency=parts.saliency
    )
    path = Path(config.out) / "checkpoint.safetensors"
    card = parts.card | config.card
    number = checkpoint.save(path, parts.encoder, parts.ground, tables, card, parts.saliency)
    print(f"wrote {path}, checkpoint id {number:08x}")
    return path
