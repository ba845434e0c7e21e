# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the rows of benchmarks/papers.py come to: BD-rates, and a page of Markdown."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import fmean
from typing import Any

from helpers.papers_plan import ACCURACY_STILL, BYTES_STILL, OWN_STREAM, SHIPPED, label, leg_of
from helpers.papers_training import Training
from sc2_ros.evaluation.metrics.bdrate import bd_rate

ANCHOR = "entropic_student"


def compare(rows: list[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """BD-rate of every system against the Entropic Student, per task; None: no common range."""
    result: dict[str, dict[str, float | None]] = {}
    for task in sorted({row["task"] for row in rows}):
        curves: dict[str, list[tuple[float, float]]] = {}
        for row in rows:
            if row["task"] == task:
                curves.setdefault(row["system"], []).append((row["bytes_per_frame"], row["value"]))
        if ANCHOR in curves:
            result[task] = {
                system: bd_rate(curve, curves[ANCHOR])
                for system, curve in sorted(curves.items())
                if system not in (ANCHOR, "teacher")
            }
    return result


def in_order(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """By task and system; what was trained for longer than the rest, the shipped stream, last."""
    return sorted(
        rows, key=lambda r: (r["task"], r["system"] == SHIPPED, r["system"], r["bytes_per_frame"])
    )


def gained(rows: list[dict[str, Any]], job: Training) -> bool:
    """Whether a leg of a training brought accuracy or took bytes off, the mean of its rows.

    The first leg always has.
    """
    if job.leg == 1:
        return True
    legs: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        point, leg = leg_of(row["setting"])
        if (row["task"], row["system"]) == (job.name, job.system) and (
            job.system == OWN_STREAM or point == label(job.settings)
        ):
            legs.setdefault(leg, []).append(row)
    (value, size), (before, size_before) = (
        [fmean(row[what] for row in legs[leg]) for what in ("value", "bytes_per_frame")]
        for leg in (job.leg, job.leg - 1)
    )
    return value - before >= ACCURACY_STILL or size < size_before * (1 - BYTES_STILL)


def table(report: dict[str, Any]) -> str:
    """All rows as a page of Markdown."""
    lines = [
        "# All systems side by side",
        "",
        "Made by `benchmarks/papers.py`; do not edit. Bytes are whole packets, steps those of the",
        "training (of a later leg: its own, it went on from the one before), ms the CPU time of",
        "one thread for a frame. BD-rate: mean difference of bytes to entropic_student at equal",
        f"accuracy; - where the ranges of accuracy do not meet. {SHIPPED}, at the end, was trained",
        "for hours.",
    ]
    for task in sorted({row["task"] for row in report["rows"]}):
        own = [row for row in report["rows"] if row["task"] == task]
        metric = own[0]["metric"]
        lines += [
            "",
            f"## {task}: {own[0]['dataset']}, {own[0]['frames']} frames",
            "",
            f"| system | setting | steps | bytes/frame | {metric} | encoder | GMAC | ms |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in own:
            setting = row["setting"].replace("_", " ").replace("-", ", ")
            lines.append(
                f"| {row['system']} | {setting} | {row['training_steps']:,} | "
                f"{row['bytes_per_frame']:,.0f} | {row['value']:.3f} | "
                f"{row['encoder_params']:,} | {row['encoder_gmac']:.3f} | {row['onboard_ms']:.1f} |"
            )
        rates = report["bd_rate"].get(task, {})
        texts = [f"{n} {'-' if v is None else f'{v:+.0%}'}" for n, v in rates.items()]
        lines += ["", "BD-rate: " + ", ".join(texts) + "."] if texts else []
    return "\n".join(lines) + "\n"


def read(path: Path) -> dict[str, Any]:
    """The report that a file holds; an empty one where it holds none."""
    try:
        report: dict[str, Any] = json.loads(path.read_text())
        return report if "rows" in report else {"rows": []}
    except (OSError, ValueError):
        return {"rows": []}


def key(row: dict[str, Any]) -> tuple[str, str, str]:
    """What a row is of; a newer one of the same takes its place."""
    return row["task"], row["system"], row["setting"]
