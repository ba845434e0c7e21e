# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bottlenecks by name: those that packages register by entry points, this one among them.

A package registers one in the group `sc2_ros.bottlenecks`:

    [project.entry-points."sc2_ros.bottlenecks"]
    mine = "my_package.bottleneck:build"

where `build(backbone, **options) -> Bottleneck`.
"""

from __future__ import annotations

import inspect
from typing import Any

from sc2_ros import plugins
from sc2_ros.errors import ParameterError
from sc2_ros.split.backbones import Backbone
from sc2_ros.split.bottleneck import Bottleneck

GROUP = "sc2_ros.bottlenecks"


def build_bottleneck(name: str, backbone: Backbone, options: dict[str, Any]) -> Bottleneck:
    """The bottleneck of that name for a backbone.

    Raises:
        ParameterError: no such name, or options that it does not take.
    """
    builder = plugins.load(GROUP, name)
    if builder is None:
        known = ", ".join(plugins.names(GROUP))
        raise ParameterError(f"no bottleneck '{name}'; known are {known}")
    try:
        inspect.signature(builder).bind(backbone, **options)
    except TypeError as error:
        known = ", ".join(list(inspect.signature(builder).parameters)[1:])
        raise ParameterError(f"bottleneck '{name}': {error}; it takes {known}") from error
    built: Bottleneck = builder(backbone, **options)
    return built
