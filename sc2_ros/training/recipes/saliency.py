# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A saliency head for a finished checkpoint, which then sends background in fewer bytes.

It is learned from what the ground network finds, without labels. The stream and its id stay: a
ground station needs no new file.
"""

from __future__ import annotations

from pathlib import Path

from sc2_ros import checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.export import finished
from sc2_ros.training import saliency_fit
from sc2_ros.training.config import RunOptions, TrainConfig, check_settings
from sc2_ros.training.sources import some_images, training_data

TAKES = ("init",)
_IMAGES = 360


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Fit a head to the checkpoint that --init names; write OUT/checkpoint.safetensors."""
    check_settings(config.settings)
    if options.init is None:
        raise ParameterError("saliency needs a checkpoint: --init default, or a file")
    parts, ready = checkpoint.read(options.init), checkpoint.load(options.init)
    images = some_images(training_data(config.sources), _IMAGES, config.trainer.seed)
    head = saliency_fit.fit(ready.encoder, ready.ground, images, config.trainer.seed)
    if head is None:
        raise ParameterError(
            f"the ground network of {options.init} finds no object on these images; give sources "
            "that show what it detects"
        )
    path = Path(config.out) / "checkpoint.safetensors"
    card = parts.card | config.card
    number = finished.save(path, parts.encoder, parts.ground, parts.tables, card, head)
    print(f"wrote {path}, checkpoint id {number:08x} as before")
    return path
