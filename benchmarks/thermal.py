# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The gain control of thermal cameras on made 14-bit images: accuracy, and bytes where predicted.

    python benchmarks/thermal.py ../shared/data/hituav --json out/thermal.json

Of a thermal 8-bit data set, each image becomes counts (7000 + 2 x grey level + noise of one count),
alone or with a hot object of 2 % of the picture, up to 9000 counts above the rest, whose place
counts neither for nor against a detector. Each way of making 8 bits of them again is then measured:
the stretch that undoes exactly what was done (which no camera knows), the 0.5th to 99.5th
percentile of each frame, and the gain control. Then short sequences of the same images: how many
bytes each way costs where frames are predicted, also against the gain control's first curve, held.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data.base import Sample
from sc2_ros.data.coco import CocoDataset
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.thermal import GainControl, ThermalConfig
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

OFFSET, GAIN, WHITE = 7000, 2.0, 16383
RATE_INDEX = 0.4
FRAMES, PERIOD_NS = 24, 100_000_000
HOT = range(8, 16)
"""Frames of a sequence with a hot object."""

Counts = npt.NDArray[np.uint16]
Image = npt.NDArray[np.uint8]
ToGrey = Callable[[Counts, int], Image]


def main() -> int:
    """Measure, print the tables, write the JSON."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("data", type=Path, help="data set of 8-bit thermal images, COCO-like")
    parser.add_argument("--images", type=int, default=58)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    data = CocoDataset(args.data, "val")
    model = checkpoints.load(args.checkpoint)
    alone = accuracy(model, spread(data, args.images))
    moving = sequences(model, spread(data, args.sequences))
    show("accuracy of single images", alone)
    show(f"bytes of {FRAMES} frames, predicted", moving)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        report = {"images": args.images, "accuracy": alone, "bytes": moving}
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def undone(counts: Counts, _stamp_ns: int) -> Image:
    """The 8 bits that the counts were made of."""
    return np.clip(np.rint((counts - float(OFFSET)) / GAIN), 0, 255).astype(np.uint8)


def held() -> ToGrey:
    """The gain control's first curve for all frames."""
    control = GainControl()
    begun = False

    def to_grey(counts: Counts, _stamp_ns: int) -> Image:
        nonlocal begun
        if not begun:
            control(counts)
            begun = True
        return control.levels(counts)

    return to_grey


WAYS: dict[str, Callable[[], ToGrey]] = {
    "undone": lambda: undone,
    # Of a time constant of 0: every frame by itself.
    "percentiles": lambda: GainControl(ThermalConfig(mode="linear", time_constant_s=0.0)),
    "gain control": GainControl,
}


def spread(data: CocoDataset, count: int) -> list[Sample]:
    """Samples from all over a data set."""
    return [data[number * len(data) // count] for number in range(count)]


def to_counts(image: Image, seed: int) -> Counts:
    """14-bit counts of 8-bit grey."""
    grey = image if image.ndim == 2 else image[..., 0]
    noise = np.random.default_rng(seed).normal(0, 1, grey.shape)
    return np.rint(OFFSET + GAIN * grey + noise).astype(np.uint16)


def heated(counts: Counts, right: bool) -> tuple[Counts, npt.NDArray[np.float32]]:
    """With a hot object in an upper corner, and the box (1, 4) where it is."""
    side = int((0.02 * counts.size) ** 0.5)
    left = counts.shape[1] - side if right else 0
    y, x = np.mgrid[:side, :side]
    near = np.clip(1 - np.hypot(y - side / 2, x - side / 2) / (0.75 * side), 0, 1)
    hot = counts.copy()
    hot[:side, left : left + side] = np.minimum(
        hot[:side, left : left + side] + 9000 * near, WHITE
    ).astype(np.uint16)
    return hot, np.array([[left, 0, left + side, side]], np.float32)


def accuracy(model: checkpoints.Checkpoint, samples: list[Sample]) -> list[dict[str, Any]]:
    """Mean AP50 and bytes per frame of every way, alone and with a hot object."""
    rows = []
    for scene in ("alone", "hot object"):
        for name, make in WAYS.items():
            score = DetectionScore(("person", "car", "bicycle"))
            size_bytes = 0
            for number, sample in enumerate(samples):
                counts = to_counts(sample.image, number)
                if scene != "alone":
                    counts, place = heated(counts, number % 2 == 1)
                    sample = without(sample, place)
                packets, result = seen(model, make()(counts, 0))
                size_bytes += packets
                score.add(sample, result.boxes, result.scores, result.labels)
            rows.append(
                {
                    "scene": scene,
                    "way": name,
                    "mean_ap50": score.result().mean_ap50,
                    "bytes": size_bytes / len(samples),
                }
            )
    return rows


def without(sample: Sample, place: npt.NDArray[np.float32]) -> Sample:
    """A sample in which what is in a box counts neither for nor against."""
    middles = (sample.boxes[:, :2] + sample.boxes[:, 2:]) / 2
    inside = ((middles > place[0, :2]) & (middles < place[0, 2:])).all(1)
    return replace(
        sample,
        boxes=sample.boxes[~inside],
        labels=sample.labels[~inside],
        ignore=np.concatenate([sample.ignore, place]),
    )


def seen(model: checkpoints.Checkpoint, image: Image) -> tuple[int, Any]:
    """Bytes and result of one frame by itself."""
    onboard = OnboardPipeline(model, OnboardConfig(rate_index=RATE_INDEX, rate_temporal=False))
    ground = GroundPipeline(model, GroundConfig(score_threshold=0.01, mask=False, preview=False))
    packets = onboard.process(CameraFrame(image, 0, ""), 0.0)
    (result,) = (found for packet in packets for found in ground.receive(packet, 0.1))
    return sum(map(len, packets)), result


def sequences(model: checkpoints.Checkpoint, samples: list[Sample]) -> list[dict[str, Any]]:
    """Bytes of every way, and their ratio to the stretch that undoes what was done."""
    rows = []
    for scene in ("still", "hot object", "pan", "pan, hot object", "drift"):
        sizes = {
            name: sum(flown(model, make(), made(scene, sample.image)) for sample in samples)
            for name, make in {**WAYS, "first curve, held": held}.items()
        }
        for name, size_bytes in sizes.items():
            ratio = size_bytes / sizes["undone"]
            rows.append(
                {"scene": scene, "way": name, "bytes": size_bytes / len(samples), "ratio": ratio}
            )
    return rows


def made(scene: str, image: Image) -> Iterator[Counts]:
    """The frames of a sequence: a window on an image, at rest or moving."""
    height, width = image.shape[:2]
    large = cv2.resize(image, (width * 5 // 4, height * 5 // 4), interpolation=cv2.INTER_CUBIC)
    for number in range(FRAMES):
        x, y = (3 * number, 2 * number) if "pan" in scene else (0, 0)
        counts = to_counts(large[y : y + height, x : x + width], number)
        if scene == "drift":
            counts = counts + np.uint16(2 * number)
        if "hot" in scene and number in HOT:
            counts, _ = heated(counts, right=False)
        yield counts


def flown(model: checkpoints.Checkpoint, to_grey: ToGrey, frames: Iterator[Counts]) -> int:
    """Bytes of a sequence over a link that loses nothing."""
    onboard = OnboardPipeline(model, OnboardConfig(rate_index=RATE_INDEX))
    ground = GroundPipeline(model, GroundConfig(mask=False, preview=False))
    size_bytes = 0
    for number, counts in enumerate(frames):
        stamp_ns = number * PERIOD_NS
        now_s = stamp_ns / 1e9
        packets = onboard.process(CameraFrame(to_grey(counts, stamp_ns), stamp_ns, ""), now_s)
        for packet in packets:
            size_bytes += len(packet)
            onboard.on_sent(packet, now_s)
            ground.receive(packet, now_s + 0.02)
        for feedback in ground.feedback(now_s + 0.03):
            onboard.on_feedback(feedback, now_s + 0.05)
    return size_bytes


def show(title: str, rows: list[dict[str, Any]]) -> None:
    """One table."""
    table = Table(title=title)
    for heading in rows[0]:
        table.add_column(heading)
    for row in rows:
        cells = (
            f"{value:.3f}" if isinstance(value, float) else str(value) for value in row.values()
        )
        table.add_row(*cells)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
