# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipes that `sc2 train` knows, by name: our own, and those that packages register.

The papers' recipes are among the latter. A package registers a recipe by an entry point of the
group `sc2_ros.recipes`, whose value is a function `run(config: TrainConfig, options: RunOptions) ->
Path` of the checkpoint written.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from pathlib import Path

from sc2_ros import plugins
from sc2_ros.errors import ParameterError
from sc2_ros.training.config import RunOptions, TrainConfig

GROUP = "sc2_ros.recipes"


RECIPES = {
    "teacher": "a ground network without bottleneck, from labels: the ceiling, and the teacher",
    "sc2_ros": "tiny encoder, gains for every rate, slices dropped; detection, masks and preview",
    "adapt": "a checkpoint improved on your own footage, without labels",
    "segmentation_head": "a new mask head on a finished checkpoint; its stream and id stay",
    "preview_head": "a new picture for the pilot likewise, from images without labels",
    "ground": "a ground network for other data or of another size; the stream and its id stay",
    "context": "learned context models for a finished checkpoint: fewer bytes at every rate",
    "skip": "that of predicted frames alone: keyframes stay as they are",
    "saliency": "where objects are, for a finished checkpoint: background in fewer bytes",
    "image_codec": "a learned image codec from CompressAI's parts: the baseline compressai:Q",
    "fcos": "torchvision's FCOS on the same data: a stock detector as the yardstick",
    "light_detector": "a detector small enough to fly whole: the alternative to splitting",
}


def recipes() -> dict[str, str]:
    """Every recipe that can be run, and what it is; registered ones after our own."""
    registered = [name for name in plugins.names(GROUP) if name not in RECIPES]
    return RECIPES | {name: _what(name) for name in registered}


def recipe(name: str) -> Callable[[TrainConfig, RunOptions], Path]:
    """The function that runs a recipe and returns its checkpoint's path.

    Raises:
        ParameterError: there is none of that name, or its package cannot be loaded.
    """
    run: Callable[[TrainConfig, RunOptions], Path] | None
    if name in RECIPES:
        run = importlib.import_module(f"{__name__}.{name}").run
    else:
        run = plugins.load(GROUP, name)
    if run is None:
        known = ", ".join((*RECIPES, *plugins.names(GROUP)))
        raise ParameterError(f"no recipe '{name}'; known are {known}")
    return run


def _what(name: str) -> str:
    """The first line of a registered recipe's module, or why it cannot be loaded."""
    try:
        module = inspect.getmodule(plugins.load(GROUP, name))
    except ParameterError as error:
        return str(error)
    return (inspect.getdoc(module) or "").partition("\n")[0]
