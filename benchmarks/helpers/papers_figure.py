# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Figures of the papers side by side: accuracy over bytes, and over bytes and encoder together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from sc2_ros.evaluation.metrics.bdrate import front

LABELS = {"top1": "top-1 accuracy", "miou": "mIoU", "mean_ap50": "mean AP50"}
PICTURES = ("jpeg", "webp", "avif", "feature-jpeg")


def draw_curves(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """One curve per system of one task over a logarithmic axis; the teacher is a dashed line."""
    curves = _curves(rows)
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    for name, points in curves.items():
        if name == "teacher":
            axes.axhline(points[0]["value"], color="grey", ls="--", label="teacher, no codec")
            continue
        pairs = sorted((p["bytes_per_frame"], p["value"]) for p in points)
        style = "s:" if name in PICTURES else "o-"
        axes.plot(*zip(*pairs, strict=True), style, lw=1.2 if name in PICTURES else 2, label=name)
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_formatter("")
    axes.set(
        xlabel="bytes per frame on the wire",
        ylabel=LABELS[rows[0]["metric"]],
        title=f"{rows[0]['dataset']}, {rows[0]['frames']} frames, one teacher",
    )
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small", ncols=2)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def draw_trade_off(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """The SC2 benchmark's three-way trade-off: encoder's MACs, bytes, accuracy as colour."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    students = [row for row in rows if row["system"] != "teacher" and row["encoder_gmac"] > 0]
    if not students:
        return
    spots = axes.scatter(
        [row["bytes_per_frame"] for row in students],
        [row["encoder_gmac"] for row in students],
        c=[row["value"] for row in students],
        s=70,
        cmap="viridis",
        edgecolors="black",
    )
    for name, points in _curves(students).items():
        cheapest = min(points, key=lambda p: p["bytes_per_frame"])
        axes.annotate(
            name,
            (cheapest["bytes_per_frame"], cheapest["encoder_gmac"]),
            xytext=(0, 7),
            textcoords="offset points",
            fontsize="small",
        )
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="bytes per frame on the wire",
        ylabel="encoder, GMAC per frame",
        title=f"{rows[0]['dataset']}: encoder, data and accuracy",
    )
    axes.grid(alpha=0.3, which="both")
    figure.colorbar(spots, label=LABELS[rows[0]["metric"]])
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def draw_front(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Every point of a search, and the Pareto front (Ahuja et al. 2023, figures 4 and 5)."""
    figure = Figure(figsize=(8, 5), layout="constrained")
    axes = figure.add_subplot()
    pairs = [(row["bytes_per_frame"], row["value"]) for row in rows]
    axes.plot(*zip(*pairs, strict=True), "o", color="silver", label="searched")
    axes.plot(*zip(*front(pairs), strict=True), "o-", color="tab:red", label="Pareto front")
    for row in rows:
        if (row["bytes_per_frame"], row["value"]) in front(pairs):
            axes.annotate(
                row["setting"].replace("-", ", ").replace("_", " "),
                (row["bytes_per_frame"], row["value"]),
                fontsize="x-small",
            )
    axes.set(
        xscale="log",
        xlabel="bytes per frame on the wire",
        ylabel=LABELS[rows[0]["metric"]],
        title=f"{rows[0]['dataset']}: search over split, stride, channels, step and lambda",
    )
    axes.grid(alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=130)


def _curves(rows: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    curves: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        curves.setdefault(row["system"], []).append(row)
    return curves
