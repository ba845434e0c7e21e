# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""measure accuracy and wire bytes on a data set, against image, video and feature codecs.

  sc2 evaluate --data ../shared/data/hituav --rate-index 0.2,0.5,0.8 --json out/hituav.json
  sc2 evaluate --data synthetic --baselines jpeg:30,hevc:37,uncompressed --limit 50 --jobs 2
  sc2 evaluate --input flight.mp4 --agreement --baselines jpeg:10,h264-video:34

A baseline is the same network without our codec, on the image as another codec gives it back.
mean AP50 is the mean over person, car and bicycle as far as the data set has them, and so are AP75
(boxes that overlap by 75 %) and AP50:95 (COCO's mean over ten overlaps). --agreement
needs no labels: the truth is what the network itself says of the uncompressed images. Rows are
kept, so that the same command again only measures what has changed; see docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from sc2_ros.cli.api.checks import check_figure, check_file, check_seed
from sc2_ros.errors import InputError, ParameterError
from sc2_ros.evaluation.cluster import HELP as CLUSTERS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        *("--data", "--input"),
        dest="data",
        required=True,
        help="folder (COCO, HIT-UAV, YOLO, VOC, CamVid, ...), synthetic[:FLIGHTS] or chips:FOLDER; "
        "with --agreement also a video, a bag or a folder of images",
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
    parser.add_argument(
        "--scale",
        type=float,
        default=1.0,
        help="enlarge or reduce images and boxes: another altitude (default: 1)",
    )
    parser.add_argument(
        "--checkpoint",
        default="default",
        help="file or name, of our stream or of any recipe (default: default)",
    )
    parser.add_argument(
        "--baselines",
        default="",
        help="list of uncompressed, png, jpeg:Q, webp:Q, avif:Q, hevc:QP, av1:Q, h264-video:QP, "
        "hevc-video:QP, compressai:Q, feature-jpeg:Q, feature-webp:Q, crbq:K, onboard-only, "
        "onboard-only:light",
    )
    parser.add_argument(
        "--agreement",
        nargs="?",
        type=float,
        const=0.3,
        metavar="SCORE",
        help="measure against the network's own answers to the uncompressed images, boxes from "
        "SCORE on (default: 0.3), instead of labels",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: cpu)")
    parser.add_argument("--jobs", type=int, default=1, help="processes at a time (default: 1)")
    parser.add_argument(
        "--cluster",
        default="",
        metavar="WHERE",
        help=f"in place of --jobs: {CLUSTERS}; data and checkpoint under the same paths there",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="of earlier rows (default: ~/.cache/sc2_ros)"
    )
    parser.add_argument("--no-cache", action="store_true", help="measure everything again")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    parser.add_argument(
        "--figure", type=Path, metavar="FILE", help="draw accuracy over kB/frame (.png, .svg)"
    )
    parser.add_argument(
        "--write-value-curve",
        type=Path,
        metavar="FILE",
        help="write the checkpoint to this file with accuracy over bytes in its card, which the "
        "automatic rate uses",
    )


def main(args: argparse.Namespace) -> int:
    """Measure, print the table, write the rows."""
    rates = _numbers(args.rate_index, "--rate-index")
    _check(args)
    # After the arguments, so that a mistyped one does not wait for torch.
    from sc2_ros.data import open_dataset
    from sc2_ros.data.scaled import check_scale
    from sc2_ros.evaluation.metrics.segmentation import shared_classes
    from sc2_ros.evaluation.sweep.figure import draw_rate_distortion
    from sc2_ros.evaluation.sweep.jobs import Plan, default_cache, measure
    from sc2_ros.evaluation.sweep.row import METRICS, metric_of
    from sc2_ros.evaluation.sweep.table import print_rows
    from sc2_ros.evaluation.sweep.value_curve import check_measured, write_value_curve
    from sc2_ros.evaluation.systems.registry import (
        Context,
        build,
        check,
        identity,
        own_systems,
        path_of,
    )
    from sc2_ros.network.devices import check_device

    check_device(args.device, "fp32")
    check_scale(args.scale)
    if args.write_value_curve is not None:
        check_measured(rates, args.loss)
    baselines = [text.strip().lower() for text in args.baselines.split(",") if text.strip()]
    for text in baselines:
        check(text)
    dataset = open_dataset(args.data, args.split)
    labels = (dataset.detection_classes, dataset.mask_classes, dataset.image_classes)
    if args.agreement is None and not any(labels):
        raise InputError(f"{args.data} has no labels; measure without them: --agreement")
    mask = args.agreement is not None or bool(dataset.mask_classes)
    context = Context(args.checkpoint, args.data, args.split, mask, args.device)
    own = own_systems(args.checkpoint, rates)
    plan = Plan(context, args.limit, args.loss, args.seed, args.agreement, args.scale)
    cache = None if args.no_cache else args.cache or default_cache()
    console = Console(stderr=True)
    columns = (TextColumn("evaluating"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=None)
        rows = measure(
            list(dict.fromkeys([*own, *baselines])),
            plan,
            jobs=args.jobs,
            cluster=args.cluster,
            cache=cache,
            on_progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    scaled = "" if args.scale == 1 else f" at {args.scale:g} times its size"
    title = f"{dataset.name} {args.split}{scaled}, checkpoint {args.checkpoint}"
    title += f", truth: {rows[0]['truth']}"
    print_rows(rows, title)
    if dataset.mask_classes and args.agreement is None:
        shared = shared_classes(build(own[0], context).mask_classes, dataset.mask_classes)
        names = ", ".join(shared) or "none"
        print(f"mIoU over the classes that checkpoint and data share: {names}")
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        label = identity(path_of(args.checkpoint))
        named = [{**row, "checkpoint": label} for row in rows]
        args.json.write_text(json.dumps(named, indent=2) + "\n")
    if args.write_value_curve is not None:
        write_value_curve(rows, args.checkpoint, args.write_value_curve)
    if args.figure is not None:
        metric = next((m for m in METRICS if any(metric_of(r, m) is not None for r in rows)), None)
        if metric is None:
            raise InputError("no figure: checkpoint and data have no class in common")
        draw_rate_distortion(rows, metric, args.figure, title)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse what is out of range."""
    if not 0 <= args.loss < 1:
        raise ParameterError(f"--loss {args.loss} is out of range: use 0 to below 1, as 0.1")
    check_seed(args.seed)
    if args.limit is not None and args.limit < 1:
        raise ParameterError(f"--limit {args.limit} is out of range: use 1 or more images")
    if not 1 <= args.jobs <= 4 * (os.cpu_count() or 1):
        raise ParameterError(f"--jobs {args.jobs} is out of range: use 1 to the number of cores")
    if args.write_value_curve is not None and args.scale != 1:
        raise ParameterError("--write-value-curve is for images as they are: leave out --scale")
    if args.agreement is not None and not 0 < args.agreement < 1:
        raise ParameterError(f"--agreement {args.agreement} is no score: use above 0 to below 1")
    if args.figure is not None:
        check_figure("--figure", args.figure)
    check_file("--json", args.json)
    check_file("--write-value-curve", args.write_value_curve)


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
