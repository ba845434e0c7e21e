# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of RFC 8868's grid of delays and losses."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure


def draw_grid(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Write a picture of RFC 8868's grid, from the rows of scenarios ``rfc8868-DELAYms-LOSS%``."""
    cells = {}
    for row in rows:
        match = _GRID_NAME.fullmatch(row["scenario"])
        if match:
            cells[int(match[1]), int(match[2])] = row
    delays, losses = sorted({d for d, _ in cells}), sorted({loss for _, loss in cells})
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    panels = figure.subplots(1, 3)
    for axes, (title, figure_of) in zip(panels, _GRID_PANELS, strict=True):
        for loss in losses:
            values = [figure_of(cells[d, loss]) if (d, loss) in cells else None for d in delays]
            axes.plot(delays, np.array(values, dtype=float), "o-", ms=3, lw=1, label=f"{loss} %")
        axes.set_xlabel("one-way delay, ms")
        axes.set_title(title, fontsize=10)
        axes.set_ylim(bottom=0)
    panels[0].legend(fontsize=8, loc="lower left", title="loss, both ways", title_fontsize=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


_GRID_NAME = re.compile(r"rfc8868-(\d+)ms-(\d+)%")
_GRID_PANELS: tuple[tuple[str, Callable[[dict[str, Any]], float | None]], ...] = (
    ("used, %", lambda row: 100 * row["utilisation"]),
    ("queueing p95, ms", lambda row: row["queue_delay_ms"]["p95"]),
    ("latency p95, ms", lambda row: row["latency_ms"]["p95"]),
)
