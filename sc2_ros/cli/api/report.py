# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a run leaves behind: an annotated video, a figure, summary.json and a table."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from rich.console import Console
from rich.table import Table

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.errors import InputError
from sc2_ros.evaluation.session.figure import save_figure
from sc2_ros.evaluation.session.log import SessionLog, Summary
from sc2_ros.evaluation.session.video import render_and_score
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.source import path_of

if TYPE_CHECKING:
    from sc2_ros.split.checkpoint import SplitCheckpoint

BAG, VIDEO, FIGURE, SUMMARY = "results", "annotated.mp4", "figure.png", "summary.json"


def check_apart(spec: str, out: Path) -> None:
    """Refuse an input that the report in `out` would replace or write into.

    Raises:
        InputError: the input is one of the report's files, lies in one, or holds one.
    """
    path = path_of(spec)
    if path is None:
        return
    source = path.resolve()
    for part in (BAG, VIDEO, FIGURE, SUMMARY):
        target = (out / part).resolve()
        if source.is_relative_to(target) or target.is_relative_to(source):
            raise InputError(
                f"the results would be written to {out / part}, which the input {spec} is or "
                "shares; give another --out"
            )


def begin_report(out: Path) -> BagWriter:
    """A new bag in `out`; the rest of an older report goes with the bag that it was made from.

    Raises:
        InputError: something else is in the bag's place.
    """
    bag = BagWriter(out / BAG)
    for part in (VIDEO, FIGURE, SUMMARY):
        (out / part).unlink(missing_ok=True)
    return bag


def write_report(
    out: Path,
    bag: BagWriter,
    log: SessionLog,
    *,
    seconds: float,
    title: str,
    middleware: str,
    processes: list[dict[str, object]],
    checkpoint: str,
    detection_classes: Sequence[str],
) -> Summary:
    """Close the bag of `begin_report` and make everything else from it and from the log.

    `detection_classes` are those that the detector knows; no other is a miss of it.
    """
    bag.close()
    score = render_and_score(bag.path, log, out / VIDEO, detection_classes)
    summary = log.summary(
        seconds=seconds,
        mean_ap50=score.mean_ap50,
        miou=score.miou,
        middleware=middleware,
        processes=processes,
        checkpoint=checkpoint,
    )
    save_figure(log, summary, out / FIGURE, title)
    write_json(summary, out / SUMMARY)
    return summary


def checkpoint_label(checkpoint: Checkpoint | SplitCheckpoint) -> str:
    """Name and id of a checkpoint."""
    name = checkpoint.path.stem if checkpoint.path else "untrained"
    return f"{name} {checkpoint.id:08x}"


def process_row(name: str, pid: int | None = None) -> dict[str, object]:
    """A process: name, number, resident memory (MB, 10^6 bytes), seconds on the processor."""
    process = psutil.Process(pid)
    rss_mb = round(process.memory_info().rss / 1e6, 1)
    times = process.cpu_times()
    return {
        "name": name,
        "pid": process.pid,
        "rss_mb": rss_mb,
        "cpu_s": round(times.user + times.system, 2),
    }


def since(before: list[dict[str, object]], now: list[dict[str, object]]) -> list[dict[str, object]]:
    """The rows of `now`, their processor time counted from `before` on."""
    begun = {row["pid"]: row["cpu_s"] for row in before}
    return [
        {**row, "cpu_s": round(float(str(row["cpu_s"])) - float(str(begun.get(row["pid"], 0))), 2)}
        for row in now
    ]


def write_json(summary: Summary, path: Path) -> None:
    """The summary as a JSON file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(summary.to_dict(), indent=2) + "\n", "utf-8")


def print_summary(console: Console, summary: Summary, out: Path, bag: BagWriter) -> None:
    """The summary as a table, and which files there are."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows(summary):
        table.add_row(name, value)
    console.print(table)
    if not summary.frames:
        console.print(
            "no frame came through in this time: a wider --link, smaller or fewer frames "
            "(--size, --fps) or more --seconds may help",
            soft_wrap=True,
            highlight=False,
        )
    for path in (out / VIDEO, out / FIGURE, out / SUMMARY, bag.file):
        if path.exists():  # without images there is no video
            console.print(f"written: {path}", soft_wrap=True, highlight=False)


def rows(summary: Summary) -> list[tuple[str, str]]:
    """Names and values with their units."""
    capacity = "no limit" if summary.capacity_kbps is None else f"{summary.capacity_kbps:,.0f}"
    latency = summary.latency_ms
    return [
        ("frames", f"{summary.frames} in {summary.seconds:.1f} s, {summary.fps:.1f} frames/s"),
        ("bytes per frame", bytes_row(summary)),
        ("sent, kbit/s", f"{summary.sent_kbps:,.0f} of {capacity}"),
        ("packet loss", f"{summary.loss:.1%}"),
        ("latency, ms", f"p50 {number(latency.p50, 0)}, p95 {number(latency.p95, 0)}"),
        ("detections", f"{summary.detections}"),
        ("mean AP50", number(summary.mean_ap50, 3)),
        ("mIoU", number(summary.miou, 3)),
        ("middleware", summary.middleware),
        ("processes", ", ".join(str(process["name"]) for process in summary.processes)),
        ("checkpoint", summary.checkpoint),
    ]


def bytes_row(summary: Summary) -> str:
    """Payload, packets and what is on air of a frame."""
    on_air = ", ".join(
        f"{size:,.0f} by {transport.replace('_', ' ')}"
        for transport, size in summary.on_air_bytes_per_frame.items()
    )
    return (
        f"{summary.bytes_per_frame:,.0f} (payload {summary.payload_bytes_per_frame:,.0f}; "
        f"on air {on_air})"
    )


def number(value: float | None, digits: int) -> str:
    """A number, or a dash where there is none."""
    return "-" if value is None else f"{value:,.{digits}f}"
