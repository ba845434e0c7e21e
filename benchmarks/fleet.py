# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many drones one ground station serves: results per second, their age, processor, memory.

    python benchmarks/fleet.py --streams 1,2,4,8,16,32,64 --fps 5 --json out/fleet.json
    python benchmarks/fleet.py --streams 8,16,32 --heed --weights d0=4     # drones heed the reports
    python benchmarks/fleet.py --worst --fps 1 --json benchmarks/results/fleet_worst.json
    python benchmarks/fleet.py --stages     # CPU of a frame by stage, in one process

ground_node runs as a process of its own. This process is all of the drones: it sends the packets of
a recorded flight (keyframes of --frame-bytes at 640x512) at their times to each of them, one behind
the other, and receives the detections. Age counts from a frame's last packet to its detections.
--heed: as real drones do, they leave out frames that the reports say are not shown
(onboard/frame_rate.py).
--worst: of 16 drones one floods, sends garbage, is silent, or begins anew every second; told is
which share of their results the others lose.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from helpers.fleet_stages import stages_ms
from helpers.program import exit_with
from rich.console import Console
from rich.table import Table

from sc2_ros import checkpoint_file
from sc2_ros.cli.api.options import frame_size
from sc2_ros.codec import wire
from sc2_ros.errors import Sc2Error
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.media.messages import packet_bytes, packet_message, to_ns
from sc2_ros.media.source import open_source
from sc2_ros.nodes import qos
from sc2_ros.onboard.frame_rate import FrameRate
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.runtime.ros import (
    Detection2DArray,
    Node,
    SingleThreadedExecutor,
    UInt8MultiArray,
    rclpy,
)

_FLIGHT_S = 20.0
_START_S = 60.0
_SETTLE_S = 2.0
_WORST = ("good", "flood", "garbage", "silence", "restart")
_FLOOD_HZ = 500.0
_MOST_AT_ONCE = 50


Due = tuple[float, bytes, int, bool, bool]


@dataclass
class _Drone:
    """One virtual drone.

    Attributes:
        publisher: of its packets.
        due: (time s, packet, stamp of its frame, whether it is its first, its last) to come.
        sent_s: by stamp, when a frame's last packet left.
        ages_s: of the results that came.
    """

    publisher: Any
    due: Iterator[Due]
    sent_s: dict[int, float] = field(default_factory=dict)
    ages_s: list[float] = field(default_factory=list)
    frames: int = 0
    rate: FrameRate | None = None
    """Of a drone that heeds the reports."""
    number: int = 0
    _out: bool = False

    def leaves_out(self, first: bool, now_s: float) -> bool:
        """Whether the frame of the next packet, perhaps its first one, is not sent."""
        if self.rate is None:
            return False
        if first:
            self._out = not self.rate.is_due(now_s)
            self.number += not self._out
        return self._out

    def renumbered(self, packet: bytes) -> bytes:
        """A packet as part of the frame that is being sent."""
        if self.rate is None:
            return packet
        read = wire.parse(packet)
        assert isinstance(read, wire.Packet)
        return wire.build(replace(read.header, frame=self.number & 0xFFFF), read.payload)

    def on_feedback(self, message: UInt8MultiArray) -> None:
        """A report has come."""
        if self.rate is not None:
            packet = wire.parse(packet_bytes(message))
            self.rate.on_feedback(parse_feedback(packet.payload), time.monotonic())


def main() -> int:
    """Record a flight, run every number of streams, print the table, write the JSON."""
    args = _parse_arguments()
    flight = record(args)
    if args.stages:
        for stage, spent_ms in stages_ms(flight, args.checkpoint).items():
            print(f"{stage} {spent_ms:.2f} ms")
        return 0
    rows = []
    kinds = _WORST if args.worst else ("good",)
    for number in [16] if args.worst else [int(n) for n in args.streams.split(",")]:
        for kind in kinds:
            rows.append(measure(flight, number, kind, args))
            print_rows(rows, args)
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        report = {
            "checkpoint": f"{checkpoint_file.load(args.checkpoint).id:08x}",
            "fps": args.fps,
            "frame_bytes": args.frame_bytes,
            "heed": args.heed,
            "weights": args.weights,
            "rows": rows,
        }
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def record(args: argparse.Namespace) -> list[tuple[int, list[bytes]]]:
    """The frames of a flight: stamp and packets of each."""
    config = OnboardConfig(
        rate_mode="budget",
        rate_max_kbps=args.frame_bytes * 8 * args.fps / 1000,
        rate_temporal=False,
        frame_max_fps=args.fps,
    )
    pipeline = OnboardPipeline(checkpoint_file.load(args.checkpoint), config)
    frames = []
    with open_source("synthetic:3", size=frame_size(args.size)) as source:
        for number, frame in enumerate(islice(source, round(_FLIGHT_S * args.fps))):
            stamp_ns = round(number / args.fps * 1e9)
            packets = pipeline.process(CameraFrame(frame.image, stamp_ns, "camera"), stamp_ns / 1e9)
            if packets:
                frames.append((stamp_ns, [bytes(packet) for packet in packets]))
    if not frames:
        raise Sc2Error("no frame fits; give more --frame-bytes")
    return frames


def measure(
    flight: list[tuple[int, list[bytes]]], number: int, kind: str, args: argparse.Namespace
) -> dict[str, object]:
    """Run so many streams, of which the first behaves as `kind` says."""
    names = [f"d{i}" for i in range(number)]
    rclpy.init(args=["fleet"])
    command = [sys.executable, "-m", "sc2_ros.nodes.ground_node", "--ros-args"]
    command += ["-p", f"drones:={','.join(names)}", "-p", f"model:={args.checkpoint}"]
    command += ["-p", f"weights:={args.weights}"] if args.weights else []
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        node = Node("fleet")
        drones = [_drone(node, name, heeds=args.heed) for name in names]
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        _await(executor, drones)
        ground = psutil.Process(process.pid)
        begin_s = time.monotonic() + _SETTLE_S
        for place, drone in enumerate(drones):
            behaves = kind if place == 0 else "good"
            drone.due = schedule(flight, begin_s + place / number / args.fps, behaves, args)
        _run(drones, executor, begin_s)  # what is slow only once
        before, from_s = ground.cpu_times(), time.monotonic()
        for drone in drones:
            drone.ages_s.clear()
            drone.frames = 0
        _run(drones, executor, from_s + args.seconds)
        after, lasted_s = ground.cpu_times(), time.monotonic() - from_s
        memory_mb = ground.memory_info().rss / 1e6
    finally:
        process.terminate()
        process.wait(_START_S)
        rclpy.try_shutdown()
    others = drones[1:] if kind != "good" else drones
    ages = [age for drone in others for age in drone.ages_s]
    shares = [len(drone.ages_s) / max(drone.frames, 1) for drone in others]
    results = sum(len(drone.ages_s) for drone in drones)
    cpu_s = after.user + after.system - before.user - before.system
    p50, p95 = np.percentile(ages, (50, 95)) * 1e3 if ages else (np.nan, np.nan)
    return {
        "streams": number,
        "first_drone": kind,
        "results_per_s": results / lasted_s,
        "share_shown": sum(len(drone.ages_s) for drone in others)
        / max(sum(drone.frames for drone in others), 1),
        "worst_share_shown": min(shares),
        "first_results_per_s": len(drones[0].ages_s) / lasted_s,
        "other_results_per_s": (results - len(drones[0].ages_s)) / lasted_s / max(number - 1, 1),
        "age_p50_ms": float(p50),
        "age_p95_ms": float(p95),
        "cpu_ms_per_result": cpu_s / max(results, 1) * 1e3,
        "cores": cpu_s / lasted_s,
        "memory_mb": memory_mb,
    }


def schedule(
    flight: list[tuple[int, list[bytes]]], begin_s: float, kind: str, args: argparse.Namespace
) -> Iterator[Due]:
    """What a drone sends, and when, on and on."""
    if kind == "silence":
        return
    noise = np.random.default_rng(1)
    round_s, now_s = 0.0, begin_s
    while True:
        for stamp_ns, packets in flight:
            at_s = now_s + stamp_ns / 1e9 - flight[0][0] / 1e9
            if kind == "restart" and at_s - now_s >= 1.0:
                break
            times = round(_FLOOD_HZ / args.fps) if kind in ("flood", "garbage") else 1
            for copy in range(times):
                when_s = at_s + copy / times / args.fps
                for place, packet in enumerate(packets):
                    data = noise.bytes(len(packet)) if kind == "garbage" else packet
                    yield when_s, data, stamp_ns, place == 0, place == len(packets) - 1
        round_s = 1.0 if kind == "restart" else len(flight) / args.fps
        now_s += round_s


def _drone(node: Node, name: str, *, heeds: bool) -> _Drone:
    publisher = node.create_publisher(UInt8MultiArray, f"{name}/features", qos.PACKETS)
    drone = _Drone(publisher, iter(()), rate=FrameRate() if heeds else None)
    node.create_subscription(UInt8MultiArray, f"{name}/feedback", drone.on_feedback, qos.PACKETS)
    node.create_subscription(
        Detection2DArray, f"{name}/detections", partial(_on_result, drone), qos.RESULTS
    )
    return drone


def _on_result(drone: _Drone, message: Detection2DArray) -> None:
    sent_s = drone.sent_s.pop(to_ns(message.header.stamp), None)
    if sent_s is not None:
        drone.ages_s.append(time.monotonic() - sent_s)


def _await(executor: SingleThreadedExecutor, drones: list[_Drone]) -> None:
    """Until the station listens to every drone."""
    give_up_s = time.monotonic() + _START_S
    while not all(drone.publisher.get_subscription_count() for drone in drones):
        if time.monotonic() > give_up_s:
            raise Sc2Error("ground_node does not listen; start it by hand to see why")
        executor.spin_once(0.1)


def _run(drones: list[_Drone], executor: SingleThreadedExecutor, until_s: float) -> None:
    """Send what is due and take what comes."""
    waiting = [(next(drone.due, None), drone) for drone in drones]
    while (now_s := time.monotonic()) < until_s:
        for place, (item, drone) in enumerate(waiting):
            for _ in range(_MOST_AT_ONCE):
                if item is None or item[0] > now_s:
                    break
                _, packet, stamp_ns, first, last = item
                item = next(drone.due, None)
                if drone.leaves_out(first, now_s):
                    continue
                drone.publisher.publish(packet_message(drone.renumbered(packet)))
                if last:
                    drone.sent_s[stamp_ns] = time.monotonic()
                    drone.frames += 1
            waiting[place] = (item, drone)
        executor.spin_once(0.002)


def print_rows(rows: list[dict[str, object]], args: argparse.Namespace) -> None:
    """Print what there is so far."""
    table = Table(title=f"{args.size}, {args.frame_bytes} bytes, {args.fps:g} frames/s each")
    for name in rows[0]:
        table.add_column(name.replace("_", " "), justify="right")
    for row in rows:
        table.add_row(*(f"{v:.3g}" if isinstance(v, float) else str(v) for v in row.values()))
    Console(width=200).print(table)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--streams", default="1,2,4,8,16,32,64", help="how many drones, a list")
    parser.add_argument("--fps", type=float, default=5.0, help="of each drone (default: 5)")
    parser.add_argument("--frame-bytes", type=int, default=2000, help="budget (default: 2000)")
    parser.add_argument("--size", default="640x512", help="of the frames (default: 640x512)")
    parser.add_argument("--seconds", type=float, default=15.0, help="measured (default: 15)")
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--heed", action="store_true", help="drones heed the reports")
    parser.add_argument("--weights", default="", help="the node's parameter, e.g. d0=4")
    parser.add_argument("--worst", action="store_true", help="one of 16 drones misbehaves")
    parser.add_argument("--stages", action="store_true", help="CPU of a frame by stage alone")
    parser.add_argument("--json", type=Path, metavar="FILE")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
