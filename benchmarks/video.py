# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes of video against agreement with the uncompressed frames: ours and video encoders.

    python benchmarks/video.py --json benchmarks/results/video.json --figure out/video.png
    python benchmarks/video.py --input FILE|FOLDER|BAG|synthetic:SEED:LOOK:MOTION --fps 10

Without --input: the clips of ../shared/data (or $SC2_DATA) and the synthetic flight. Rows are
{clip, fps, system, setting, age, loss, bytes_per_frame, kbps, agreement_ap50, ap50 (against labels,
where there are any), encode_ms, decode_ms}; `summary` has the bytes at equal agreement. Times share
the machine with whatever else runs; the network's is in none of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros import imaging
from sc2_ros.evaluation.video_run import Agreement, OwnSystem, PeerSystem, VideoSystem, measure
from sc2_ros.media.source import SourceFrame, open_source
from sc2_ros.training.config import data_root
from sc2_ros.training.datasets import Sample

Image = NDArray[np.uint8]
Row = dict[str, object]

RATES = (0.0, 0.1, 0.25)
MIDDLE_RATE = 0.1
AGES = (1, 3, 6)
QUALITIES = {"x265": (28, 36, 44), "x264": (32, 42), "svt-av1": (45, 60)}
LOSS = 0.05
_WIDEST = 640
# Clip, frames per second, kind of motion, first frame.
FOOTAGE = (
    ("video/one-by-one-person-detection.mp4", 10.0, "static", 1250),
    ("video/car-detection.mp4", 10.0, "static", 20),
    ("video/solidWhiteRight.mp4", 10.0, "forward", 20),
    ("aerial_cars/images/MOS*.jpg", 2.0, "hover", 0),
)
FLIGHTS = ("hover", "pan", "forward")


def main() -> int:
    """Measure clip by clip, write after each."""
    args = _parse_arguments()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(args.threads)
    checkpoint = checkpoints.load(args.checkpoint)
    agreement = Agreement(checkpoint)
    rows: list[Row] = []
    report: dict[str, object] = {}
    for name, fps, motion, frames in _clips(args.input, args.fps, args.frames, args.only):
        truth = [agreement.truth(sample.image) for sample in frames]
        labels = frames if any(len(sample.boxes) for sample in frames) else []
        for system, age, loss in _systems(checkpoint, agreement, fps, args.peers):
            row: Row = {"clip": name, "fps": fps, "motion": motion}
            row |= {"system": system.name, "setting": system.setting, "age": age, "loss": loss}
            row |= measure(system, truth, labels, agreement)
            row["kbps"] = round(float(str(row["bytes_per_frame"])) * 8 * fps / 1000, 2)
            rows.append(row)
        report = {
            "checkpoint": f"{checkpoint.id:08x}",
            "threads": args.threads,
            "rows": rows,
            "summary": summary(rows),
        }
        if args.json:
            args.json.parent.mkdir(parents=True, exist_ok=True)
            args.json.write_text(json.dumps(report, indent=1) + "\n")
        _print(summary(rows)[-1:])
    _print(summary(rows))
    if args.figure:
        draw(rows, args.figure)
    return 0


def summary(rows: Sequence[Row]) -> list[Row]:
    """Per clip: bytes against our intra and against the peers at equal agreement."""
    result = []
    for clip in dict.fromkeys((row["clip"], row["fps"]) for row in rows):
        own = [row for row in rows if (row["clip"], row["fps"]) == clip]
        intra = _curve(own, "sc2 intra", 0)
        middle = next(
            row
            for row in own
            if (row["system"], row["setting"], row["loss"]) == ("sc2 intra", "0.1", 0.0)
        )
        at = middle["agreement_ap50"]
        entry: Row = {"clip": clip[0], "fps": clip[1], "motion": middle["motion"], "ap50": at}
        entry["intra_bytes"] = middle["bytes_per_frame"]
        temporal = _curve(own, "sc2", 1)
        entry["share_of_intra"] = _ratio(bytes_at(temporal, at), bytes_at(intra, at))
        if middle["ap50"] is not None:
            entry["label_ap50"] = middle["ap50"]
            curves = [_curve(own, *kind, "ap50") for kind in (("sc2", 1), ("sc2 intra", 0))]
            entry["share_of_intra_by_labels"] = _ratio(
                *(bytes_at(curve, middle["ap50"]) for curve in curves)
            )
        for age in AGES[1:]:
            # Older references were measured at one rate: compare at equal rate.
            same = [r for r in own if (r["system"], r["age"], r["loss"]) == ("sc2", age, 0.0)]
            if same:
                entry[f"share_age_{age}"] = _ratio(
                    same[0]["bytes_per_frame"], middle["bytes_per_frame"]
                )
        for peer in [peer for peer in QUALITIES if _curve(own, peer, 0)]:
            reached = bytes_at(_curve(own, peer, 0), at)
            entry[f"share_of_{peer}"] = _ratio(bytes_at(temporal, at), reached)
            if middle["ap50"] is not None:
                curves = [_curve(own, *kind, "ap50") for kind in (("sc2", 1), (peer, 0))]
                entry[f"share_of_{peer}_by_labels"] = _ratio(
                    *(bytes_at(curve, middle["ap50"]) for curve in curves)
                )
        for system in ("sc2", "x265", "x264"):
            entry[f"kept_at_loss_{system}"] = _kept(own, system)
        result.append(entry)
    return result


def _kept(rows: Sequence[Row], system: str) -> float | None:
    """Agreement at loss as a share of that without, at the same setting."""
    for row in rows:
        if row["system"] == system and row["loss"]:
            for other in rows:
                same = ("system", "setting", "age")
                if not other["loss"] and all(row[key] == other[key] for key in same):
                    return _ratio(row["agreement_ap50"], other["agreement_ap50"])
    return None


def _curve(
    rows: Sequence[Row], system: str, age: int, figure: str = "agreement_ap50"
) -> list[tuple[float, float]]:
    """(bytes, AP50) of a system's settings without loss, by bytes."""
    points = [
        (float(str(row["bytes_per_frame"])), float(str(row[figure])))
        for row in rows
        if (row["system"], row["age"], row["loss"]) == (system, age, 0.0)
        and row[figure] is not None
    ]
    return sorted(points)


def bytes_at(curve: Sequence[tuple[float, float]], ap50: object) -> float | None:
    """Bytes at which a curve reaches an AP50, log-linear between its points; None: it does not.

    A curve that lies above it from its first point on counts with that point.
    """
    if ap50 is None or not curve:
        return None
    wanted = float(str(ap50))
    before: tuple[float, float] | None = None
    for size, value in curve:
        if value >= wanted:
            if before is None or value == before[1]:
                return size
            part = (wanted - before[1]) / (value - before[1])
            return float(np.exp(np.log(before[0]) * (1 - part) + np.log(size) * part))
        before = (size, value)
    return None


def _ratio(one: object, other: object) -> float | None:
    if one is None or not other:
        return None
    return round(float(str(one)) / float(str(other)), 4)


def _systems(
    checkpoint: checkpoints.Checkpoint, agreement: Agreement, fps: float, peers: Sequence[str]
) -> Iterator[tuple[VideoSystem, int, float]]:
    for rate in RATES:
        yield OwnSystem(checkpoint, rate, 0, 0.0, fps), 0, 0.0
        yield OwnSystem(checkpoint, rate, 1, 0.0, fps), 1, 0.0
    for age in AGES[1:]:
        yield OwnSystem(checkpoint, MIDDLE_RATE, age, 0.0, fps), age, 0.0
    yield OwnSystem(checkpoint, MIDDLE_RATE, 1, LOSS, fps), 1, LOSS
    for peer in peers:
        for quality in QUALITIES[peer]:
            yield PeerSystem(peer, quality, 0.0, agreement), 0, 0.0
        if peer != "svt-av1":
            yield PeerSystem(peer, QUALITIES[peer][1], LOSS, agreement), 0, LOSS


def _clips(
    spec: str | None, fps: float, count: int, only: str
) -> Iterator[tuple[str, float, str, list[Sample]]]:
    """Name, frames per second, motion and frames, RGB, sides multiples of 16."""
    if spec is not None:
        source = open_source(spec, fps=fps)
        yield Path(spec).name, fps, "", [_sample(frame) for frame in islice(source, count)]
        return
    yield from _flights(count, 10.0, only)
    root = data_root(None)
    for name, rate, motion, first in FOOTAGE:
        if only not in name or not list(root.glob(name)):
            continue
        if name.endswith(".jpg"):
            paths = sorted(root.glob(name), key=lambda p: int("".join(filter(str.isdigit, p.stem))))
            pictures = [cv2.imread(str(path)) for path in paths[-count:]]
            images = [_bounded(cv2.cvtColor(p, cv2.COLOR_BGR2RGB)) for p in pictures]
            frames = [Sample(image, "") for image in images if image.shape == images[-1].shape]
        else:
            source = open_source(str(root / name), fps=rate)
            frames = [_sample(frame) for frame in islice(source, first, first + count)]
        yield name, rate, motion, frames
    yield from _flights(count, 2.0, only)


def _flights(count: int, rate: float, only: str) -> Iterator[tuple[str, float, str, list[Sample]]]:
    for motion in FLIGHTS:
        name = f"synthetic:1000003:rgb:{motion}"
        if only in name:
            flight = islice(open_source(name, fps=rate), count)
            yield name, rate, motion, [_sample(frame) for frame in flight]


def _sample(frame: SourceFrame) -> Sample:
    """The frame at the size that is sent; with its labels only where that is its own."""
    image = _bounded(frame.image)
    if frame.truth is None or image.shape[:2] != frame.image.shape[:2]:
        return Sample(image, "")
    return Sample(image, "", frame.truth.boxes, frame.truth.labels)


def _bounded(image: NDArray[Any]) -> Image:
    height, width = image.shape[:2]
    scale = min(1.0, _WIDEST / width)
    width, height = (max(round(side * scale) // 16, 1) * 16 for side in (width, height))
    return imaging.resize(image.astype(np.uint8, copy=False), width, height)


def draw(rows: Sequence[Row], path: Path) -> None:
    """Agreement over bytes, a panel for each clip."""
    clips = list(dict.fromkeys((str(row["clip"]), row["fps"]) for row in rows))
    columns = min(len(clips), 4)
    lines = -(-len(clips) // columns)
    figure = Figure(figsize=(3.4 * columns, 2.8 * lines), layout="constrained")
    for number, clip in enumerate(clips):
        axes = figure.add_subplot(lines, columns, number + 1)
        own = [row for row in rows if (row["clip"], row["fps"]) == clip]
        for system, age in (("sc2 intra", 0), ("sc2", 1), *((peer, 0) for peer in QUALITIES)):
            curve = _curve(own, system, age)
            if curve:
                axes.plot(*zip(*curve, strict=True), marker="o", markersize=3, label=system)
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
    names = list(dict.fromkeys(key for entry in entries for key in entry))
    for name in names:
        table.add_column(name.replace("_", " "))
    for entry in entries:
        values = [entry.get(name) for name in names]
        table.add_row(
            *(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values)
        )
    Console(width=200).print(table)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--input", help="a video, folder, bag or flight; default: all clips")
    parser.add_argument("--fps", type=float, default=10.0, help="of --input (default 10)")
    parser.add_argument("--frames", type=int, default=40, help="per clip (default 40)")
    parser.add_argument("--only", default="", help="clips whose name has this in it")
    parser.add_argument("--peers", nargs="*", default=list(QUALITIES), choices=list(QUALITIES))
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, help="write the rows here, after every clip")
    parser.add_argument("--figure", type=Path, help="draw the curves here")
    parser.add_argument("--threads", type=int, default=2, help="of torch and OpenCV (default 2)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
