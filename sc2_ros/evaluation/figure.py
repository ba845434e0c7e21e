# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy over kB/frame as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import FormatStrFormatter, LogLocator

from sc2_ros.evaluation.row import Row

_LABELS = {"mean_ap50": "mean AP50 (person, car, bicycle)", "miou": "mean IoU"}


def draw_rate_distortion(rows: Sequence[Row], metric: str, path: Path, title: str) -> None:
    """One curve per system over a logarithmic axis; the uncompressed images are a dashed line.

    `metric` is "mean_ap50" or "miou"; the suffix of `path` chooses the format.
    """
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        accuracy = row[metric]  # type: ignore[literal-required]
        if accuracy is not None:
            family = row["system"].partition(":")[0]
            curves.setdefault(family, []).append((row["bytes_per_frame"] / 1000, accuracy))
    figure = Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, points in curves.items():
        if name == "uncompressed":
            axes.axhline(points[0][1], color="grey", ls="--", label="same network, no codec")
        else:
            ours = name == "sc2_ros"
            label = "sc2_ros" if ours else name.upper().replace("WEBP", "WebP")
            axes.plot(
                *zip(*sorted(points), strict=True), "o-", lw=2.5 if ours else 1.2, label=label
            )
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FormatStrFormatter("%g"))
    axes.xaxis.set_minor_formatter("")
    axes.set(xlabel="kB per frame on the wire", ylabel=_LABELS[metric], title=title)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)
