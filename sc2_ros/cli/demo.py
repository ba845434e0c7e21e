# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Fly a camera stream over a narrow link, end to end, as separate processes on this machine.

  camera_node -> onboard_node -> link_emulator_node -> ground_node -> boxes, masks, preview

  sc2 demo
  sc2 demo --input flight.mp4 --link 500kbit,40ms,2% --seconds 20 --out out/demo

The nodes talk over DDS, in a ROS domain of their own. At the end the folder holds an annotated
video, a bag that opens in Foxglove, a figure and summary.json.
"""

import argparse
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from sc2_ros.cli.api.options import (
    add_stream_options,
    budget_kbps,
    check_rates,
    frame_size,
    short_link,
    view_of,
)
from sc2_ros.errors import ParameterError, Sc2Error

if TYPE_CHECKING:
    from rich.console import Console

    from sc2_ros.cli.api.processes import NodeProcesses
    from sc2_ros.cli.api.view import ViewServer
    from sc2_ros.evaluation.session.log import SessionLog
    from sc2_ros.media.bag_writer import BagWriter

START_S = 120.0
"""How long the first result may take: a small machine needs a while to load torch."""
DRAIN_S = 3.0
"""How long what is under way at the end is waited for."""
QUIET_S = 0.5
FLIGHT_FPS = 15.0
"""Of the synthetic flight unless --fps says otherwise: what two cores show of it."""
MOST_CLIP_BYTES = 1_000_000_000
"""A longer flight is rendered while it is played, which takes processor time from the nodes."""
SPARE_S = 5.0
"""Of the clip beyond the run: until the first result."""
AIR = ("-r", "features:=drone/features", "-r", "feedback:=drone/feedback")
LINK = (
    "-r", "features_in:=drone/features", "-r", "features_out:=features",
    "-r", "feedback_in:=feedback", "-r", "feedback_out:=drone/feedback",
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--input",
        default="synthetic",
        metavar="SPEC",
        help="synthetic[:SEED], a video, a folder of images, a bag or a camera number "
        "(default: %(default)s)",
    )
    add_stream_options(parser)
    parser.add_argument(
        "--seconds", type=float, default=20.0, metavar="S", help="length (default: %(default)g)"
    )
    parser.add_argument(
        "--out", type=Path, default=Path("out/demo"), help="folder (default: %(default)s)"
    )
    parser.add_argument(
        "--domain", type=int, metavar="N", help="ROS_DOMAIN_ID (default: one that nobody uses)"
    )


def main(args: argparse.Namespace) -> int:
    """Start the nodes, watch them, write the report."""
    check_rates(args)
    # After the arguments, so that a mistyped one does not wait for torch.
    from rich.console import Console

    from sc2_ros import checkpoint as checkpoints
    from sc2_ros.cli.api import report
    from sc2_ros.cli.api.processes import NodeProcesses, free_domain
    from sc2_ros.link.sim.spec import parse_link
    from sc2_ros.media.source import open_source
    from sc2_ros.network.devices import check_device

    if args.fps is None and is_flight(args.input):
        args.fps = FLIGHT_FPS
    link = parse_link(args.link)
    check_device(args.device, args.precision)
    max_kbps = budget_kbps(args.max_kbps, link, args.rate_mode)
    of_nodes = commands(args, args.input, max_kbps)
    check_parameters(of_nodes)
    report.check_apart(args.input, args.out)
    with open_source(args.input, size=frame_size(args.size), topic=args.topic) as source:
        name = source.name
    checkpoint = checkpoints.load(args.checkpoint)
    domain = free_domain() if args.domain is None else args.domain
    if not 0 <= domain <= 232:
        raise ParameterError(f"--domain {domain} is out of range; give 0 to 232")
    environment = {"ROS_DOMAIN_ID": str(domain), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    # A closed terminal ends the nodes as ctrl-C does, which a shell's background jobs ignore.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    console = Console(markup=False)  # a file name may hold brackets
    console.print(f"{name} over {args.link}, ROS domain {domain}", highlight=False)
    with report.begin_report(args.out) as bag:
        with NodeProcesses(args.out / "logs", environment) as nodes:
            for node, ros_arguments in of_nodes.items():
                if node != "camera_node":
                    nodes.start(node, ros_arguments)
            # While the nodes load their networks.
            with camera_input(args, console) as spec:
                nodes.start("camera_node", commands(args, spec, max_kbps)["camera_node"])
                os.environ.update(environment)
                with view_of(args, console, f"{name} over {short_link(args.link)}") as view:
                    run = watch(bag, nodes, args.seconds, console, view)
        with console.status("drawing the video and the figure"):
            summary = report.write_report(
                args.out,
                bag,
                run.log,
                seconds=run.seconds,
                title=f"{name} over {short_link(args.link)}",
                middleware=run.middleware,
                processes=run.processes,
                checkpoint=report.checkpoint_label(checkpoint),
                detection_classes=checkpoint.card["detection_classes"],
            )
    report.print_summary(console, summary, args.out, bag)
    return 0


@contextmanager
def camera_input(args: argparse.Namespace, console: "Console") -> Iterator[str]:
    """What the camera node plays: the synthetic flight is rendered to files beforehand."""
    if not is_flight(args.input):
        # Not opened here: a camera can be held by one process only.
        yield args.input
        return
    from sc2_ros.media.clip import record_clip
    from sc2_ros.media.source import open_source

    with open_source(
        args.input, size=frame_size(args.size), fps=args.fps, topic=args.topic
    ) as source:
        frames = math.ceil((args.seconds + SPARE_S) * source.fps)
        width, height = frame_size(args.size) or (640, 480)
        if 4 * width * height * frames > MOST_CLIP_BYTES:
            yield args.input
            return
        with TemporaryDirectory(prefix="camera-", dir=args.out) as folder:
            with console.status("rendering the flight"):
                record_clip(source, Path(folder), frames)
            yield folder


def is_flight(spec: str) -> bool:
    """Whether an input is the synthetic flight."""
    return spec.strip().split(":")[0] == "synthetic"


def commands(args: argparse.Namespace, spec: str, max_kbps: float) -> dict[str, list[str]]:
    """Every node with its ROS arguments; the camera plays `spec`."""
    model = ["-p", f"model:={quoted(args.checkpoint)}", "-p", f"device:={args.device}"]
    camera = ["-p", f"input:={quoted(spec)}", "-p", "loop:=true"]
    if args.fps:
        camera += ["-p", f"fps:={args.fps:.6f}"]
    if size := frame_size(args.size):
        camera += ["-p", "size:={}x{}".format(*size)]
    if args.topic:
        camera += ["-p", f"topic:={quoted(args.topic)}"]
    rate = ["-p", f"rate.mode:={args.rate_mode}", "-p", f"rate.index:={args.rate_index:.6f}"]
    rate += ["-p", f"rate.max_kbps:={max_kbps:.3f}"]
    return {
        "ground_node": [*model, "-p", f"precision:={args.precision}"],
        "onboard_node": [*model, *rate, *AIR],
        "link_emulator_node": [
            "-p",
            f"link:={quoted(args.link)}",
            "-p",
            f"seed:={args.seed}",
            *LINK,
        ],
        "camera_node": camera,
    }


def check_parameters(of_nodes: dict[str, list[str]]) -> None:
    """Refuse at once what a node would refuse when the flight is rendered and all have started.

    Raises:
        ParameterError: says which node and why.
    """
    from sc2_ros.nodes.parameters import TABLES, problem_of
    from sc2_ros.runtime.arguments import parse_arguments

    for node, words in of_nodes.items():
        given = parse_arguments(["--ros-args", *words]).overrides(f"/{node}")
        problem = problem_of(TABLES[node], given)
        if problem is not None:
            raise ParameterError(f"{node} does not take {problem}")


def quoted(text: str) -> str:
    """Text as YAML takes it for text, whatever it looks like (camera 0, a colon, a line break)."""
    import yaml

    return str(yaml.safe_dump(text, default_style='"', width=math.inf)).strip()


@dataclass(frozen=True)
class Run:
    """What was seen of a run: numbers, length, and who took part."""

    log: "SessionLog"
    seconds: float
    processes: list[dict[str, object]]
    middleware: str


def watch(
    bag: "BagWriter",
    nodes: "NodeProcesses",
    seconds: float,
    console: "Console",
    view: "ViewServer | None",
) -> Run:
    """Record `seconds` from the first result on, showing how it goes here and in `view`.

    Raises:
        ProcessError: a node has ended.
        Sc2Error: no result comes.
    """
    from sc2_ros.cli.api.live import LiveView
    from sc2_ros.cli.api.observer import Observer
    from sc2_ros.cli.api.report import since
    from sc2_ros.runtime.ros import (
        MIDDLEWARE,
        ExternalShutdownException,
        SingleThreadedExecutor,
        rclpy,
    )

    rclpy.init(args=[])
    observer = Observer(bag, view)
    executor = SingleThreadedExecutor()
    executor.add_node(observer)
    begun_s = time.monotonic()
    try:
        with LiveView(console) as live:
            while observer.begun_s is None:
                executor.spin_once(timeout_sec=0.1)
                nodes.check()
                waited_s = time.monotonic() - begun_s
                if live.every.is_due():
                    live.tell(f"starting the nodes, {waited_s:.0f} s")
                if waited_s > START_S:
                    raise Sc2Error(
                        f"no result within {START_S:.0f} s; the nodes' own words are in "
                        f"{nodes.log('ground_node').parent}"
                    )
            before = processes_of(nodes)
            while (elapsed_s := observer.now_s() - observer.begun_s) < seconds:
                executor.spin_once(timeout_sec=0.1)
                if live.every.is_due():
                    nodes.check()
                    live.show(observer.log.recent(observer.now_s()), elapsed_s, seconds)
                if view is not None and view.every.is_due():
                    view.state(observer.log.recent(observer.now_s()), elapsed_s)
            processes = since(before, processes_of(nodes))
            nodes.stop("camera_node")
            end_s = observer.now_s()
            # What is still on the link or in the ground's queue belongs to the run.
            while observer.now_s() < min(end_s + DRAIN_S, max(observer.heard_s, end_s) + QUIET_S):
                executor.spin_once(timeout_sec=0.05)
    except ExternalShutdownException:  # what ROS makes of ctrl-C
        raise KeyboardInterrupt from None
    finally:
        executor.shutdown()
        observer.destroy_node()
        rclpy.try_shutdown()
    return Run(observer.log, elapsed_s, processes, MIDDLEWARE)


def processes_of(nodes: "NodeProcesses") -> list[dict[str, object]]:
    """The nodes and this program as they are now; see `report.process_row`."""
    from sc2_ros.cli.api.report import process_row

    return [*nodes.rows(), process_row("sc2_demo (observer)")]
