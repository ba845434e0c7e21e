# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The value curve: measured accuracy over bytes, kept in a checkpoint's card.

The drone reads it (`sc2_ros.link.control.value_curve`) to know below which rate code fewer frames
beat worse ones. The card is no part of the checkpoint's id, so drone and ground need not both have
the curve.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import safe_open

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import InputError
from sc2_ros.evaluation.sweep.row import Row, family, metric_of
from sc2_ros.link.rate import code_of

LEAST_POINTS = 2
_METRICS = ("mean_ap50", "miou")
_NEEDED = (
    "a value curve needs two rates or more, measured without loss on labelled boxes or masks; "
    "give for instance --rate-index 0,0.1,0.25,0.5,0.8 and no --loss"
)


def check_measured(rates: Sequence[float], loss: float) -> None:
    """Refuse, before hours of measuring, what will give no curve.

    Raises:
        InputError: fewer than two rates, or packets are lost.
    """
    if len({code_of(rate) for rate in rates}) < LEAST_POINTS or loss > 0:
        raise InputError(_NEEDED)


def value_curve(rows: Sequence[Row]) -> list[tuple[int, float, float]]:
    """(rate code, bytes per frame, accuracy) of our own rows without loss, by code.

    Accuracy is the mean AP50, or mIoU where the data set has no boxes.

    Raises:
        InputError: fewer than two rates were measured, or none of the two accuracies.
    """
    own = [
        row
        for row in rows
        if family(row) == "sc2_ros" and row["rate_index"] is not None and row["loss"] == 0
    ]
    for metric in _METRICS:
        points = {}
        for row in own:
            accuracy = metric_of(row, metric)
            if accuracy is not None and row["bytes_per_frame"] > 0:
                assert row["rate_index"] is not None
                code = code_of(row["rate_index"])
                points[code] = (code, round(row["bytes_per_frame"], 1), round(accuracy, 4))
        if len(points) >= LEAST_POINTS:
            return [points[code] for code in sorted(points)]
    raise InputError(_NEEDED)


def write_value_curve(rows: Sequence[Row], checkpoint: str | Path, path: Path) -> int:
    """Write the checkpoint with the curve in its card to ``path``; returns its (unchanged) id.

    ``path`` may be the checkpoint's own file: it is replaced in one step.

    Raises:
        InputError: the rows make no curve.
        CheckpointError: the checkpoint cannot be read, or the file cannot be written.
    """
    curve = value_curve(rows)
    parts = checkpoints.read(checkpoint)
    with safe_open(str(parts.path), "pt") as file:
        metadata = dict(file.metadata())
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    metadata["card"] = json.dumps({**parts.card, "value_curve": curve})
    checkpoints.write_file(path, tensors, metadata)
    return parts.id
