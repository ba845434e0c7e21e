# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many bags a second an archive is decoded with, and what a worker that dies takes along.

    python benchmarks/archive.py --json benchmarks/results/archive.json     # 200 bags of 8 frames
    python benchmarks/archive.py --clusters "" --kill

Bags of the features of a synthetic flight (keyframes of some 2 kB) are decoded as `sc2 replay
FOLDER --cluster` does, by each of --clusters, starts included. --kill: by a Dask scheduler and two
workers, of which one is killed (SIGKILL) when a quarter is done. The exit status is 1 where a bag
is missing or a row stands there twice.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as parquet
from helpers.dask_cluster import dask_cluster
from helpers.program import exit_with

from sc2_ros import checkpoint_file
from sc2_ros.cli.api.archive import Outcome, Task, find_bags, replay_archive
from sc2_ros.cli.api.options import frame_size
from sc2_ros.media.bag_writer import BagWriter
from sc2_ros.media.messages import packet_message
from sc2_ros.media.source import open_source
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

START_NS = 1_700_000_000 * 10**9
PERIOD_NS = 200_000_000
RATE_INDEX = 0.4


def main() -> int:
    """Make the bags, decode them by each cluster, judge."""
    args = _parse_arguments()
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_bags(folder / "bags", args)
        rows = [run(folder, cluster, args) for cluster in args.clusters.split(",") if cluster]
        if args.kill:
            (folder / "dask").mkdir()
            with dask_cluster(folder / "dask") as (address, workers):

                def kill(_: Outcome, done: int) -> None:
                    if done == args.bags // 4:
                        workers[0].kill()

                rows.append(run(folder, address, args, kill) | {"cluster": "dask, one killed"})
    if args.json:
        report = {
            "checkpoint": f"{checkpoint_file.load(args.checkpoint).id:08x}",
            "bags": args.bags,
            "frames": args.frames,
            "size": args.size,
            "rows": rows,
        }
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(any(row["missing"] or row["twice"] for row in rows))


def make_bags(folder: Path, args: argparse.Namespace) -> None:
    """As many bags, each the flight from another place on."""
    folder.mkdir()
    config = OnboardConfig(rate_mode="fixed", rate_index=RATE_INDEX, rate_temporal=False)
    pipeline = OnboardPipeline(checkpoint_file.load(args.checkpoint), config)
    with open_source("synthetic:3", size=frame_size(args.size)) as source:
        images = [frame.image for frame in islice(source, 4 * args.frames)]
    flight = [
        [bytes(packet) for packet in pipeline.process(CameraFrame(image, number, "c"), number / 5)]
        for number, image in enumerate(images)
    ]
    for number in range(args.bags):
        first = number % (len(flight) - args.frames)
        with BagWriter(folder / f"flight{number}.mcap") as bag:
            for frame in range(args.frames):
                stamp_ns = START_NS + (number * args.frames + frame) * PERIOD_NS
                for packet in flight[first + frame]:
                    bag.write_message("features", packet_message(packet), stamp_ns)


def run(
    folder: Path,
    cluster: str,
    args: argparse.Namespace,
    tell: Callable[[Outcome, int], None] = lambda *_: None,
) -> dict[str, Any]:
    """Decode all of them; what it took and whether the tables are whole."""
    model = str(checkpoint_file.find(args.checkpoint).resolve())
    with TemporaryDirectory(dir=folder) as out:
        bags = find_bags([str(folder / "bags")])
        tasks = [Task(str(bag), out, model, None, "cpu", "auto", None) for bag in bags]
        begun_s, before_s = time.perf_counter(), _children_s()
        outcomes = replay_archive(tasks, cluster, tell)
        spent_s, cpu_s = time.perf_counter() - begun_s, _children_s() - before_s
        rows = parquet.read_table(Path(out) / "detections.parquet").to_pylist()
    good = [outcome for outcome in outcomes if not outcome.error]
    told = sum(outcome.detections for outcome in good)
    row = {
        "cluster": cluster,
        "seconds": round(spent_s, 2),
        "cpu_s": round(cpu_s, 2),
        "bags_per_s": round(len(good) / spent_s, 2),
        "missing": args.bags - sum(outcome.frames == args.frames for outcome in good),
        "twice": len(rows) - min(told, len({tuple(one.values()) for one in rows})),
    }
    print(json.dumps(row), flush=True)
    return row


def _children_s() -> float:
    """CPU time of processes that have ended; a Dask cluster's workers have not."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--bags", type=int, default=200)
    parser.add_argument("--frames", type=int, default=8, help="of each bag")
    parser.add_argument("--size", default="640x512", help="of the frames")
    parser.add_argument("--clusters", default="local:1,local:2", help="list, as of sc2 replay")
    parser.add_argument("--kill", action="store_true", help="also Dask, with a worker killed")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
