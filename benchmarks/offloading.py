# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latency of a frame over links of 0.25 to 54 Mbit/s: split computing against sending the image.

    python benchmarks/rate_distortion.py --data ../shared/data/hituav --codecs all --jobs 2
    python benchmarks/offloading.py --data ../shared/data/hituav

    encode on the drone + bytes / link speed + decode and network at the station

Of each system the cheapest setting is taken that is at most --below under the ceiling, by the rows
of benchmarks/rate_distortion.py. Times are medians on this machine's CPU for both ends, one frame
at a time; the link adds nothing but its speed. FrankenSplit (Furutanpey et al. 2023) is "up to 16x
faster than offloading with existing codecs"; the report says at which speeds that holds here. The
Entropic Student's network has random weights unless --student gives a checkpoint: its times are
true all the same, its bytes are those of benchmarks/results/papers.json where they are known.
Writes benchmarks/results/offloading.json and docs/figures/offloading.png.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
import torch
from helpers.program import exit_with
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import DETECTION_CLASSES, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.errors import InputError
from sc2_ros.evaluation.metrics.bdrate import bytes_at
from sc2_ros.evaluation.systems.registry import Context, build
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.evaluation.systems.system import PacketSystem
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split.network import SplitNetwork

ROOT = Path(__file__).parent.parent
LINKS_MBPS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 54.0)
CODECS = ("jpeg", "webp", "avif", "hevc", "av1", "png")
CLAIM = 16.0
_WARM_UP_FRAMES = 2
_STUDENT = "entropic_student"


@dataclass(frozen=True)
class Timing:
    """One system: its setting, what it reaches and costs, and its two ends.

    `bytes_per_frame` is the mean over the data set, None where it is not known.
    """

    system: str
    accuracy: float | None
    bytes_per_frame: float | None
    encode_ms: float
    decode_ms: float

    def total_ms(self, link_mbps: float) -> float | None:
        """From image to answers; None where the bytes are not known."""
        if self.bytes_per_frame is None:
            return None
        return self.encode_ms + self.bytes_per_frame * 8e-3 / link_mbps + self.decode_ms

    def drone_and_link_ms(self, link_mbps: float) -> float | None:
        """Until the last byte has arrived: what a station of any speed has to wait for."""
        total_ms = self.total_ms(link_mbps)
        return None if total_ms is None else total_ms - self.decode_ms


def main() -> int:
    """Choose the settings, measure both ends, add the links, compare."""
    args = _parse_arguments()
    if args.threads:
        torch.set_num_threads(args.threads)
        cv2.setNumThreads(args.threads)
    data = open_dataset(args.data, args.split)
    points = _points(args.points or _points_of(data.name), args.checkpoint)
    metric, ceiling = points["metric"], points["ceiling"]
    chosen = cheapest(points["rows"], metric, ceiling - args.below)
    mask = metric == "miou"
    context = Context(args.checkpoint, args.data, args.split, mask)
    images = [data[i].image for i in choose(len(data), args.limit + _WARM_UP_FRAMES)]
    clock = time.process_time if args.cpu_time else time.perf_counter
    timings = []
    for row in chosen:
        spec = row["system"] if row["rate_index"] is None else f"sc2_ros:{row['rate_index']:g}"
        encode_ms, decode_ms = measure(build(spec, context), images, clock)
        size = row["bytes_per_frame"]
        timings.append(Timing(row["system"], row[metric], size, encode_ms, decode_ms))
    student = student_system(args.student)
    size = student_bytes(args.papers, data.name, ceiling - args.below)
    reached = None if size is None else ceiling - args.below
    timings.append(Timing(_STUDENT, reached, size, *measure(student, images, clock)))
    report = {
        "command": "python " + shlex.join(sys.argv),
        "machine": platform.processor() or platform.machine(),
        "threads": torch.get_num_threads(),
        "clock": "CPU time of the process" if args.cpu_time else "wall",
        "data": data.name,
        "frames": len(images) - _WARM_UP_FRAMES,
        "checkpoint": points["checkpoint"],
        "metric": metric,
        "accuracy": ceiling - args.below,
        "links_mbps": LINKS_MBPS,
        "systems": [
            asdict(t) | {"total_ms": {f"{link:g}": t.total_ms(link) for link in LINKS_MBPS}}
            for t in timings
        ],
        **compare(timings),
    }
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=2) + "\n")
    draw(timings, args.figure, f"{data.name}, {metric} at least {ceiling - args.below:.3f}")
    print_report(timings, report)
    print(f"wrote {args.json} and {args.figure}")
    return 0


def cheapest(rows: Sequence[dict[str, Any]], metric: str, accuracy: float) -> list[dict[str, Any]]:
    """Of every family the row of fewest bytes that reaches the accuracy.

    Onboard-only systems have one setting, so they are there whatever they reach.
    """
    best: dict[str, dict[str, Any]] = {}
    for row in rows:
        family = row["system"].partition(":")[0]
        alone = family == "onboard-only"
        if row[metric] is None or (row[metric] < accuracy and not alone):
            continue
        name = row["system"] if alone else family
        if name not in best or row["bytes_per_frame"] < best[name]["bytes_per_frame"]:
            best[name] = row
    best.pop("uncompressed", None)
    if "sc2_ros" not in best:
        raise InputError(f"no rate of sc2_ros reaches {metric} {accuracy:.3f}; give more --below")
    return list(best.values())


def measure(
    system: PacketSystem, images: Sequence[NDArray[np.uint8]], clock: Callable[[], float]
) -> tuple[float, float]:
    """Median milliseconds of both ends, after a warm-up."""
    ends: list[tuple[float, float]] = []
    for image in images:
        start = clock()
        packets = system.encode(image)
        middle = clock()
        system.decode(packets)
        ends.append((middle - start, clock() - middle))
    encode, decode = zip(*ends[_WARM_UP_FRAMES:], strict=True)
    return median(encode) * 1e3, median(decode) * 1e3


def student_system(checkpoint: Path | None) -> SplitSystem:
    """The Entropic Student from a checkpoint, or of the paper's shape with random weights."""
    if checkpoint is not None:
        return SplitSystem.load(checkpoint)
    card = split_checkpoint.make_card(
        recipe=_STUDENT,
        task="detection",
        classes=DETECTION_CLASSES,
        backbone="resnet:64-128-256:2-2-2",
        bottleneck={"name": _STUDENT, "options": {}},
    )
    torch.manual_seed(0)
    network = split_checkpoint.build_network(card).eval().requires_grad_(False)
    assert isinstance(network, SplitNetwork)
    network.bottleneck.prior.fit([])
    return SplitSystem(split_checkpoint.SplitCheckpoint(network, card, 0))


def student_bytes(path: Path, data: str, accuracy: float) -> float | None:
    """Bytes that the trained student needs, by benchmarks/papers.py; None where it is not known."""
    if not path.is_file():
        return None
    rows = json.loads(path.read_text())["rows"]
    curve = [
        (row["bytes_per_frame"], row["value"])
        for row in rows
        if row["system"] == _STUDENT and data in row["dataset"] and row["task"] == "detection"
    ]
    return bytes_at(curve, accuracy)


def compare(timings: Sequence[Timing]) -> dict[str, object]:
    """How many times faster ours is than each codec, and where that reaches the claim."""
    ours = next(t for t in timings if t.system == "sc2_ros")
    result: dict[str, object] = {}
    for name, method in (("speed_up", "total_ms"), ("speed_up_to_station", "drone_and_link_ms")):
        table = {}
        for timing in timings:
            if timing.system.partition(":")[0] in (*CODECS, _STUDENT):
                ratios = {}
                for link in LINKS_MBPS:
                    theirs, own = getattr(timing, method)(link), getattr(ours, method)(link)
                    ratios[f"{link:g}"] = None if theirs is None else theirs / own
                table[timing.system] = ratios
        result[name] = table
        result[f"{name}_of_16_holds"] = {
            system: [link for link, ratio in ratios.items() if ratio and ratio >= CLAIM]
            for system, ratios in table.items()
        }
    return result


def draw(timings: Sequence[Timing], path: Path, title: str) -> None:
    """Milliseconds a frame over link speed, both logarithmic."""
    figure = Figure(figsize=(7.5, 5), layout="constrained")
    axes = figure.add_subplot()
    for timing in timings:
        if timing.bytes_per_frame is None:
            continue
        ours = timing.system == "sc2_ros"
        alone = timing.system.startswith("onboard-only")
        axes.plot(
            LINKS_MBPS,
            [timing.total_ms(link) or 0.0 for link in LINKS_MBPS],
            "^:" if alone else "o-",
            color="black" if ours else None,
            lw=2.5 if ours else 1.2,
            ms=4,
            label=f"{timing.system} ({timing.bytes_per_frame / 1000:.3g} kB)",
        )
    axes.set(xscale="log", yscale="log", xlabel="link in Mbit/s", title=title)
    axes.set_ylabel("ms from image to answers, CPU at both ends")
    axes.set_xticks(LINKS_MBPS, [f"{link:g}" for link in LINKS_MBPS])
    axes.xaxis.set_minor_formatter("")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 4, 5, 7)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.yaxis.set_minor_formatter("")
    axes.grid(alpha=0.3, which="both")
    axes.legend(fontsize="small")
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def print_report(timings: Sequence[Timing], report: dict[str, Any]) -> None:
    """The table and the verdict on the claim."""
    table = Table(title=f"{report['data']}: ms from image to answers", title_justify="left")
    table.add_column("system", no_wrap=True)
    headings = ("bytes", report["metric"], "encode", "decode")
    for heading in (*headings, *(f"{link:g} Mbit/s" for link in LINKS_MBPS)):
        table.add_column(heading, justify="right")
    for timing in timings:
        totals = (timing.total_ms(link) for link in LINKS_MBPS)
        table.add_row(
            timing.system,
            "-" if timing.bytes_per_frame is None else f"{timing.bytes_per_frame:,.0f}",
            "-" if timing.accuracy is None else f"{timing.accuracy:.3f}",
            f"{timing.encode_ms:.1f}",
            f"{timing.decode_ms:.1f}",
            *("-" if total is None else f"{total:.0f}" for total in totals),
        )
    (Console() if sys.stdout.isatty() else Console(width=160)).print(table)
    for key, what in (("speed_up", "image to answers"), ("speed_up_to_station", "drone and link")):
        for system, ratios in report[key].items():
            known = {link: ratio for link, ratio in ratios.items() if ratio is not None}
            if not known:
                continue
            most = max(known, key=lambda link: known[link])
            where = report[f"{key}_of_16_holds"][system]
            holds = f"16x at {', '.join(where)} Mbit/s" if where else "16x nowhere"
            print(f"{what}, {system}: at most {known[most]:.1f}x at {most} Mbit/s; {holds}")


def _points_of(name: str) -> Path:
    return ROOT / "benchmarks" / "results" / f"rate_distortion_{name}.json"


def _points(path: Path, checkpoint: str) -> dict[str, Any]:
    """What is measured, as `rate_distortion.py` writes it; `sc2 evaluate --json` has rows alone."""
    if not path.is_file():
        raise InputError(f"no {path}; make it: python benchmarks/rate_distortion.py --data ...")
    found = json.loads(path.read_text())
    if isinstance(found, dict):
        return found
    whole = next((row for row in found if row["system"] == "uncompressed"), None)
    if whole is None:
        raise InputError(
            f"{path} has no ceiling; measure it: sc2 evaluate --baselines uncompressed"
        )
    metric = "miou" if whole["mean_ap50"] is None else "mean_ap50"
    number = f"{checkpoints.read(checkpoint).id:08x}"
    return {"rows": found, "metric": metric, "ceiling": whole[metric], "checkpoint": number}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="data folder or synthetic[:FLIGHTS]")
    parser.add_argument("--split", default="val")
    parser.add_argument(
        *("--limit", "--images"), type=int, default=30, help="measured frames (default: 30)"
    )
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--points", type=Path, help="JSON of rate_distortion.py or sc2 evaluate")
    parser.add_argument("--below", type=float, default=0.01, help="under the ceiling at most")
    parser.add_argument("--student", type=Path, help="checkpoint of an Entropic Student")
    parser.add_argument("--papers", type=Path, default=ROOT / "benchmarks/results/papers.json")
    parser.add_argument("--threads", type=int, default=0, help="0: as torch chooses")
    parser.add_argument(
        "--cpu-time",
        action="store_true",
        help="CPU time in place of the clock's, for a machine that is busy with other things; "
        "with --threads 1 it is what an idle machine would take, or more",
    )
    parser.add_argument("--json", type=Path, default=ROOT / "benchmarks/results/offloading.json")
    parser.add_argument("--figure", type=Path, default=ROOT / "docs/figures/offloading.png")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
