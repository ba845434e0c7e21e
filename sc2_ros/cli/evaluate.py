# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""measure accuracy and wire bytes on a labelled data set, against image codecs.

  sc2 evaluate --data ../shared/data/hituav --rate-index 0.2,0.5,0.8 --json out/hituav.json
  sc2 evaluate --data synthetic --baselines jpeg:30,uncompressed --limit 50 --loss 0.1

A baseline is the same network without our codec, on the image as JPEG, WebP or AVIF gives it back.
mean AP50 is the mean over person, car and bicycle as far as the data set has them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sc2_ros.errors import InputError, ParameterError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--data", required=True, help="folder (COCO, HIT-UAV, YOLO, CamVid) or synthetic[:FLIGHTS]"
    )
    parser.add_argument("--split", default="val", help="split of the data set (default: val)")
    parser.add_argument(
        "--rate-index",
        default="0.2,0.5,0.8",
        help="list of numbers in [0, 1] (default: %(default)s)",
    )
    parser.add_argument(
        "--loss", type=float, default=0.0, help="share of packets lost at random (default: 0)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the packet loss (default: 0)")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument("--checkpoint", default="default", help="file or name (default: default)")
    parser.add_argument(
        "--baselines", default="", help="list of jpeg:Q, webp:Q, avif:Q, uncompressed"
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")


def main(args: argparse.Namespace) -> int:
    """Run the sweep, print the table, write the rows."""
    rates = _numbers(args.rate_index, "--rate-index")
    if not 0 <= args.loss < 1:
        raise ParameterError(f"--loss {args.loss} is out of range: use 0 to below 1, as 0.1")
    if args.limit is not None and args.limit < 1:
        raise ParameterError(f"--limit {args.limit} is out of range: use 1 or more images")
    if args.json is not None and args.json.is_dir():
        raise InputError(f"--json {args.json} is a folder; give a file")
    # After the arguments, so that a mistyped one does not wait for torch.
    from sc2_ros import checkpoint as checkpoints
    from sc2_ros.devices import check_device
    from sc2_ros.evaluation.baselines import ImageSystem
    from sc2_ros.evaluation.image_codecs import parse_codec
    from sc2_ros.evaluation.segmentation import shared_classes
    from sc2_ros.evaluation.stream import StreamSystem
    from sc2_ros.evaluation.sweep import System, sweep
    from sc2_ros.evaluation.table import print_rows
    from sc2_ros.training.datasets import open_dataset

    check_device(args.device, "fp32")
    codecs = [parse_codec(text) for text in args.baselines.split(",") if text.strip()]
    dataset = open_dataset(args.data, args.split)
    checkpoint = checkpoints.load(args.checkpoint, device=args.device)
    mask = bool(dataset.mask_classes)
    systems: list[System] = [
        StreamSystem(
            checkpoint, rate, loss=args.loss, mask=mask, device=args.device, seed=args.seed
        )
        for rate in rates
    ]
    systems += [ImageSystem(checkpoint, codec, mask=mask, device=args.device) for codec in codecs]

    console = Console(stderr=True)
    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        rows = sweep(
            systems,
            dataset,
            args.limit,
            lambda done, total: progress.update(task, completed=done, total=total),
        )
    print_rows(rows, f"{dataset.name} {args.split}, checkpoint {checkpoint.id:08x}")
    if mask:
        shared = shared_classes(systems[0].mask_classes, dataset.mask_classes)
        print(
            f"mIoU over the classes that checkpoint and data share: {', '.join(shared) or 'none'}"
        )
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(rows, indent=2) + "\n")
    return 0


def _numbers(text: str, option: str) -> list[float]:
    """Parse a list of rate indices; ParameterError says which one is wrong."""
    numbers = []
    for part in text.split(","):
        try:
            number = float(part)
        except ValueError:
            number = -1.0
        if not 0 <= number <= 1:
            raise ParameterError(f"{option} '{part}' is not a number from 0 to 1; use as 0.2,0.5")
        numbers.append(number)
    return numbers
