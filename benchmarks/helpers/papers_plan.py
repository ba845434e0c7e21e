# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What benchmarks/papers.py trains and compares: tasks, systems, and the points of their curves."""

from __future__ import annotations

import dataclasses
from typing import Any

from sc2_ros.split.backbones import OWN

RATES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


@dataclasses.dataclass(frozen=True)
class Task:
    """One task's data and teacher; batch and crop as in training; init: of the teacher."""

    data: str
    task: str
    metric: str
    backbone: str
    crop: int
    batch: int
    scale: tuple[float, float] = (0.75, 1.3)
    init: str | None = None


TASKS = {
    "chips": Task("chips:hituav", "classification", "top1", "resnet:32-64-128:1-1-1", 64, 16),
    "camvid": Task("camvid", "segmentation", "miou", OWN, 256, 4, (0.6, 1.6), "default"),
    "hituav": Task("hituav", "detection", "mean_ap50", OWN, 256, 4, init="default"),
}
BETAS = (0.2, 0.6, 1.8, 5.4)
PRICES = (0.1, 0.3, 0.9, 2.7)
SHALLOW = (0.05, 0.2, 0.8, 3.2)  # FrankenSplit sums over one layer, the students over several
# System -> recipe and one dict of settings per point of its curve, from many bytes to few. A point
# begins with the bottleneck of the point before it and takes LATER of the first one's steps; the
# teacher takes TEACHER times them, and our own stream, which has every rate, as much as a curve.
LATER, TEACHER = 0.5, 3.0
OWN_STREAM, SHIPPED = "sc2_ros", "sc2_ros_shipped"
# A training goes on, in legs of equal length, until one brings less than this.
ACCURACY_STILL, BYTES_STILL = 0.005, 0.05
STUDENTS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    # Predicted frames take no part, so their network is hardly fitted.
    OWN_STREAM: ("sc2_ros", [{"context": {"steps": 600}, "skip": {"steps": 100}}]),
    "entropic_student": ("entropic_student", [{"beta": beta} for beta in BETAS]),
    "sc2_ros_encoder": ("sc2", [{"bottleneck": "sc2_ros_encoder", "beta": b} for b in BETAS]),
    # 16 channels, as the rate estimator: 64 start at 0.7 bpp and take long to come down.
    "sc2_ros_distilled": (
        "sc2",
        [
            {
                "bottleneck": "sc2_ros_encoder",
                "stage1": "answers",
                "beta": price,
                "options": {"channels": 16},
            }
            for price in PRICES
        ],
    ),
    "frankensplit": ("frankensplit", [{"price": price} for price in SHALLOW]),
    "rate_estimator": (
        "rate_estimator",
        [{"price": price, "channels": 16} for price in PRICES],
    ),
    "sc2_scale_hyperprior": (
        "sc2",
        [{"bottleneck": "scale_hyperprior", "beta": beta} for beta in BETAS],
    ),
    "sc2_mean_scale_hyperprior": (
        "sc2",
        [{"bottleneck": "mean_scale_hyperprior", "beta": beta} for beta in BETAS],
    ),
    "sc2_channel_reduction": (
        "sc2",
        [
            {"bottleneck": "channel_reduction", "beta": 0.0, "options": {"channels": channels}}
            for channels in (1, 3, 6, 12)
        ],
    ),
    "rate_estimator_supervised": (
        "rate_estimator",
        [{"price": p, "channels": 16, "supervised": True} for p in PRICES],
    ),
}
# The unit's own search (Ahuja et al., section 4): --search trains these too.
SEARCH = [
    {"split": split, "stride": stride, "channels": channels, "step": step, "price": 0.4}
    for split in (1, 2)
    for stride in (1, 2)
    for channels in (4, 16)
    for step in (0.5, 1.0)
]
PICTURES = {"jpeg": (5, 15, 30, 60, 90), "webp": (1, 15, 40, 80), "avif": (10, 30, 50, 80)}


def label(settings: dict[str, Any], leg: int = 1) -> str:
    """Settings as a folder's name: "beta_0.08", "price_0.02-channels_16", "beta_0.08-leg_2"."""
    parts = []
    for key, value in settings.items():
        if key in ("bottleneck", "stage1", "context", "skip"):
            continue
        inner = value.items() if isinstance(value, dict) else [(key, value)]
        parts += [f"{k}_{v:g}" if isinstance(v, float) else f"{k}_{v}" for k, v in inner]
    return in_leg("-".join(parts), leg)


def in_leg(point: str, leg: int) -> str:
    """The name of a point in a leg: the first has none of its own. `leg_of` is the way back."""
    return "-".join(filter(None, (point, f"leg_{leg}"))) if leg > 1 else point


def leg_of(setting: str) -> tuple[str, int]:
    """The point and the leg that a setting's name is of."""
    point, _, leg = setting.partition("leg_")
    return point.removesuffix("-"), int(leg or 1)
