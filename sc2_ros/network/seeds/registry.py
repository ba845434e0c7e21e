# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bottlenecks by name: those of this package, and those that other packages register.

A package registers one by an entry point of the group `sc2_ros.bottlenecks`:

    [project.entry-points."sc2_ros.bottlenecks"]
    mine = "my_package.bottleneck:build"

where `build(backbone, **options) -> Bottleneck`.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
from collections.abc import Callable
from typing import Any

from sc2_ros.errors import ParameterError
from sc2_ros.network.seeds.backbones import Backbone
from sc2_ros.network.seeds.bottleneck import Bottleneck

Builder = Callable[..., Bottleneck]
GROUP = "sc2_ros.bottlenecks"
_OWN = {
    "entropic_student": "entropic_student:build",
    "scale_hyperprior": "hyperprior:build_scale",
    "mean_scale_hyperprior": "hyperprior:build_mean_scale",
    "channel_reduction": "channel_reduction:build",
    "feature_image": "feature_image:build",
    "rate_estimator": "rate_estimator:build",
    "frankensplit": "frankensplit:build",
    "sc2_ros_encoder": "own_encoder:build",
}


def names() -> list[str]:
    """Every known name, our own first."""
    return [*_OWN, *sorted(point.name for point in _foreign() if point.name not in _OWN)]


def build_bottleneck(name: str, backbone: Backbone, options: dict[str, Any]) -> Bottleneck:
    """The bottleneck of that name for a backbone.

    Raises:
        ParameterError: no such name, or options that it does not take.
    """
    builder = _builder(name)
    try:
        inspect.signature(builder).bind(backbone, **options)
    except TypeError as error:
        known = ", ".join(list(inspect.signature(builder).parameters)[1:])
        raise ParameterError(f"bottleneck '{name}': {error}; it takes {known}") from error
    return builder(backbone, **options)


def _builder(name: str) -> Builder:
    if name in _OWN:
        module, _, function = _OWN[name].partition(":")
        found: Builder = getattr(importlib.import_module(f"{__package__}.{module}"), function)
        return found
    for point in _foreign():
        if point.name == name:
            try:
                builder: Builder = point.load()
            except (ImportError, AttributeError) as error:
                raise ParameterError(
                    f"bottleneck '{name}' ({point.value}) cannot be loaded: {error}"
                ) from error
            return builder
    raise ParameterError(f"no bottleneck '{name}'; known are {', '.join(names())}")


def _foreign() -> list[importlib.metadata.EntryPoint]:
    return list(importlib.metadata.entry_points(group=GROUP))
