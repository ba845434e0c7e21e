# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Settings of the networks that are fitted to a trained encoder, checked before it is trained."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sc2_ros.errors import ParameterError
from sc2_ros.training.config import build
from sc2_ros.training.context_network import ContextConfig
from sc2_ros.training.pairs import footage_files
from sc2_ros.training.skip_fit import SkipConfig


@dataclass(frozen=True)
class FitSettings:
    """context: of the network of keyframes; skip: of predicted frames; footage: glob patterns."""

    context: ContextConfig
    skip: SkipConfig
    footage: tuple[str, ...]


def fit_settings(settings: Mapping[str, Any]) -> FitSettings:
    """What `context`, `skip` and `footage` of a recipe's settings say; defaults where they are not.

    Call it before a training too: what it raises would otherwise be known hours later only.

    Raises:
        ParameterError: a name is unknown, or a value is none that it can have.
        InputError: a pattern of footage matches nothing.
    """
    patterns = settings.get("footage", [])
    if not isinstance(patterns, (list, tuple)) or not all(isinstance(p, str) for p in patterns):
        raise ParameterError(
            f"settings: footage is {patterns!r}; give a list of patterns, such as [video/*.mp4]"
        )
    for pattern in patterns:
        footage_files(pattern)
    return FitSettings(
        build(ContextConfig, settings.get("context", {}), "settings: context"),
        build(SkipConfig, settings.get("skip", {}), "settings: skip"),
        tuple(patterns),
    )
