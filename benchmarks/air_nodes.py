# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the nodes put on the radio, and how long they take to show results again.

    sudo python benchmarks/air_nodes.py bytes --json benchmarks/results/air_bytes.json
    sudo python benchmarks/air_nodes.py outages --json benchmarks/results/air_nodes.json

bytes: 1, 3 and 10 drones, each in a network namespace of its own, on one radio with the ground (a
bridge); what crosses it in so many seconds without images, then with a camera each, by topics (DDS
as it is by default) and by sealed sockets. Counters are the kernel's, Ethernet's headers and ARP
included; what goes to several counts once.

outages: camera, drone and ground on either side of a router (air_flight.py), sealed sockets. From
the moment that the link is back, or that the killed node is started again, until the detections of
an image are out that was taken after it. The exit status is 1 where the link's own took over 1 s.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

from air_flight import Namespaces, run, why_not
from helpers.program import exit_with

from sc2_ros.errors import Sc2Error
from sc2_ros.link.air.key import new_key_file
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime.ros import Detection2DArray, Node, rclpy

LIMIT_S = 1.0
DEADLINE_S = 240.0
SETTLE_S = 10.0
PORT = 5600
SAYS = {"onboard_node": "images from", "ground_node": "packets", "camera_node": "playing"}
PLAIN_DDS = {
    "ROS_AUTOMATIC_DISCOVERY_RANGE": "SYSTEM_DEFAULT",
    "CYCLONEDDS_URI": "<CycloneDDS><Domain><General><Interfaces><NetworkInterface name='radio'/>"
    "</Interfaces></General></Domain></CycloneDDS>",
}
LOCAL_DDS = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
CAMERA = ("-p", "input:=synthetic:3", "-p", "size:=192x160")


class Nodes:
    """Nodes as processes in network namespaces; ended when it is closed."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._running: list[subprocess.Popen[str]] = []

    def start(self, namespace: str, name: str, *words: str) -> subprocess.Popen[str]:
        """Start a node, and wait until it says that it works."""
        command = ["ip", "netns", "exec", namespace, sys.executable, "-m", f"sc2_ros.nodes.{name}"]
        process = subprocess.Popen(
            [*command, "--ros-args", *words],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._running.append(process)
        up = threading.Event()
        assert process.stdout is not None
        threading.Thread(target=_read, args=(process.stdout, SAYS[name], up), daemon=True).start()
        process.up = up  # type: ignore[attr-defined]
        return process

    def wait(self) -> None:
        """Until all say that they work."""
        for process in self._running:
            if not process.up.wait(DEADLINE_S):  # type: ignore[attr-defined]
                raise Sc2Error(f"{process.args} does not start")

    def close(self) -> None:
        """End all."""
        for process in self._running:
            process.kill()
        for process in self._running:
            process.wait()


def _read(stream: IO[str], says: str, up: threading.Event) -> None:
    for line in stream:
        if says in line:
            up.set()
        if "rror" in line:
            print(line, end="", file=sys.stderr)


class Radio:
    """A ground and some drones on one bridge, each in a namespace: 10.78.0.1, 10.78.0.10 and on."""

    def __init__(self, drones: int) -> None:
        self.ground = f"sc2g{os.getpid()}"
        self.drones = [f"sc2d{os.getpid()}n{number}" for number in range(drones)]
        for name in (self.ground, *self.drones):
            run("ip", "netns", "add", name)
            self._do(name, "sysctl -qw net.ipv6.conf.all.disable_ipv6=1")
            self._do(name, "sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
            self._do(name, "ip link set lo up")
        self._do(self.ground, "ip link add radio type bridge mcast_snooping 0")
        self._do(self.ground, "ip addr add 10.78.0.1/24 dev radio")
        self._do(self.ground, "ip link set radio up")
        for number, name in enumerate(self.drones):
            self._do(name, f"ip link add radio type veth peer name p{number} netns {self.ground}")
            self._do(name, f"ip addr add 10.78.0.{10 + number}/24 dev radio")
            self._do(name, "ip link set radio up")
            self._do(self.ground, f"ip link set p{number} master radio")
            self._do(self.ground, f"ip link set p{number} up")

    def _do(self, name: str, command: str) -> str:
        return str(run("ip", "netns", "exec", name, *command.split()).stdout)

    def counters(self) -> tuple[int, int]:
        """(bytes, packets) that were sent over the radio so far."""
        links = {one["ifname"]: one for one in json.loads(self._do(self.ground, "ip -j -s link"))}
        ways = [links["radio"]["stats64"]["tx"]]
        ways += [links[f"p{number}"]["stats64"]["rx"] for number in range(len(self.drones))]
        return sum(way["bytes"] for way in ways), sum(way["packets"] for way in ways)

    def close(self) -> None:
        """Remove all of it."""
        for name in (self.ground, *self.drones):
            subprocess.run(["ip", "netns", "del", name], capture_output=True)


def bytes_report(args: argparse.Namespace, key_file: str) -> list[dict[str, Any]]:
    """A row for each transport and number of drones."""
    rows = []
    for drones in args.drones:
        for transport in args.transports:
            with ExitStack() as stack:
                radio = Radio(drones)
                stack.callback(radio.close)
                nodes = Nodes(PLAIN_DDS if transport == "topic" else LOCAL_DDS)
                stack.callback(nodes.close)
                rows.append(_bytes_row(radio, nodes, transport, key_file, args))
            print(json.dumps(rows[-1]), flush=True)
    return rows


def _bytes_row(
    radio: Radio, nodes: Nodes, transport: str, key_file: str, args: argparse.Namespace
) -> dict[str, Any]:
    count = len(radio.drones)
    names = [f"d{number}" for number in range(count)]
    locals_ = ",".join(f"0.0.0.0:{PORT + number}" for number in range(count))
    air = ("-p", f"transport:={transport}")
    if transport == "udp":
        air += ("-p", f"air.key_file:={key_file}")
    local = ("-p", f"air.local:={locals_}") if transport == "udp" else ()
    drones = ("-p", f"drones:={','.join(names)}")
    nodes.start(radio.ground, "ground_node", *air, *local, *drones)
    for number, (name, namespace) in enumerate(zip(names, radio.drones, strict=True)):
        remote = ("-p", f"air.remote:=10.78.0.1:{PORT + number}") if transport == "udp" else ()
        fixed = ("-p", "rate.mode:=fixed", "-p", "rate.index:=0.2", "-r", f"__ns:=/{name}")
        nodes.start(namespace, "onboard_node", *air, *remote, *fixed)
    nodes.wait()
    time.sleep(SETTLE_S)
    idle = _counted(radio, args.seconds)
    for name, namespace in zip(names, radio.drones, strict=True):
        camera = (*CAMERA, "-p", f"fps:={args.fps}", "-r", f"__ns:=/{name}")
        nodes.start(namespace, "camera_node", *camera)
    nodes.wait()
    time.sleep(SETTLE_S)
    streaming = _counted(radio, args.seconds)
    return {
        "transport": transport,
        "drones": count,
        "seconds": args.seconds,
        "fps": args.fps,
        "idle": idle,
        "streaming": streaming,
        "idle_bytes_per_drone": round(idle["bytes"] / count),
        "streaming_bytes_per_drone_and_frame": round(
            streaming["bytes"] / count / args.seconds / args.fps, 1
        ),
    }


def _counted(radio: Radio, seconds: float) -> dict[str, int]:
    before = radio.counters()
    time.sleep(seconds)
    size_bytes, packets = (b - a for a, b in zip(before, radio.counters(), strict=True))
    return {"bytes": size_bytes, "packets": packets}


class Flight:
    """Camera, drone and ground, and who listens to the results at the ground."""

    def __init__(
        self,
        net: Namespaces,
        nodes: Nodes,
        ground: tuple[str, ...],
        drone: tuple[str, ...],
        fps: float,
    ) -> None:
        self._net, self._nodes = net, nodes
        self.stamps: list[int] = []
        self._words = {
            "ground_node": ("ground", *ground),
            "onboard_node": ("drone", *drone),
            "camera_node": ("drone", *CAMERA, "-p", f"fps:={fps}"),
        }
        with net.within("ground"):  # where the middleware opens its sockets, once
            rclpy.init(args=["listener"])
            self._node = Node("listener")
        self._node.create_subscription(
            Detection2DArray,
            "detections",
            lambda message: self.stamps.append(to_ns(message.header.stamp)),
            qos.RESULTS,
        )
        self._processes = {name: self._start(name) for name in self._words}
        nodes.wait()

    def _start(self, name: str) -> subprocess.Popen[str]:
        end, *words = self._words[name]
        return self._nodes.start(self._net.names[end], name, *words)

    def restart(self, name: str) -> None:
        """Kill a node and start it again."""
        self._processes[name].kill()
        self._processes[name].wait()
        self._processes[name] = self._start(name)

    def seconds_until_results(self, limit_s: float = DEADLINE_S) -> float:
        """Until the detections of an image are here that was taken from now on."""
        since_ns, since_s = time.time_ns(), time.monotonic()
        while not any(stamp > since_ns for stamp in self.stamps[-5:]):
            if time.monotonic() - since_s > limit_s:
                return float("inf")
            rclpy.spin_once(self._node, timeout_sec=0.01)
        return time.monotonic() - since_s

    def fly(self, seconds: float) -> None:
        """Let time pass, and take results."""
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            rclpy.spin_once(self._node, timeout_sec=0.05)


@contextmanager
def flying(key_file: str, fps: float) -> Iterator[tuple[Namespaces, Flight]]:
    """A flight behind a router."""
    os.environ.update(LOCAL_DDS)
    with ExitStack() as stack:
        net = Namespaces()
        stack.callback(net.close)
        net.translate(True)
        nodes = Nodes(LOCAL_DDS)
        stack.callback(nodes.close)
        stack.callback(rclpy.try_shutdown)
        air = ("-p", "transport:=udp", "-p", f"air.key_file:={key_file}")
        ground = (*air, "-p", f"air.local:=0.0.0.0:{PORT}")
        drone = (*air, "-p", f"air.remote:=10.77.2.2:{PORT}")
        yield net, Flight(net, nodes, ground, drone, fps)


def outage_report(args: argparse.Namespace, key_file: str) -> dict[str, list[float]]:
    """Seconds until results, of every case."""
    report: dict[str, list[float]] = {}
    with flying(key_file, args.fps) as (net, flight):

        def outage(seconds: float) -> None:
            net.cut()
            flight.fly(seconds)
            net.mend()

        cases: dict[str, Callable[[], None]] = {
            f"link down {seconds:g} s": lambda s=seconds: outage(s)  # type: ignore[misc]
            for seconds in args.outages
        }
        if not args.no_changes:
            cases |= {
                "drone's address changed": lambda: net.move_drone(3),
                "NAT mapping changed": lambda: net.move_router(9),
                "onboard node killed": lambda: flight.restart("onboard_node"),
                "ground node killed": lambda: flight.restart("ground_node"),
            }
        flight.seconds_until_results()
        flight.fly(3.0)
        for name, change in cases.items():
            for _ in range(args.repeats):
                change()
                report.setdefault(name, []).append(round(flight.seconds_until_results(), 2))
                net.move_drone(2)
                net.move_router(1)
                flight.seconds_until_results()
                flight.fly(2.0)
            print(f"{name}: {report[name]} s", flush=True)
    return report


def main() -> int:
    """Measure, print, judge."""
    args = _parse_arguments()
    if reason := why_not():
        raise Sc2Error(f"this benchmark cannot run here: {reason}")
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "air.key"
        new_key_file(key_file)
        report: Any
        if args.what == "bytes":
            report, failed = {"radio": bytes_report(args, str(key_file))}, False
        else:
            report = {"fps": args.fps, "seconds_until_results": outage_report(args, str(key_file))}
            cases = report["seconds_until_results"].items()
            failed = any(max(s) > LIMIT_S for name, s in cases if "killed" not in name)
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return int(failed)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("bytes", "outages"))
    parser.add_argument("--drones", type=int, nargs="*", default=[1, 3, 10])
    parser.add_argument("--transports", nargs="*", default=["topic", "udp"])
    parser.add_argument("--seconds", type=float, default=60.0, help="of each count of bytes")
    parser.add_argument("--fps", type=float, default=2.0, help="of each camera")
    parser.add_argument("--outages", type=float, nargs="*", default=[5, 15, 60], help="seconds")
    parser.add_argument("--no-changes", action="store_true", help="outages alone")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
