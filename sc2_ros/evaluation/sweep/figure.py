# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy over kB/frame as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator

from sc2_ros.evaluation.sweep.row import Row, family, metric_of

_LABELS = {
    "mean_ap50": "mean AP50 (person, car, bicycle)",
    "miou": "mean IoU",
    "top1": "top-1 accuracy",
}
_NAMES = {
    "jpeg": "JPEG",
    "webp": "WebP",
    "avif": "AVIF",
    "png": "PNG",
    "hevc": "HEVC intra",
    "av1": "AV1 intra",
    "h264-video": "H.264 video",
    "hevc-video": "HEVC video",
    "compressai": "CompressAI factorised",
    "feature-jpeg": "JPEG of features",
    "feature-webp": "WebP of features",
    "crbq": "CR+BQ",
    "onboard-only": "onboard only",
}


def draw_rate_distortion(rows: Sequence[Row], metric: str, path: Path, title: str) -> None:
    """One curve per system over a logarithmic axis; the uncompressed images are a dashed line.

    `metric` is one of row.METRICS; the suffix of `path` chooses the format.
    """
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        accuracy = metric_of(row, metric)
        if accuracy is not None:
            point = (row["bytes_per_frame"] / 1000, accuracy)
            curves.setdefault(family(row), []).append(point)
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, points in curves.items():
        if name == "uncompressed":
            axes.axhline(points[0][1], color="grey", ls="--", label="same network, no codec")
        else:
            ours = name == "sc2_ros"
            style = "^" if name == "onboard-only" else "o-"
            axes.plot(
                *zip(*sorted(points), strict=True),
                style,
                color="black" if ours else None,
                lw=2.5 if ours else 1.2,
                ms=5 if ours else 3.5,
                label=_NAMES.get(name, name),
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter("")
    axes.set(xlabel="kB per frame on the wire", ylabel=_LABELS[metric], title=title)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right", fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
