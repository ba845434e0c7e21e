# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy over kB/frame: our codec against JPEG, WebP and AVIF through the same network.

    python benchmarks/rate_distortion.py --data ../shared/data/hituav

Writes benchmarks/results/rate_distortion_NAME.json (rows, ceiling, bytes at equal mean AP50,
BD-rate) and a figure beside it. A run takes about 0.1 s per image and setting on two cores; rows of
an earlier run with the same weights and images are taken from the JSON.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import shlex
import sys
from pathlib import Path

from rich.progress import Progress

from sc2_ros import checkpoint as checkpoints
from sc2_ros.devices import check_device
from sc2_ros.errors import InputError, Sc2Error
from sc2_ros.evaluation.baselines import ImageSystem
from sc2_ros.evaluation.bdrate import bd_rate, bytes_at, front
from sc2_ros.evaluation.figure import draw_rate_distortion
from sc2_ros.evaluation.image_codecs import parse_codec
from sc2_ros.evaluation.row import Row
from sc2_ros.evaluation.stream import StreamSystem
from sc2_ros.evaluation.sweep import System, choose, sweep
from sc2_ros.evaluation.table import print_rows
from sc2_ros.training.datasets import open_dataset

RATES = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 1.0)
CODECS = (
    *(f"jpeg:{q}" for q in (5, 10, 15, 20, 30, 45, 60, 80, 92)),
    *(f"webp:{q}" for q in (1, 5, 10, 20, 35, 50, 70, 85, 95)),
    *(f"avif:{q}" for q in (10, 20, 30, 40, 50, 60, 75, 90)),
)
BELOW_CEILING = (0.01, 0.03, 0.06)


def main() -> int:
    """Evaluate what is missing, compare, draw."""
    args = _parse_arguments()
    dataset = open_dataset(args.data, args.split)
    check_device(args.device, "fp32")
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    path = args.out / f"rate_distortion_{dataset.name}.json"
    setting = {
        "data": dataset.name,
        "split": args.split,
        "frames": len(choose(len(dataset), args.limit)),
        "checkpoint": f"{checkpoint.id:08x}",
        "weights": _digest(checkpoint),
    }
    known = {_key(row): row for row in _earlier_rows(path, setting)}
    metric = "mean_ap50" if dataset.detection_classes else "miou"
    mask = metric == "miou"

    systems: list[System] = [
        StreamSystem(checkpoint, rate, mask=mask, device=args.device) for rate in RATES
    ]
    codecs = [parse_codec(text) for text in (*args.codecs.split(","), "uncompressed")]
    systems += [ImageSystem(checkpoint, codec, mask=mask, device=args.device) for codec in codecs]
    missing = [s for s in systems if (s.name, s.rate_index) not in known]
    if missing:
        with Progress(transient=True) as progress:
            task = progress.add_task(f"{len(missing)} settings", total=None)
            rows = sweep(
                missing,
                dataset,
                args.limit,
                lambda done, total: progress.update(task, completed=done, total=total),
            )
        known |= {_key(row): row for row in rows}
    rows = [known[s.name, s.rate_index] for s in systems]
    report = {"command": "python " + shlex.join(sys.argv), **setting, **compare(rows, metric)}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report, indent=2) + "\n")
    draw_rate_distortion(rows, metric, path.with_suffix(".png"), f"{dataset.name} {args.split}")
    print_rows(rows, f"{dataset.name} {args.split}, checkpoint {setting['checkpoint']}")
    for point in report["equal_accuracy"]:
        print(
            f"{metric} {point['accuracy']:.3f} ({point['below_ceiling']:.2f} under the ceiling): "
            + ", ".join(f"{name} {_bytes(size)}" for name, size in point["bytes"].items())
        )
    print(f"wrote {path} and {path.with_suffix('.png')}")
    return 0


def compare(rows: list[Row], metric: str) -> dict[str, object]:
    """Bytes of every family at equal accuracy, and BD-rate of ours against each."""
    curves: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        family = row["system"].partition(":")[0]
        accuracy = row[metric]  # type: ignore[literal-required]
        if accuracy is not None:
            curves.setdefault(family, []).append((row["bytes_per_frame"], accuracy))
    if "uncompressed" not in curves:
        raise InputError(f"the data set has no truth for {metric}")
    ((_, ceiling),) = curves.pop("uncompressed")
    return {
        "metric": metric,
        "ceiling": ceiling,
        "equal_accuracy": [
            {
                "below_ceiling": below,
                "accuracy": ceiling - below,
                "bytes": {name: _bytes_at(name, c, ceiling - below) for name, c in curves.items()},
            }
            for below in BELOW_CEILING
        ],
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


def _earlier_rows(path: Path, setting: dict[str, object]) -> list[Row]:
    """Rows of an earlier run where its setting was the same."""
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError):
        return []
    same = all(report.get(key) == value for key, value in setting.items())
    return report.get("rows", []) if same else []


def _digest(checkpoint: checkpoints.Checkpoint) -> str:
    """Of all weights: the id alone does not tell two ground networks apart."""
    digest = hashlib.sha256(f"{checkpoint.id:08x}".encode())
    for weights in checkpoint.ground.state_dict().values():
        digest.update(weights.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _key(row: Row) -> tuple[str, float | None]:
    return row["system"], row["rate_index"]


def _bytes(size: float | None) -> str:
    return "out of its range" if size is None else f"{size:,.0f} B"


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", required=True, help="data folder or synthetic[:FLIGHTS]")
    parser.add_argument("--split", default="val")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--codecs", default=",".join(CODECS), help="list of jpeg:Q, webp:Q, avif:Q")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    return parser.parse_args()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Sc2Error as error:
        sys.exit(f"error: {error}")
