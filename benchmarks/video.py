# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes of video against agreement with the uncompressed frames: ours and video encoders.

    python benchmarks/video.py --json benchmarks/results/video.json --figure out/video.png
    python benchmarks/video.py --input FILE|FOLDER|BAG|synthetic:SEED:LOOK:MOTION --fps 10

Without --input: the clips of ../shared/data (or $SC2_DATA) and the synthetic flight. Rows are
{clip, fps, system, setting, age, loss, bytes_per_frame, kbps, agreement_ap50,
agreement_same_grid_ap50, grid_sent_ap50 (benchmarks/helpers/video_agreement.py), ap50 (against
labels, where there are any), encode_ms, decode_ms}; `summary` has the bytes at equal agreement
(benchmarks/helpers/video_summary.py). Times are CPU milliseconds, the network's in none of them.

A row that the file of --json already has, of the same checkpoint and as many frames, is not
measured again; --again names systems of which all rows are. All clips are measured part by part:
our curves, x265, our loss, older references, then the other peers.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import torch
from helpers.program import exit_with
from helpers.video_agreement import Agreement, Truths
from helpers.video_clips import Clip, all_clips, one_clip
from helpers.video_run import OwnSystem, PeerSystem, VideoSystem, measure
from helpers.video_summary import MIDDLE, PEERS, Row, curve, summary
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import track
from rich.table import Table

from sc2_ros import checkpoint as checkpoints

OWN_PARTS = ("curves", "loss", "ages")
FIRST_PEER = "x265"
RATES = (0.0, float(MIDDLE), 0.25, 0.4)
AGES = (1, 3, 6)
QUALITIES = {"x265": (20, 28, 36, 44), "x264": (24, 32, 42), "svt-av1": (35, 45, 60)}
LOSSY_QUALITY = {"x265": 36, "x264": 42}
LOSS = 0.05
SEEDS = (0, 1, 2)
"""Of the loss: in 34 frames of one packet, two are lost."""
KEY = ("clip", "fps", "system", "setting", "age", "loss", "sent")
SHOWN = (
    *("clip", "fps", "equal_at", "grid_sent", "share_of_intra", "share_of_intra_same_grid"),
    *("share_of_intra_by_labels", "share_of_x265", "share_of_x265_at_most"),
    *("kept_at_loss_sc2", "kept_at_loss_x265", "added_ms"),
)


def main() -> int:
    """Measure what is missing, write after each clip and system."""
    args = _parse_arguments()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    checkpoint = checkpoints.load(args.checkpoint)
    agreement = Agreement(checkpoint)
    clips = (
        [one_clip(args.input, args.fps, args.frames)]
        if args.input
        else list(track(all_clips(args.frames, args.only), "clips", console=Console(stderr=True)))
    )
    report: dict[str, Any] = {"checkpoint": f"{checkpoint.id:08x}", "threads": args.threads}
    rows = _kept_rows(args.json, report["checkpoint"], args.again)
    parts = sorted((*OWN_PARTS, *args.peers), key=lambda part: part not in ("curves", FIRST_PEER))
    plan = [(part, clip) for part in parts for clip in clips]
    for part, clip in track(plan, "measuring", console=Console(stderr=True)):
        _measure(clip, _systems(part, checkpoint, agreement, clip.fps), rows, agreement)
        report |= {"rows": list(rows.values()), "summary": summary(list(rows.values()))}
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(report, indent=1) + "\n")
    _print(summary(list(rows.values())))
    if args.figure:
        draw(list(rows.values()), args.figure)
    return 0


def _kept_rows(path: Path | None, checkpoint: str, again: Sequence[str]) -> dict[Any, Row]:
    """Rows of an earlier run with the same checkpoint, by KEY."""
    if path is None or not path.exists():
        return {}
    report = json.loads(path.read_text())
    if report["checkpoint"] != checkpoint:
        return {}
    rows = [row for row in report["rows"] if "sent" in row]
    return {_key(row): row for row in rows if row["system"].split()[0] not in again}


def _key(row: Row) -> tuple[object, ...]:
    return tuple(row[name] for name in KEY)


def _measure(
    clip: Clip,
    systems: Iterable[tuple[Sequence[VideoSystem], int, float]],
    rows: dict[Any, Row],
    agreement: Agreement,
) -> None:
    """Add the rows of a clip that are not there."""
    truths = Truths(agreement, [sample.image for sample in clip.frames])
    for runs, age, loss in systems:
        row: Row = {"clip": clip.name, "fps": clip.fps, "motion": clip.motion}
        row |= {"system": runs[0].name, "setting": runs[0].setting, "age": age, "loss": loss}
        row["sent"] = len(clip.frames)
        if _key(row) in rows:
            continue
        row |= measure(runs, truths, clip.labels, agreement)
        row["kbps"] = round(row["bytes_per_frame"] * 8 * clip.fps / 1000, 2)
        rows[_key(row)] = row


def _systems(
    part: str, checkpoint: checkpoints.Checkpoint, agreement: Agreement, fps: float
) -> Iterator[tuple[Sequence[VideoSystem], int, float]]:
    """Systems of a part, one or one per seed, with the age of their references and the loss."""
    middle = float(MIDDLE)
    if part == "curves":
        for rate in RATES:
            yield [OwnSystem(checkpoint, rate, 0, 0.0, fps)], 0, 0.0
            yield [OwnSystem(checkpoint, rate, 1, 0.0, fps)], 1, 0.0
    elif part == "loss":
        yield [OwnSystem(checkpoint, middle, 1, LOSS, fps, seed) for seed in SEEDS], 1, LOSS
    elif part == "ages":
        for age in AGES[1:]:
            yield [OwnSystem(checkpoint, middle, age, 0.0, fps)], age, 0.0
    else:
        for quality in QUALITIES[part]:
            yield [PeerSystem(part, quality, 0.0, agreement)], 0, 0.0
        if part in LOSSY_QUALITY:
            quality = LOSSY_QUALITY[part]
            yield [PeerSystem(part, quality, LOSS, agreement, seed) for seed in SEEDS], 0, LOSS


def draw(rows: Sequence[Row], path: Path) -> None:
    """Agreement over bytes, a panel for each clip."""
    clips = list(dict.fromkeys((str(row["clip"]), row["fps"]) for row in rows))
    columns = min(len(clips), 4)
    lines = -(-len(clips) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.8 * lines), layout="constrained")
    for number, clip in enumerate(clips):
        axes = figure.add_subplot(lines, columns, number + 1)
        own = [row for row in rows if (row["clip"], row["fps"]) == clip]
        for system, age in (("sc2 intra", 0), ("sc2", 1), *((peer, 0) for peer in PEERS)):
            points = curve(own, system, age)
            if points:
                axes.plot(*zip(*points, strict=True), marker="o", markersize=3, label=system)
        axes.set_xscale("log")
        axes.set_title(f"{Path(clip[0]).name.split('.')[0][:26]}, {clip[1]:g} fps", fontsize=8)
        axes.grid(alpha=0.3)
        axes.tick_params(labelsize=7)
        if number % columns == 0:
            axes.set_ylabel("agreement AP50", fontsize=8)
        if number >= len(clips) - columns:
            axes.set_xlabel("bytes per frame", fontsize=8)
        if number == 0:
            axes.legend(fontsize=7)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)


def _print(entries: Sequence[Row]) -> None:
    table = Table()
    for name in SHOWN:
        table.add_column(name.replace("_", " "))
    for entry in entries:
        values = [entry.get(name) for name in SHOWN]
        table.add_row(
            *(f"{value:.3g}" if isinstance(value, float) else str(value or "") for value in values)
        )
    Console(width=160).print(table)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--input", help="a video, folder, bag or flight; default: all clips")
    parser.add_argument("--fps", type=float, default=10.0, help="of --input (default 10)")
    parser.add_argument("--frames", type=int, default=40, help="per clip (default 40)")
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    parser.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    parser.add_argument("--again", nargs="*", default=[], help="systems to measure again: sc2 x265")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, help="write the rows here; rows in it are kept")
    parser.add_argument("--figure", type=Path, help="draw the curves here")
    parser.add_argument("--threads", type=int, default=2, help="of torch and OpenCV (default 2)")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
