# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Learned context models for a finished checkpoint: of single frames, a sixth fewer bytes with it,
and of predicted ones, half the bytes (recipe `skip`).

The networks and the gains stay as they are, but the checkpoint id changes: both ends need the new
file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.training import context_fit, skip_fit
from sc2_ros.training.config import RunOptions, TrainConfig, build, check_settings
from sc2_ros.training.context_network import ContextConfig
from sc2_ros.training.pairs import footage
from sc2_ros.training.sources import some_images, training_data

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
    encoder = checkpoint.load(options.init).encoder
    images = some_images(training_data(config.sources), _IMAGES, config.trainer.seed)
    shape = build(ContextConfig, config.settings.get("context", {}), "settings: context")
    further = build(skip_fit.SkipConfig, config.settings.get("skip", {}), "settings: skip")
    plain = replace(parts.tables, temporal=None, context=None, skip=None)
    clips = list(footage(config.settings.get("footage", ())))
    tables = context_fit.fit(encoder, plain, images, clips, shape)
    tables = skip_fit.fit(encoder, tables, images, clips, further, saliency=parts.saliency)
    path = Path(config.out) / "checkpoint.safetensors"
    card = parts.card | config.card
    number = checkpoint.save(path, parts.encoder, parts.ground, tables, card, parts.saliency)
    print(f"wrote {path}, checkpoint id {number:08x}")
    return path
