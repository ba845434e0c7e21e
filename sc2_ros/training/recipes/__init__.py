# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The recipes that `sc2 train` knows, by name."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sc2_ros.errors import ParameterError
from sc2_ros.training.config import TrainConfig


@dataclass(frozen=True)
class RunOptions:
    """What the command line adds to a configuration."""

    device: str = "cpu"
    resume: bool = False
    init: str | None = None


RECIPES = {
    "sc2_ros": "tiny encoder, gains for every rate, slices dropped; detection, masks and preview",
    "segmentation_head": "a new mask head on a finished checkpoint; its stream and id stay",
}


def recipe(name: str) -> Callable[[TrainConfig, RunOptions], Path]:
    """The function that runs a recipe and returns its checkpoint's path."""
    if name not in RECIPES:
        raise ParameterError(f"no recipe '{name}'; known are {', '.join(RECIPES)}")
    return importlib.import_module(f"sc2_ros.training.recipes.{name}").run
