# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The SC2 benchmark: Matsubara et al., TMLR 2023 (arXiv:2203.08875).

The Entropic Student's two stages with a prior of your choice (scale or mean-scale hyperprior), with
channel reduction and bottleneck quantisation, or with a bottleneck that another package registers.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sc2_ros.papers.entropic_student.recipe import StudentSettings, train
from sc2_ros.training.config import RunOptions, TrainConfig, build

TAKES = ("init", "resume", "teacher")


@dataclass(frozen=True)
class Sc2Settings(StudentSettings):
    """As StudentSettings; bottleneck: any name of split.registry."""

    bottleneck: str = "mean_scale_hyperprior"


def run(config: TrainConfig, options: RunOptions) -> Path:
    """Train; write OUT/checkpoint.safetensors and return its path."""
    return train(config, options, build(Sc2Settings, config.settings, "settings"), "sc2")
