# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A picture of a simulated run: what the link carried, what was sent, how long packets waited."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.figure import Figure

from sc2_ros.link.sim.scenarios import Run
from sc2_ros.link.sim.simulator import SentRecord

BIN_S = 0.5


def draw(run: Run, title: str, path: Path) -> None:
    """Write the picture; makes its folder."""
    edges = np.arange(0.0, run.seconds + BIN_S / 2, BIN_S)
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    rates, queue = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    capacity = [
        run.link.capacity_bytes(left, right) * 8e-3 / (right - left)
        for left, right in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]
    rates.fill_between(edges[:-1], capacity, step="post", color="0.88", label="capacity")
    for number, log in enumerate(run.logs):
        name = f"drone {number + 1}" if len(run.logs) > 1 else "sent"
        rates.step(edges[:-1], _kbps(log.packets, edges), where="post", lw=1.2, label=name)
        if log.targets and len(run.logs) == 1:
            targets = np.array(log.targets)
            rates.plot(targets[:, 0], targets[:, 1] / 1e3, lw=0.8, alpha=0.7, label="target")
        waits = np.array([[p.time_s, p.wait_s * 1e3] for p in log.packets if not p.dropped])
        if len(waits):
            queue.plot(waits[:, 0], waits[:, 1], ".", ms=1.5)
    for flow in run.tcp:
        sizes, _ = np.histogram(
            [time_s for time_s, _ in flow.sent], edges, weights=[size for _, size in flow.sent]
        )
        rates.step(edges[:-1], sizes * 8e-3 / BIN_S, where="post", lw=0.8, color="0.4", label="TCP")
    rates.set_ylabel("kbit/s")
    rates.set_title(title, fontsize=10)
    rates.set_ylim(bottom=0)
    rates.legend(fontsize=8, loc="upper right")
    queue.axhline(100, color="0.6", lw=0.8, ls="--")
    queue.set_ylabel("queueing, ms")
    queue.set_xlabel("s")
    queue.set_ylim(0, 400)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=90)


def _kbps(packets: Sequence[SentRecord], edges: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    times = [packet.time_s for packet in packets]
    sizes = [packet.size_bytes for packet in packets]
    return np.asarray(np.histogram(times, edges, weights=sizes)[0] * 8e-3 / BIN_S)
