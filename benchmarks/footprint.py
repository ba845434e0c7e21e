# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the drone's node takes: resident memory, time from its start to its first packet, disk.

    python benchmarks/footprint.py --json out/footprint.json
    python benchmarks/footprint.py --venv .venv        # the size of an installation, too

onboard_node runs as a process of its own (the embedded runtime, or ROS 2 where that is sourced) at
a fixed rate; this process is its camera, which shows the synthetic flight, and counts its packets.
Nobody reports back, so frames come as they do to a recorder. Time to the first packet counts from
the start of the process, with a camera that is there already.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import psutil
from helpers.program import exit_with

from sc2_ros import checkpoint_file
from sc2_ros.cli.api.options import frame_size
from sc2_ros.codec import wire
from sc2_ros.errors import Sc2Error
from sc2_ros.media.messages import image_message, packet_bytes
from sc2_ros.media.source import open_source
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import Image, Node, SingleThreadedExecutor, UInt8MultiArray, rclpy

_IMAGES = 50
_GIVE_UP_S = 60.0
"""Longest wait for a packet."""


def main() -> int:
    """Start the node, show it images, print what it takes."""
    args = _parse_arguments()
    size = frame_size(args.size)
    with open_source("synthetic:3", size=size) as source:
        images = [frame.image for frame in islice(source, _IMAGES)]
    rclpy.init(args=["footprint"])
    try:
        report = measure(images, args.frames, args.fps, args.checkpoint)
    finally:
        rclpy.try_shutdown()
    report["checkpoint"] = f"{checkpoint_file.load(args.checkpoint).id:08x}"
    if args.venv is not None:
        report["disk_mb"] = disk_mb(args.venv)
    for name, value in report.items():
        print(f"{name:<18}{value:.2f}" if isinstance(value, float) else f"{name:<18}{value}")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=2) + "\n")
    return 0


def measure(images: list, frames: int, fps: float, checkpoint: str) -> dict[str, float | int]:
    """Run onboard_node until it has sent so many frames.

    Raises:
        Sc2Error: it ended, or sent nothing for a minute.
    """
    node = Node("footprint")
    seen: list[int] = []
    """Numbers of the frames, as they came."""

    def on_packet(message: UInt8MultiArray) -> None:
        number = wire.parse(packet_bytes(message)).header.frame
        if number not in seen[-1:]:
            seen.append(number)

    node.create_subscription(UInt8MultiArray, "features", on_packet, qos.PACKETS)
    camera = node.create_publisher(Image, "image", qos.SENSOR)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    started_s = heard_s = time.monotonic()
    command = [sys.executable, "-m", "sc2_ros.nodes.onboard_node", "--ros-args"]
    command += ["-p", "rate.mode:=fixed", "-p", f"model:={checkpoint}"]
    process = subprocess.Popen(command)
    shown, first_s, due_s = 0, None, started_s
    try:
        while len(seen) < frames:
            before = len(seen)
            executor.spin_once(max(min(due_s - time.monotonic(), 0.01), 0.0))
            now_s = time.monotonic()
            if len(seen) > before:
                heard_s = now_s
                first_s = first_s if first_s is not None else now_s - started_s
            if now_s >= due_s:
                image = images[shown % len(images)]
                camera.publish(image_message(image, time.time_ns(), "camera"))
                shown, due_s = shown + 1, max(due_s + 1 / fps, now_s)
            if process.poll() is not None or now_s - heard_s > _GIVE_UP_S:
                raise Sc2Error(f"onboard_node sent {len(seen)} frames, then no more; see above")
        memory = psutil.Process(process.pid)
        rss_mb = memory.memory_info().rss / 1e6
        threads = memory.num_threads()
    finally:
        process.terminate()
        process.wait(_GIVE_UP_S)
    assert first_s is not None
    return {
        "width": images[0].shape[1],
        "height": images[0].shape[0],
        "frames": len(seen),
        "rss_mb": rss_mb,
        "first_packet_s": first_s,
        "threads": threads,
    }


def disk_mb(folder: Path) -> float:
    """What an installation takes on disk, MB; links are not followed, hard links count once."""
    sizes = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            found = os.lstat(os.path.join(parent, name))
            sizes[found.st_dev, found.st_ino] = found.st_blocks * 512
    return sum(sizes.values()) / 1e6


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--checkpoint", default="default", help="name or file (default: default)")
    parser.add_argument("--size", default="640x512", help="of the images (default: 640x512)")
    parser.add_argument("--frames", type=int, default=1000, help="to send (default: 1000)")
    parser.add_argument("--fps", type=float, default=30.0, help="of the camera (default: 30)")
    parser.add_argument("--venv", type=Path, help="an installation whose size is told, too")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
