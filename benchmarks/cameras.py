# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What an image costs the onboard node: CPU of its process per received and per encoded frame.

    python benchmarks/cameras.py --json benchmarks/results/cameras.json
    SC2_RUNTIME=rclpy python benchmarks/cameras.py --sizes 1920x1080 --frame-size 960x540

A camera publishes 30 images per second in this process, an onboard node of its own process gets
them through DDS. It runs twice: encoding 5 frames per second at 500 kbit/s, and encoding next to
none, which gives the cost of a frame that is received and dropped; what is left of the first run is
the cost of encoding. `first_packet_ms` and `last_packet_ms` are from the stamp until packets of
the frame leave the node, in 95 of 100 frames; the node spreads them on purpose. `decode_ms` is
that of reading one image at the size at which it is encoded, in this process. CPU time, so that a
busy machine matters little, except that images may then be lost. Rows of the JSON of another
middleware, size, kind or frame size stay.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import psutil
from rich.console import Console
from rich.table import Table

from sc2_ros.codec.wire import parse
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.media.image_reader import ImageReader
from sc2_ros.media.messages import image_message
from sc2_ros.nodes import qos
from sc2_ros.onboard.config import OnboardConfig, encoded_size
from sc2_ros.runtime import ros

SIZES = ("640x480", "1920x1080", "3840x2160")
KINDS = ("raw", "jpeg")
IN_HZ, OUT_HZ, SELDOM_HZ = 30.0, 5.0, 0.1
WARM_UP_S = 4.0
START_S = 60.0
PICTURES = 6
JPEG_QUALITY = 85


@dataclass
class Cost:
    """What one kind of image costs; shares are of one core."""

    middleware: str
    size: str
    kind: str
    frame_size: str
    received_hz: float
    encoded_hz: float
    share: float
    share_dropping: float
    ms_per_received: float
    ms_per_encoded: float
    first_packet_ms: float
    last_packet_ms: float
    decode_ms: float


@dataclass
class Run:
    """CPU seconds of the node, and how many images and frames it had in them."""

    cpu_s: float
    seconds: float
    received: float
    encoded: int
    first_packet_ms: float
    last_packet_ms: float


def main() -> int:
    """Measure, print the table, write the JSON."""
    args = parse_arguments()
    os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 90 + 10))
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    costs = [
        measure(size, kind, args.seconds, args.frame_size)
        for size in args.sizes
        for kind in args.kinds
    ]
    show(costs)
    if args.json:
        write(args.json, costs)
    return 0


def write(path: Path, costs: list[Cost]) -> None:
    """Put these rows in place of those of the same images."""
    rows = {key(row): row for row in json.loads(path.read_text())} if path.exists() else {}
    for cost in costs:
        row = {k: round(v, 4) if isinstance(v, float) else v for k, v in asdict(cost).items()}
        rows[key(row)] = row
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([rows[one] for one in sorted(rows)], indent=1) + "\n")


def key(row: dict[str, Any]) -> tuple[str, ...]:
    """What a row is about."""
    return tuple(row[name] for name in ("middleware", "size", "kind", "frame_size"))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", default=SIZES, metavar="WIDTHxHEIGHT")
    parser.add_argument("--kinds", nargs="+", default=KINDS, choices=KINDS)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run")
    parser.add_argument("--frame-size", default="", help="the node's frame.size")
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


def measure(size: str, kind: str, seconds: float, frame_size: str) -> Cost:
    """Both runs of one kind of image."""
    width, height = (int(side) for side in size.split("x"))
    flight = SyntheticFlight(7, width=width, height=height)
    images = [flight.frame(number, fps=IN_HZ).image for number in range(PICTURES)]
    messages = [make_message(image, kind) for image in images]
    encoding = run(messages, kind, seconds, OUT_HZ, frame_size)
    dropping = run(messages, kind, seconds, SELDOM_HZ, frame_size)
    per_received_s = dropping.cpu_s / max(dropping.received, 1)
    rest_s = encoding.cpu_s - encoding.received * per_received_s
    return Cost(
        ros.MIDDLEWARE,
        size,
        kind,
        frame_size,
        encoding.received / encoding.seconds,
        encoding.encoded / encoding.seconds,
        encoding.cpu_s / encoding.seconds,
        dropping.cpu_s / dropping.seconds,
        per_received_s * 1e3,
        max(rest_s, 0.0) / max(encoding.encoded, 1) * 1e3,
        encoding.first_packet_ms,
        encoding.last_packet_ms,
        decode_ms(messages[0], frame_size),
    )


def make_message(image: np.ndarray, kind: str) -> Any:
    """The image as a camera's driver sends it."""
    if kind == "raw":
        return image_message(image, 0, "camera")
    _, jpeg = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return ros.CompressedImage(format="rgb8; jpeg compressed bgr8", data=jpeg.tobytes())


def decode_ms(message: Any, frame_size: str, rounds: int = 10) -> float:
    """CPU milliseconds of one image at the size at which it is encoded."""
    width, height = (int(side) for side in (frame_size or "0x0").split("x"))
    config = OnboardConfig(frame_width=width, frame_height=height)
    reader = ImageReader()
    cv2.setNumThreads(1)
    begun_s = time.process_time()
    for _ in range(rounds):
        image = reader.open(message)
        image.read(encoded_size(image.size, config))
    return (time.process_time() - begun_s) / rounds * 1e3


def run(messages: list[Any], kind: str, seconds: float, fps: float, frame_size: str) -> Run:
    """Publish to a node of its own process, and look at its CPU time."""
    ros.init()
    camera = ros.Node("benchmark_camera")
    topic = "image" if kind == "raw" else "image/compressed"
    images = camera.create_publisher(type(messages[0]), topic, qos.SENSOR)
    seen = Seen(camera)
    node = start(kind, fps, frame_size)
    try:
        wait_until(camera, lambda: images.get_subscription_count() > 0)
        publish(camera, images, messages, WARM_UP_S)
        process = psutil.Process(node.pid)
        before, begun_s = process.cpu_times(), time.monotonic()
        seen.clear()
        publish(camera, images, messages, seconds)
        after, lasted_s = process.cpu_times(), time.monotonic() - begun_s
    finally:
        node.terminate()
        node.wait(20)
        camera.destroy_node()
        ros.shutdown()
    cpu_s = after.user + after.system - before.user - before.system
    latencies = (seen.latency_ms("first_sent_at_ms"), seen.latency_ms("last_sent_at_ms"))
    return Run(cpu_s, lasted_s, seen.images_hz * lasted_s, len(seen.frames), *latencies)


class Seen:
    """What the node says of itself: images per second, and the frames whose packets it sends."""

    def __init__(self, camera: Any) -> None:
        self._rates: list[float] = []
        self.frames: set[int] = set()
        self._times: list[dict[str, str]] = []
        camera.create_subscription(ros.UInt8MultiArray, "features", self._packet, qos.PACKETS)
        camera.create_subscription(
            ros.DiagnosticArray, "/diagnostics", self._diagnostics, qos.RESULTS
        )
        camera.create_subscription(
            ros.DiagnosticArray, "onboard_node/frame_info", self._frame_info, qos.RESULTS
        )

    @property
    def images_hz(self) -> float:
        """Images per second that the node received."""
        return sum(self._rates) / len(self._rates) if self._rates else 0.0

    def clear(self) -> None:
        """Count from now on."""
        self._rates.clear()
        self.frames.clear()
        self._times.clear()

    def latency_ms(self, event: str) -> float:
        """Milliseconds from the stamp to an event, in 95 of 100 frames; NaN without a frame."""
        times = [float(values[event]) for values in self._times if event in values]
        return float(np.percentile(times, 95)) if times else float("nan")

    def _frame_info(self, message: Any) -> None:
        for status in message.status:
            self._times.append({value.key: value.value for value in status.values})

    def _packet(self, message: Any) -> None:
        self.frames.add(parse(bytes(message.data)).header.frame)

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            values = {value.key: value.value for value in status.values}
            if "images_per_s" in values:
                self._rates.append(float(values["images_per_s"]))


def start(kind: str, fps: float, frame_size: str) -> subprocess.Popen[bytes]:
    """An onboard node that encodes at a rate."""
    settings = {
        "image_transport": "raw" if kind == "raw" else "compressed",
        "frame.max_fps": fps,
        "rate.mode": "budget",
        "rate.max_kbps": 500.0,
    }
    if frame_size:
        settings["frame.size"] = frame_size
    arguments = [part for name, value in settings.items() for part in ("-p", f"{name}:={value}")]
    command = [sys.executable, "-m", "sc2_ros.nodes.onboard_node", "--ros-args", *arguments]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)


def wait_until(camera: Any, condition: Any) -> None:
    """Let the node come up."""
    give_up_s = time.monotonic() + START_S
    while not condition():
        if time.monotonic() > give_up_s:
            raise SystemExit("the onboard node did not come up")
        ros.spin_once(camera, timeout_sec=0.05)


def publish(camera: Any, images: Any, messages: list[Any], seconds: float) -> None:
    """Images at the camera's rate, and an open ear for what the node says."""
    begun_s = time.monotonic()
    for number in range(round(seconds * IN_HZ)):
        due_s = begun_s + number / IN_HZ
        while (wait_s := due_s - time.monotonic()) > 0:
            ros.spin_once(camera, timeout_sec=wait_s)
        message = messages[number % len(messages)]
        stamp_ns = time.time_ns()
        message.header.stamp = ros.TimeMsg(
            sec=stamp_ns // 1_000_000_000, nanosec=stamp_ns % 1_000_000_000
        )
        images.publish(message)


def show(costs: list[Cost]) -> None:
    """The table."""
    table = Table(title=f"{IN_HZ:g} Hz in, {OUT_HZ:g} Hz out, {ros.MIDDLEWARE}")
    columns = ("size", "kind", "in/s", "out/s", "core %", "core %, dropping all")
    for heading in (*columns, "ms/received", "ms/encoded", "first ms", "last ms", "decoding ms"):
        table.add_column(heading, justify="right")
    for cost in costs:
        table.add_row(
            cost.size,
            cost.kind,
            f"{cost.received_hz:.1f}",
            f"{cost.encoded_hz:.1f}",
            f"{100 * cost.share:.0f}",
            f"{100 * cost.share_dropping:.0f}",
            f"{cost.ms_per_received:.1f}",
            f"{cost.ms_per_encoded:.0f}",
            f"{cost.first_packet_ms:.0f}",
            f"{cost.last_packet_ms:.0f}",
            f"{cost.decode_ms:.1f}",
        )
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
