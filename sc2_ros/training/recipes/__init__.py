# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipes that `sc2 train` knows, by name: our own, and those that other packages register.

A package registers a recipe by an entry point of the group `sc2_ros.recipes`, whose value is a
function `run(config: TrainConfig, options: RunOptions) -> Path` of the checkpoint written.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sc2_ros.errors import ParameterError
from sc2_ros.training.config import TrainConfig

GROUP = "sc2_ros.recipes"


@dataclass(frozen=True)
class RunOptions:
    """What the command line adds to a configuration.

    teacher: in place of the configuration's; input and freeze_encoder: for adapt.
    """

    device: str = "cpu"
    resume: bool = False
    init: str | None = None
    input: str | None = None
    teacher: str | None = None
    freeze_encoder: bool = False


RECIPES = {
    "teacher": "a ground network without bottleneck, from labels: the ceiling, and the teacher",
    "entropic_student": "GDN encoder, factorised prior, two stages of distillation (2021)",
    "sc2": "hyperpriors, CR+BQ, or a bottleneck from another package (SC2 benchmark, 2022)",
    "rate_estimator": "bottleneck units in a frozen backbone, with or without labels (2023)",
    "frankensplit": "shallow variational bottleneck, saliency-guided, many backbones (2023)",
    "sc2_ros": "tiny encoder, gains for every rate, slices dropped; detection, masks and preview",
    "adapt": "a checkpoint improved on your own footage, without labels",
    "segmentation_head": "a new mask head on a finished checkpoint; its stream and id stay",
    "ground": "a ground network for other data or of another size; the stream and its id stay",
    "context": "learned context models for a finished checkpoint: fewer bytes at every rate",
    "skip": "that of predicted frames alone: frames that need no other stay as they are",
    "saliency": "where objects are, for a finished checkpoint: background in fewer bytes",
    "image_codec": "a learned image codec from CompressAI's parts: the baseline compressai:Q",
    "light_detector": "a detector small enough to fly whole: the alternative to splitting",
}


def recipes() -> dict[str, str]:
    """Every recipe that can be run, and what it is; other packages' after our own."""
    folder = Path(__file__).parent
    own = {name: what for name, what in RECIPES.items() if (folder / f"{name}.py").is_file()}
    return own | {point.name: point.value for point in _foreign() if point.name not in own}


def recipe(name: str) -> Callable[[TrainConfig, RunOptions], Path]:
    """The function that runs a recipe and returns its checkpoint's path.

    Raises:
        ParameterError: there is none of that name, or its package cannot be loaded.
    """
    if name in RECIPES:
        own: Callable[[TrainConfig, RunOptions], Path] = importlib.import_module(
            f"sc2_ros.training.recipes.{name}"
        ).run
        return own
    for point in _foreign():
        if point.name == name:
            try:
                foreign: Callable[[TrainConfig, RunOptions], Path] = point.load()
            except (ImportError, AttributeError) as error:
                raise ParameterError(
                    f"recipe '{name}' ({point.value}) cannot be loaded: {error}"
                ) from error
            return foreign
    raise ParameterError(f"no recipe '{name}'; known are {', '.join(recipes())}")


def _foreign() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=GROUP))
