# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The picture of a run over time: what the link could carry, what was sent, how late it came."""

import math
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sc2_ros.evaluation.session.log import Latency, SessionLog, Summary

CAPACITY, SENT, FRAME, LATE = "#b8bcc4", "#0072b2", "#009e73", "#d55e00"


def save_figure(log: SessionLog, summary: Summary, path: Path, title: str) -> None:
    """Write a PNG with three panels over time, and where the latency goes if that is known."""
    start_s = min([time_s for time_s, _ in log.packets], default=0.0)
    stages = summary.latency_breakdown_ms
    figure = Figure(figsize=(9, 8 if stages else 7), dpi=110, layout="constrained")
    heights = [1, 1, 1, 0.35] if stages else [1, 1, 1]
    rate, size, latency, *rest = figure.subplots(len(heights), 1, height_ratios=heights)
    for axes in (rate, size):
        axes.sharex(latency)
        axes.tick_params(labelbottom=False)
    for axes in rest:
        _draw_stages(axes, stages)
    figure.suptitle(title, fontsize=11)
    _draw_rate(rate, log, start_s)
    _draw_size(size, log, summary, start_s)
    _draw_latency(latency, log, summary, start_s)
    latency.set_xlabel("time in s")
    latency.set_xlim(0, max(summary.seconds, 0.1))
    for axes in (rate, size, latency):
        axes.grid(alpha=0.25)
        top = axes.dataLim.ymax
        axes.set_ylim(0, 1.3 * top if math.isfinite(top) and top > 0 else 1)
        axes.spines[["top", "right"]].set_visible(False)
        if axes.get_legend_handles_labels()[1]:
            axes.legend(loc="upper right", ncols=3, fontsize=8, frameon=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path)


def _draw_stages(axes: Axes, stages: dict[str, Latency]) -> None:
    """The medians of the stages, end to end."""
    left = 0.0
    for number, (name, spent) in enumerate(stages.items()):
        width = max(spent.p50 or 0.0, 0.0)
        axes.barh(0, width, left=left, color=f"C{number}", label=f"{name} {width:.0f}")
        left += width
    axes.set_yticks([])
    axes.set_xlim(0, 1.02 * left or 1)
    axes.set_ylim(-0.4, 1.4)
    axes.set_xlabel("capture to result, ms: the median of each stage")
    axes.legend(loc="upper left", ncols=len(stages), fontsize=7, frameon=False, columnspacing=0.8)
    axes.spines[["top", "right", "left"]].set_visible(False)


def _draw_rate(axes: Axes, log: SessionLog, start_s: float) -> None:
    """Capacity as an area behind the rate that was sent, in half-second bins."""
    points = [(t - start_s, bps / 1000) for t, bps in log.capacities if math.isfinite(bps)]
    if points:
        times, values = zip(*points, strict=True)
        axes.fill_between(times, values, step="post", color=CAPACITY, alpha=0.5, label="capacity")
    if log.packets:
        times_s = np.array([time_s for time_s, _ in log.packets]) - start_s
        sizes = np.array([size for _, size in log.packets])
        edges = np.arange(0, times_s[-1] + 0.5, 0.5)
        if len(edges) > 1:
            sums, _ = np.histogram(times_s, bins=edges, weights=sizes)
            centres = (edges[:-1] + edges[1:]) / 2
            axes.plot(centres, sums * 8e-3 / 0.5, color=SENT, lw=1.6, label="sent")
    axes.set_ylabel("kbit/s")


def _draw_size(axes: Axes, log: SessionLog, summary: Summary, start_s: float) -> None:
    frames = [f for f in log.frames if f.packets]
    whole = [f for f in frames if f.delivered >= f.packets]
    torn = [f for f in frames if f.delivered < f.packets]
    for group, colour, label in ((whole, FRAME, "arrived whole"), (torn, LATE, "lost packets")):
        if group:
            axes.plot(
                [f.sent_s - start_s for f in group],
                [f.size_bytes for f in group],
                ".", ms=4, color=colour, label=label,
            )  # fmt: skip
    axes.axhline(summary.bytes_per_frame, color="black", lw=0.8, ls=":", label="mean")
    axes.set_ylabel("bytes per frame")


def _draw_latency(axes: Axes, log: SessionLog, summary: Summary, start_s: float) -> None:
    done = [f for f in log.finished() if f.result_s is not None and f.latency_ms is not None]
    axes.plot(
        [f.result_s - start_s for f in done if f.result_s is not None],
        [f.latency_ms for f in done if f.latency_ms is not None],
        ".", ms=4, color=SENT,
    )  # fmt: skip
    for value, style, name in (
        (summary.latency_ms.p50, "-", "p50"),
        (summary.latency_ms.p95, "--", "p95"),
    ):
        if value is not None:
            axes.axhline(value, color="black", lw=0.8, ls=style, label=f"{name} {value:.0f} ms")
    axes.set_ylabel("capture to result, ms")
