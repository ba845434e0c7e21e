# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What random loss costs: accuracy and throughput of the whole system, with and without repair.

python benchmarks/loss.py --data ../shared/data/hituav --limit 97 --json out/loss.json
python benchmarks/loss.py --data synthetic --link 100kbit,40ms --loss 0,10 --repair auto

Labelled images fly as one stream over an emulated link: real networks, packets, controller and
feedback, in virtual time. Every image counts, also where nothing of it was shown.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sc2_ros import checkpoint as checkpoints
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec.wire import CaptureTimes, PacketType, parse
from sc2_ros.data import Sample, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.errors import Sc2Error
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.evaluation.session.virtual import VirtualRun
from sc2_ros.ground.pipeline import FrameResult, GroundConfig, GroundPipeline
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.frames import SourceFrame
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline

WARM_UP_S = 10.0
"""Before the first image that counts: the controller learns the link and its loss."""
FIRST_NS = 1_000_000_000


class Flight:
    """What left and what was shown of the images that count."""

    def __init__(self, first_ns: int) -> None:
        self.first_ns = first_ns
        self.results: dict[int, FrameResult] = {}
        self.packets = self.size_bytes = self.repair_bytes = self.frames_sent = 0
        self._stamps: set[int] = set()
        self._times = CaptureTimes()

    def camera(self, frame: SourceFrame, time_s: float) -> None:
        """Not needed."""

    def sent(self, packet: bytes, time_s: float) -> None:
        """Count bytes of the images that count."""
        header = self._times.resolve(parse(packet))
        assert header is not None  # every packet is seen, from the first one on
        if header.capture_time_ns < self.first_ns or header.type is PacketType.STREAM_INFO:
            return
        self._stamps.add(header.capture_time_ns)
        self.frames_sent = len(self._stamps)
        self.packets += 1
        self.size_bytes += len(packet)
        self.repair_bytes += len(packet) * (header.type is PacketType.REPAIR)

    def delivered(self, packet: bytes, time_s: float) -> None:
        """Not needed."""

    def capacity(self, bits_per_s: float, time_s: float) -> None:
        """Not needed."""

    def result(self, result: FrameResult, time_s: float, latency_ms: float) -> None:
        """Keep it."""
        if result.stamp_ns >= self.first_ns:
            self.results[result.stamp_ns] = result


def measure(
    checkpoint: Checkpoint,
    samples: Sequence[Sample],
    score: DetectionScore,
    args: argparse.Namespace,
    loss: float,
    repair: str,
) -> dict[str, Any]:
    """Fly the images once after a warm-up: one row."""
    warm = round(WARM_UP_S * args.fps)
    step_ns = round(1e9 / args.fps)
    first_ns = FIRST_NS + warm * step_ns

    def frames() -> Iterator[SourceFrame]:
        for number in range(-warm, len(samples)):
            image = samples[number % len(samples)].image
            yield SourceFrame(image, first_ns + number * step_ns, "camera", None)

    flight = Flight(first_ns)
    onboard = OnboardPipeline(checkpoint, OnboardConfig(rate_mode="auto", rate_repair=repair))
    ground = GroundPipeline(
        checkpoint,
        GroundConfig(score_threshold=0.01, max_detections=300, mask=False, preview=False),
    )
    link = parse_link(f"{args.link},{loss:g}%")
    VirtualRun(onboard, ground, link, flight, args.seed).run(frames())
    nothing = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))
    for number, sample in enumerate(samples):
        result = flight.results.get(first_ns + number * step_ns)
        found = (result.boxes, result.scores, result.labels) if result else nothing
        score.add(sample, *found)
    seconds = len(samples) / args.fps
    shown = list(flight.results.values())
    return {
        "link": args.link,
        "loss": loss / 100,
        "repair": repair,
        "frames": len(samples),
        "frames_sent": flight.frames_sent,
        "frames_shown": len(shown),
        "mean_ap50": score.result().mean_ap50,
        "sent_kbps": round(flight.size_bytes * 8e-3 / seconds, 1),
        "repair_share": round(flight.repair_bytes / max(flight.size_bytes, 1), 4),
        "bytes_per_frame": round(flight.size_bytes / max(flight.frames_sent, 1)),
        "packets_per_frame": round(flight.packets / max(flight.frames_sent, 1), 2),
        "area_received": round(sum(r.share_received for r in shown) / len(samples), 4),
        "area_repaired": round(sum(r.share_repaired for r in shown) / len(samples), 4),
        "rate_index": round(sum(r.rate_index for r in shown) / max(len(shown), 1), 3),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="as for sc2 evaluate")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument("--link", default="300kbit,40ms", help="without its loss")
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--loss", default="0,1,5,10,20", help="percentages")
    parser.add_argument("--repair", default="auto,off")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    rows = []
    try:
        checkpoint = checkpoints.load(args.checkpoint)
        dataset = open_dataset(args.data, args.split)
        samples = [dataset[index] for index in choose(len(dataset), args.limit)]
        classes = tuple(checkpoint.card["detection_classes"])
        for loss in (float(part) for part in args.loss.split(",")):
            for repair in args.repair.split(","):
                score = DetectionScore(dataset.detection_classes, classes)
                rows.append(measure(checkpoint, samples, score, args, loss, repair))
                print(" ".join(f"{key}={value}" for key, value in rows[-1].items()), flush=True)
    except (Sc2Error, ValueError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
