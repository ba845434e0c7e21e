# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy over kB/frame: our codec against image codecs through the same network.

    python benchmarks/rate_distortion.py --data ../shared/data/hituav --jobs 2
    python benchmarks/rate_distortion.py --data ../shared/data/hituav --codecs all --limit 97

Writes benchmarks/results/rate_distortion_NAME.json (rows, ceiling, bytes at equal accuracy,
BD-rate) and a figure beside it. A row takes about 0.1 s per image on two idle cores. Rows are kept
by the content of what they depend on (see docs/evaluation.md), so a run that was stopped goes on
where it was, and the same command with more codecs only measures those.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path

from helpers.program import exit_with
from rich.progress import Progress

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import open_dataset
from sc2_ros.errors import CheckpointError, InputError
from sc2_ros.evaluation.metrics.bdrate import bd_rate, bytes_at, front
from sc2_ros.evaluation.sweep.figure import draw_rate_distortion
from sc2_ros.evaluation.sweep.jobs import Plan, default_cache, measure
from sc2_ros.evaluation.sweep.row import Row, family, metric_of
from sc2_ros.evaluation.sweep.table import print_rows
from sc2_ros.evaluation.systems import image_codec_network
from sc2_ros.evaluation.systems.registry import Context, check
from sc2_ros.network.devices import check_device

RATES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.25, 0.35, 0.5, 0.65, 0.8, 1.0)
IMAGE_CODECS = (
    *(f"jpeg:{q}" for q in (1, 3, 5, 7, 10, 13, 16, 20, 25, 30, 50, 75)),
    *(f"webp:{q}" for q in (0, 2, 5, 10, 17, 25, 35, 50, 65, 80)),
    *(f"avif:{q}" for q in (3, 8, 12, 16, 20, 25, 30, 40, 55, 70)),
    *(f"hevc:{q}" for q in (48, 45, 42, 40, 38, 36, 33, 30, 26)),
    *(f"av1:{q}" for q in (63, 60, 56, 52, 48, 44, 38, 32, 26)),
)
OTHERS = (
    *(f"compressai:{q}" for q in (1, 2, 3, 4, 5)),
    *(f"feature-jpeg:{q}" for q in (10, 25, 50, 75, 90)),
    *(f"feature-webp:{q}" for q in (5, 20, 50, 75, 90)),
    *(f"crbq:{k}" for k in (1, 2, 4, 8, 16)),
    *(f"h264-video:{q}" for q in (46, 42, 38, 34, 30, 26)),
    *(f"hevc-video:{q}" for q in (46, 42, 38, 34, 30, 26)),
    *("png", "onboard-only", "onboard-only:light"),
)
BELOW_CEILING = (0.01, 0.03, 0.06)


def main() -> int:
    """Measure what is missing, compare, draw."""
    args = _parse_arguments()
    check_device(args.device, "fp32")
    dataset = open_dataset(args.data, args.split)
    # Footage without labels goes by what the network says of it uncompressed.
    agreement = None if dataset.detection_classes or dataset.mask_classes else 0.3
    metric = "miou" if dataset.mask_classes and not dataset.detection_classes else "mean_ap50"
    context = Context(args.checkpoint, args.data, args.split, metric == "miou", args.device)
    specs = [f"sc2_ros:{rate:g}" for rate in args.rates] + ["uncompressed", *args.codecs]
    with Progress(transient=True) as progress:
        task = progress.add_task(f"{len(specs)} settings", total=None)
        rows = measure(
            specs,
            Plan(context, args.limit, agreement=agreement),
            jobs=args.jobs,
            cache=default_cache(),
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    report = {
        "command": "python " + shlex.join(sys.argv),
        "data": dataset.name,
        "split": args.split,
        "frames": rows[0]["frames"],
        "truth": rows[0]["truth"],
        "checkpoint": f"{checkpoints.read(args.checkpoint).id:08x}",
        **compare(rows, metric),
    }
    path = args.out / f"rate_distortion_{dataset.name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
    draw_rate_distortion(rows, metric, path.with_suffix(".png"), f"{dataset.name} {args.split}")
    print_rows(rows, f"{dataset.name} {args.split}, checkpoint {report['checkpoint']}")
    print_comparison(report)
    print(f"wrote {path} and {path.with_suffix('.png')}")
    return 0


def compare(rows: list[Row], metric: str) -> dict[str, object]:
    """Bytes of every family at equal accuracy, and BD-rate of ours against each."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        accuracy = metric_of(row, metric)
        if accuracy is not None:
            curves.setdefault(family(row), []).append((row["bytes_per_frame"], accuracy))
    if "uncompressed" not in curves:
        raise InputError(f"the data set has no truth for {metric}")
    ((_, ceiling),) = curves.pop("uncompressed")
    points = []
    for below in BELOW_CEILING:
        sizes = {name: _bytes_at(name, c, ceiling - below) for name, c in curves.items()}
        ours = sizes["sc2_ros"]
        points.append(
            {
                "below_ceiling": below,
                "accuracy": ceiling - below,
                "bytes": sizes,
                "times_ours": {
                    name: size / ours if size is not None and ours is not None else None
                    for name, size in sizes.items()
                    if name != "sc2_ros"
                },
            }
        )
    return {
        "metric": metric,
        "ceiling": ceiling,
        "equal_accuracy": points,
        "bd_rate": {
            name: bd_rate(curves["sc2_ros"], curve)
            for name, curve in curves.items()
            if name != "sc2_ros"
        },
        "rows": rows,
    }


def _bytes_at(name: str, curve: list[tuple[float, float]], accuracy: float) -> float | None:
    """As bytes_at; where our cheapest rate is better than asked, its bytes, against ourselves."""
    return bytes_at(curve, max(accuracy, front(curve)[0][1]) if name == "sc2_ros" else accuracy)


def print_comparison(report: dict[str, object]) -> None:
    """Bytes at equal accuracy, one line a point."""
    points = report["equal_accuracy"]
    assert isinstance(points, list)
    for point in points:
        parts = []
        for name, size in point["bytes"].items():
            times = point["times_ours"].get(name)
            shown = "out of its range" if size is None else f"{size:,.0f} B"
            parts.append(f"{name} {shown}" + (f" ({times:.1f}x)" if times else ""))
        where = f"{report['metric']} {point['accuracy']:.3f}, {point['below_ceiling']:.2f} under"
        print(f"{where} the ceiling: {', '.join(parts)}")
    print(
        "BD-rate of sc2_ros: "
        + ", ".join(
            f"{name} {'no common range' if rate is None else format(rate, '+.1%')}"
            for name, rate in report["bd_rate"].items()  # type: ignore[attr-defined]
        )
    )


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="data folder, footage or synthetic[:FLIGHTS]")
    parser.add_argument("--split", default="val")
    parser.add_argument(
        *("--limit", "--images"), type=int, help="at most so many images, spread over the split"
    )
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument(
        "--codecs",
        type=_codecs,
        default=list(IMAGE_CODECS),
        help="list of baselines, as jpeg:10,hevc:37; 'images' (the default) or 'all'",
    )
    parser.add_argument(
        "--rates", type=_rates, default=list(RATES), help="list of our rate indices, as 0.2,0.5"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


def _codecs(text: str) -> list[str]:
    if text in ("images", "all"):
        return [*IMAGE_CODECS, *(filter(_has_weights, OTHERS) if text == "all" else ())]
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    for name in names:
        check(name)
    return [name for name in names if name != "uncompressed"]


def _has_weights(name: str) -> bool:
    """Whether a baseline can be run; one whose network was never trained is left out, and said."""
    try:
        if name.startswith("compressai"):
            image_codec_network.weights_file(image_codec_network.KIND)
    except CheckpointError as error:
        print(f"without {name}: {error}", file=sys.stderr)
        return False
    return True


def _rates(text: str) -> list[float]:
    rates = [float(part) for part in text.split(",")]
    if not all(0 <= rate <= 1 for rate in rates):
        raise argparse.ArgumentTypeError(f"'{text}' are not numbers from 0 to 1")
    return rates


if __name__ == "__main__":
    exit_with(main)
