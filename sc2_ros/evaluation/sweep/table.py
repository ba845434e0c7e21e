# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Rows of an evaluation as a table for people."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from sc2_ros.evaluation.sweep.row import METRICS, STRICTER, Row, metric_of


def print_rows(rows: Sequence[Row], title: str, console: Console | None = None) -> None:
    """Print the rows, one column per class that any row has."""
    classes = list(dict.fromkeys(name for row in rows for name in row["ap50"]))
    table = Table(title=escape(title), title_justify="left")
    table.add_column("system", no_wrap=True)
    for heading in ("rate index", "loss", "frames", "bytes/frame", "on air"):
        table.add_column(heading, justify="right", no_wrap=True)
    shown = [metric for metric in METRICS if metric != "top1" or any(r["top1"] for r in rows)]
    stricter = list(STRICTER) if classes else []
    shown[1:1] = stricter
    headings = METRICS | STRICTER
    for heading in (*(f"AP50 {name}" for name in classes), *(headings[m] for m in shown)):
        table.add_column(heading, justify="right", min_width=5)
    for row in rows:
        table.add_row(
            row["system"],
            _number(row["rate_index"], 2),
            f"{row['loss']:.0%}",
            str(row["frames"]),
            f"{row['bytes_per_frame']:,.0f}",
            f"{row['on_air_bytes_per_frame']['udp_sealed']:,.0f}",
            *(_number(row["ap50"].get(name), 3) for name in classes),
            *(_number(metric_of(row, metric), 3) for metric in shown),
        )
    if console is None:
        # In a pipe or a log nothing is cut off at 80 columns.
        console = Console() if sys.stdout.isatty() else Console(width=160)
    console.print(table)


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"
