# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bottlenecks, recipes and baselines that packages register by entry points: ours and others'.

[project.entry-points."sc2_ros.bottlenecks"]
mine = "my_package.bottleneck:build"
"""

from __future__ import annotations

import importlib.metadata
from typing import Any

from sc2_ros.errors import ParameterError


def names(group: str) -> list[str]:
    """What the installed packages register in a group, in alphabetical order."""
    return sorted({point.name for point in importlib.metadata.entry_points(group=group)})


def is_of_another_package(group: str, name: str) -> bool:
    """Whether `load` gives something that this package does not hold itself."""
    for point in importlib.metadata.entry_points(group=group, name=name):
        return not point.value.startswith("sc2_ros.")
    return False


def load(group: str, name: str) -> Any:
    """The object of that name; None where nobody registers it.

    Raises:
        ParameterError: it is registered, but its package cannot be loaded.
    """
    for point in importlib.metadata.entry_points(group=group, name=name):
        try:
            return point.load()
        except Exception as error:  # another package's code runs: a library lacks, say
            raise ParameterError(f"'{name}' ({point.value}) cannot be loaded: {error}") from error
    return None
