# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Both ends of `sc2 replay`: our stream's pipelines, or a split network of a paper's recipe."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from typing import Any

from sc2_ros import checkpoint as checkpoints
from sc2_ros.cli.api.options import budget_kbps
from sc2_ros.cli.api.report import checkpoint_label
from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.session.virtual import Drone, Station
from sc2_ros.evaluation.systems.split_stream import SplitGround, SplitOnboard
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.sim.spec import LinkSpec
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline
from sc2_ros.split import checkpoint as split_checkpoint


@dataclass(frozen=True)
class Ends:
    """What encodes, what decodes, the checkpoint's name for the report, and a card: its classes."""

    drone: Drone
    station: Station
    label: str
    card: dict[str, Any]


def open_ends(args: argparse.Namespace, link: LinkSpec) -> Ends:
    """Load args.checkpoint for the options of `sc2 replay`.

    Raises:
        CheckpointError: it is missing or damaged.
        ParameterError: it has no answers that a recording could show.
    """
    path = checkpoints.find(args.checkpoint)
    ground = GroundConfig(device=args.device, precision=args.precision)
    if split_checkpoint.is_split(path):
        return _split_ends(split_checkpoint.load(path, args.device), ground)
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    onboard = OnboardConfig(
        rate_mode=args.rate_mode,
        rate_index=args.rate_index,
        rate_max_kbps=budget_kbps(args.max_kbps, link, args.rate_mode),
        device=args.device,
    )
    return Ends(
        OnboardPipeline(checkpoint, onboard),
        GroundPipeline(checkpoint, ground),
        checkpoint_label(checkpoint),
        checkpoint.card,
    )


def _split_ends(checkpoint: split_checkpoint.SplitCheckpoint, config: GroundConfig) -> Ends:
    """A network of one rate: --rate-mode, --rate-index and --max-kbps do not concern it."""
    system = SplitSystem(checkpoint)
    if system.task == "classification":
        raise ParameterError(
            f"{checkpoint.path} names one class for a whole image, which is nothing to draw; "
            "sc2 evaluate measures it"
        )
    return Ends(
        SplitOnboard(system),
        SplitGround(system, config),
        checkpoint_label(checkpoint),
        {"detection_classes": system.detection_classes, "mask_classes": system.mask_classes},
    )
