# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipes that `sc2 train` knows, by name: our own, and those that packages register.

The papers' recipes are among the latter. A package registers a recipe by an entry point of the
group `sc2_ros.recipes`, whose value is a function `run(config: TrainConfig, options: RunOptions) ->
Path` of the checkpoint written.

A module's TAKES names the fields of RunOptions, beside the device, that its recipe goes by; where
there is none, the recipe is given whatever the command line has.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
from collections.abc import Callable, Iterable
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


def check_options(
    name: str, options: RunOptions, config: TrainConfig, max_steps: int | None = None
) -> None:
    """Raise ParameterError for options, and what they stand for, that this recipe would pass over.

    Steps and validations are for those that can be resumed; the others fit a part to a checkpoint
    in one go.
    """
    takes = getattr(inspect.getmodule(recipe(name)), "TAKES", None)
    if takes is None:
        return
    given = [
        field.name
        for field in dataclasses.fields(options)
        if field.name != "device" and getattr(options, field.name) != field.default
    ]
    if max_steps is not None and "resume" not in takes:
        given.append("max_steps")
    if others := [option for option in given if option not in takes]:
        raise ParameterError(
            f"the recipe {name} does not take {_flags(others)}; it takes {_flags(takes)}"
        )
    unused = {"teacher": config.teacher is not None and "teacher" not in takes}
    unused["trainer: validate_every"] = config.trainer.validate_every > 0 and "resume" not in takes
    if names := [key for key, is_unused in unused.items() if is_unused]:
        raise ParameterError(
            f"the recipe {name} has no use for {', '.join(names)} in the configuration; leave it "
            "out"
        )


def _flags(options: Iterable[str]) -> str:
    """As the command line has them."""
    return ", ".join(f"--{option.replace('_', '-')}" for option in options)


def _what(name: str) -> str:
    """The first line of a registered recipe's module, or why it cannot be loaded."""
    try:
        module = inspect.getmodule(plugins.load(GROUP, name))
    except ParameterError as error:
        return str(error)
    return (inspect.getdoc(module) or "").partition("\n")[0]
