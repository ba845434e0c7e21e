# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one shape of a result: what `sc2 evaluate --json` writes."""

from __future__ import annotations

from typing import TypedDict


class Row(TypedDict):
    """One system at one setting over one split.

    `system` is "sc2_ros", or the family with its setting, as "jpeg:30". `rate_index` is None for
    systems that have none. `bytes_per_frame` is of whole packets, `payload_bytes_per_frame` of the
    entropy-coded bytes in them (None where a system does not tell), `on_air_bytes_per_frame` with
    the headers of each transport (link/on_air.py). Accuracies are in [0, 1],
    None where the data set has no truth for them: `ap`, `ap50` and `ap75` by class, for those that
    system and data both have; of these the three `mean_` ones over person, car and bicycle and the
    two `all_` ones over all four; the two `_by_size` as means over the classes, by COCO's areas
    (small below 32x32, medium below 96x96 pixels, large).
    `truth` says what they were measured against: "labels", or the network's own answers to the
    uncompressed images ("agreement, score >= 0.3").
    """

    system: str
    rate_index: float | None
    loss: float
    frames: int
    bytes_per_frame: float
    ap50: dict[str, float | None]
    mean_ap50: float | None
    miou: float | None
    setting: str
    ap: dict[str, float | None]
    ap_by_size: dict[str, float | None]
    ap50_by_size: dict[str, float | None]
    iou: dict[str, float | None]
    top1: float | None
    ap75: dict[str, float | None]
    mean_ap: float | None
    mean_ap75: float | None
    all_ap50: float | None
    all_ap: float | None
    truth: str
    payload_bytes_per_frame: float | None
    packets_per_frame: float
    on_air_bytes_per_frame: dict[str, float]


def family(row: Row) -> str:
    """The system's name without its setting."""
    return row["system"].partition(":")[0]


METRICS = {"mean_ap50": "mean AP50", "miou": "mIoU", "top1": "top-1"}
# What the table shows beside them where there are boxes.
STRICTER = {"mean_ap75": "AP75", "mean_ap": "AP50:95", "all_ap50": "AP50 of all"}


def metric_of(row: Row, metric: str) -> float | None:
    """One of METRICS or STRICTER; None also where an older file has none."""
    value: float | None = row.get(metric)  # type: ignore[assignment]
    return value
