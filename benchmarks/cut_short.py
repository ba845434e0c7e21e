# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""What a frame that is cut short is still worth, by the order in which its packets leave.

    python benchmarks/cut_short.py --data ../shared/data/hituav --limit 97 \
        --json benchmarks/results/cut_short.json --figure docs/figures/cut_short.png

LimitNet's test (A. Hojjat et al., MobiSys 2024): of each image only the first packets come, up to a
share of its bytes. Keyframes without an earlier frame that could fill their holes. Orders: objects
(the drone's, by its saliency head), raster (row by row), random, and bytes (the longest first).
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np

from sc2_ros import checkpoint as checkpoints
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.plan import Protection
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA
from sc2_ros.codec.wire import Geometry
from sc2_ros.data import Sample, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.errors import Sc2Error
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.onboard import backend
from sc2_ros.onboard.saliency import objects_first, rdoq_lambda

STRENGTH = 0.5
"""Of saliency in the choice of symbols: the drone's default."""
ORDERS = ("objects", "raster", "random", "bytes")


class Drone:
    """Images to packets, in every order."""

    def __init__(self, checkpoint: Checkpoint, code: int, slices: int) -> None:
        self._engine = backend.make(checkpoint, backend.choose("auto", "cpu", "auto"))
        self._codec = FrameEncoder(checkpoint.tables, checkpoint.id, rdoq_lambda=RDOQ_LAMBDA)
        self._code, self._protection = code, Protection(slices)

    def packets(self, image: np.ndarray, number: int) -> dict[str, list[bytes]]:
        """Of a keyframe, by order."""
        encoding = self._engine.encode(image)
        if encoding.logit is None:
            raise Sc2Error("the checkpoint has no saliency head; there is nothing to order by")
        size = image.shape[1], image.shape[0]
        weight = rdoq_lambda(encoding.logit, STRENGTH)
        frame = self._codec.frame(encoding.latent, Geometry(size, size), rdoq_lambda=weight)
        plan = self._codec.plan(frame, self._code, self._protection)
        coded = self._codec.encode(plan, stream=0, frame=number, capture_time_ns=number + 1)
        raster: list[bytes] = list(coded.packets)
        return {
            "objects": objects_first(raster, encoding.logit, coded.reference.coded, plan.grid),
            "raster": raster,
            "random": random.Random(number).sample(raster, len(raster)),
            "bytes": sorted(raster, key=len, reverse=True),
        }


def first_packets(packets: Sequence[bytes], share: float) -> list[bytes]:
    """As many as come within a share of their bytes."""
    room, taken = share * sum(map(len, packets)) + 1e-9, []
    for packet in packets:
        room -= len(packet)
        if room < 0:
            break
        taken.append(packet)
    return taken


def measure(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    classes: tuple[str, ...],
    rate_index: float,
    slices: int,
    shares: Sequence[float],
) -> dict[str, Any]:
    """One grid at one rate: mean AP50 by order and share."""
    config = GroundConfig(score_threshold=0.01, max_detections=300, mask=False, preview=False)
    known = tuple(checkpoint.card["detection_classes"])
    drone = Drone(checkpoint, round(64 * rate_index), slices)
    cases = [(order, share) for order in ORDERS for share in shares] + [("all", 1.0)]
    # One ground each: what is cut short is never complete, and so fills no holes of the next frame.
    grounds = {case: GroundPipeline(checkpoint, config) for case in cases}
    scores = {case: DetectionScore(classes, known) for case in cases}
    counts, sizes = [], []
    for number, sample in enumerate(samples):
        orders = drone.packets(sample.image, number)
        orders["all"] = orders["raster"]
        counts.append(len(orders["all"]))
        sizes.append(sum(map(len, orders["all"])))
        for (order, share), score in scores.items():
            ground = grounds[order, share]
            taken = first_packets(orders[order], share)
            found = [one for packet in taken for one in ground.receive(packet, float(number))]
            found += ground.poll(math.inf)
            score.add(sample, *_boxes(found[0] if found else None))
    accuracy = {case: round(score.result().mean_ap50 or 0.0, 4) for case, score in scores.items()}
    return {
        "rate_index": rate_index,
        "slices_at_least": slices,
        "images": len(samples),
        "packets_per_frame": round(float(np.mean(counts)), 2),
        "frames_of_one_packet": round(float(np.mean(np.equal(counts, 1))), 3),
        "bytes_per_frame": round(float(np.mean(sizes))),
        "all_of_it": accuracy["all", 1.0],
        "mean_ap50": {o: {f"{s:g}": accuracy[o, s] for s in shares} for o in ORDERS},
    }


def _boxes(result: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    if result is None:
        return np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
    return result.boxes, result.scores, result.labels


def draw(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Accuracy over the share received, one picture for each row."""
    figure, axes = plt.subplots(
        1, len(rows), figsize=(4.2 * len(rows), 3.6), sharey=True, squeeze=False, dpi=110
    )
    for axis, row in zip(axes[0], rows, strict=True):
        for order, points in row["mean_ap50"].items():
            shares = [0.0, *(100 * float(share) for share in points), 100.0]
            values = [0.0, *points.values(), row["all_of_it"]]
            axis.plot(shares, values, "o-", label=order, ms=3)
        axis.set_title(
            f"{row['bytes_per_frame']:,} B in {row['packets_per_frame']:g} packets", fontsize=9
        )
        axis.set_xlabel("share of the bytes received, %")
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("mean AP50, HIT-UAV val")
    axes[0][0].legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    args = _parse_arguments(argv)
    rows = []
    try:
        checkpoint = checkpoints.load(args.checkpoint)
        dataset = open_dataset(args.data, args.split)
        samples = [dataset[index] for index in choose(len(dataset), args.limit)]
        shares = [float(part) for part in args.shares.split(",")]
        for grid in args.grids.split(","):
            rate_index, slices = grid.split(":")
            rows.append(
                measure(
                    checkpoint,
                    samples,
                    dataset.detection_classes,
                    float(rate_index),
                    int(slices),
                    shares,
                )
            )
            print(json.dumps(rows[-1]), flush=True)
    except (Sc2Error, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.json is not None:
        report = {"checkpoint": f"{checkpoint.id:08x}", "rows": rows}
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    if args.figure is not None:
        draw(rows, args.figure)
    return 0


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="as for sc2 evaluate")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument(
        "--grids", default="0.5:12,1:1", help="rate index:slices at least, comma-separated"
    )
    parser.add_argument("--shares", default="0.25,0.5,0.75")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--figure", type=Path, metavar="FILE")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
