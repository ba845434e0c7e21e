# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Send a recording over an imitated link in virtual time, and write what the ground makes of it.

  sc2 replay flight.mcap --link 500kbit,40ms,2% --out out/replay --json out/replay.json
  sc2 replay synthetic:7 --link traces/lte.up,40ms --seconds 60

Many bags become one table of detections, each bag's own MCAP, and a row with what became of it;
the same command again goes on where it was broken off (what is in OUT/bags and OUT/results are
results, and no input):

  sc2 replay season/ 'archive/**/*.mcap' --out out/season --cluster tcp://scheduler:8786

A bag of packets alone (topic `features`, as a drone sends them) is decoded again; --link and the
rates then do not matter, for its packets have been over a link (--key where they are sealed):

  sc2 replay features.mcap --checkpoint newer.safetensors --key drone1.key

A checkpoint of a paper's recipe (`sc2 train frankensplit`, say) flies over the same link. It has
one rate, so that --rate-mode, --rate-index and --max-kbps do not concern it, and a frame of which a
packet is lost gives nothing:

  sc2 replay flight.mcap --link 500kbit,40ms,2% --checkpoint runs/student/checkpoint.safetensors

No ROS and no waiting: as fast as this machine computes, and the same result every time. Only the
latencies depend on the machine, since the measured computing time of both ends is added to the
time on the link.
"""

import argparse
import os
import time
from pathlib import Path

from sc2_ros.cli.api.options import (
    add_stream_options,
    check_rates,
    frame_size,
    short_link,
    view_of,
)

ENDLESS_SECONDS = 20.0
"""How much of a source without an end is taken where --seconds does not say."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "input",
        nargs="+",
        metavar="BAG|VIDEO|FOLDER|synthetic[:SEED]",
        help="what the camera saw, or a bag of packets; several, or with --cluster: bags of "
        "packets, folders of them, and globs",
    )
    parser.add_argument(
        "--cluster",
        metavar="local:N|tcp://HOST:PORT",
        help="decode many bags in N processes, or on the workers of a Dask scheduler",
    )
    parser.add_argument(
        "--key",
        type=Path,
        metavar="FILE",
        help="key file of the flight, for bags of sealed packets (air.key_file with topics)",
    )
    add_stream_options(parser)
    parser.add_argument("--seconds", type=float, metavar="S", help="stop after so much of it")
    parser.add_argument(
        "--out", type=Path, default=Path("out/replay"), help="folder (default: %(default)s)"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary here too")


def main(args: argparse.Namespace) -> int:
    """Run the recording through, then write the report."""
    # After the arguments, so that a mistyped one does not wait for torch.
    from rich.console import Console
    from rich.markup import escape

    from sc2_ros.cli.api import report
    from sc2_ros.cli.api.checks import check_file, check_unused
    from sc2_ros.cli.api.feature_replay import replay_features
    from sc2_ros.cli.api.replay_ends import open_ends
    from sc2_ros.cli.api.replay_recorder import ReplayRecorder
    from sc2_ros.cli.api.replay_report import report_replay
    from sc2_ros.errors import InputError, ParameterError
    from sc2_ros.evaluation.session.virtual import VirtualRun
    from sc2_ros.link.sim.spec import parse_link
    from sc2_ros.media.feature_bag import open_features
    from sc2_ros.media.source import open_source
    from sc2_ros.network.devices import check_device

    check_rates(args)
    check_file("--json", args.json)
    link = parse_link(args.link)
    check_device(args.device, args.precision)
    if args.key is not None and not args.key.expanduser().exists():
        raise ParameterError(f"--key {args.key} is not there; give the key file of the flight")
    if len(args.input) > 1 or args.cluster or _is_pattern(args.input[0]):
        check_unused(args, "many bags", "json", "view", "fps", "size")
        return _archive(args)
    args.input = args.input[0]
    report.check_apart(args.input, args.out)
    size = frame_size(args.size)
    features = open_features(args.input, args.topic, args.key)
    if features is not None:
        check_unused(args, "a bag of packets", "view", "fps", "size")
        return replay_features(features, args)
    source = open_source(args.input, size=size, fps=args.fps, topic=args.topic)
    seconds = args.seconds or (ENDLESS_SECONDS if source.endless else float("inf"))
    ends = open_ends(args, link)
    console = Console(markup=False)  # a file name may hold brackets
    title = f"{source.name} over {short_link(args.link)}, virtual time"
    with (
        source,
        report.begin_report(args.out) as bag,
        view_of(args, console, title) as view,
    ):
        recorder = ReplayRecorder(bag, ends.card, view)
        run = VirtualRun(ends.drone, ends.station, link, recorder, args.seed)
        begun_s = time.perf_counter()
        with console.status(escape(f"{source.name} over {args.link}")):
            lasted_s = run.run(source, seconds)
        took_s = time.perf_counter() - begun_s
        if not recorder.frames:
            raise InputError(f"{args.input} gave no frames; give another input")
        console.print(f"{lasted_s:.1f} s of {source.name} in {took_s:.1f} s", soft_wrap=True)
        report_replay(
            args,
            console,
            bag,
            recorder,
            ends.label,
            seconds=lasted_s,
            title=title,
            middleware="none (virtual time)",
        )
    return 0


def _is_pattern(spec: str) -> bool:
    """Whether an input is a pattern of names, and not itself the name of something."""
    return any(letter in spec for letter in "*?[") and not Path(spec).expanduser().exists()


def _archive(args: argparse.Namespace) -> int:
    """Decode many bags; exit code 1 where one of them failed."""
    from rich.console import Console

    from sc2_ros import checkpoint_file
    from sc2_ros.cli.api.archive import Outcome, Task, find_bags, replay_archive

    console = Console(markup=False)  # a file name may hold brackets
    checkpoint = str(checkpoint_file.find(args.checkpoint).resolve())
    folder = str(args.out.resolve())
    key = "" if args.key is None else str(args.key.expanduser().resolve())
    options = args.topic, args.device, args.precision, args.seconds, key
    tasks = [
        Task(str(bag), folder, checkpoint, *options) for bag in find_bags(args.input, args.out)
    ]

    def tell(outcome: Outcome, done: int) -> None:
        what = outcome.error or f"{outcome.frames} frames, {outcome.detections} detections"
        console.print(f"{done}/{len(tasks)} {outcome.bag}: {what}", highlight=False, soft_wrap=True)

    begun_s = time.perf_counter()
    outcomes = replay_archive(tasks, args.cluster or f"local:{os.cpu_count() or 1}", tell)
    failed = sum(bool(outcome.error) for outcome in outcomes)
    console.print(
        f"{len(outcomes)} bags in {time.perf_counter() - begun_s:.1f} s, {failed} failed; "
        f"{args.out}/detections.parquet, {args.out}/bags.parquet",
        highlight=False,
        soft_wrap=True,
    )
    return 1 if failed else 0
