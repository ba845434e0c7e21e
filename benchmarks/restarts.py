# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a node that is killed in flight takes until results come again.

    python benchmarks/restarts.py --json benchmarks/results/restarts.json
    python benchmarks/restarts.py --standby     # a second station stands in for the ground node
    python benchmarks/restarts.py --standby --transport udp --sealed

Camera, onboard and ground node run as processes of their own. One is killed (SIGKILL) and started
again at once; `up_s` is the time from the kill until it says that it listens, `result_s` that until
the detections of an image arrive here which was taken after the kill. With --standby only the
ground node is killed, and started again once the second station has given results; `gap_s` is the
longest time without results while the first takes the drone back.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from rich.console import Console
from rich.table import Table

from sc2_ros.link.air.key import new_key_file
from sc2_ros.media.messages import to_ns
from sc2_ros.nodes import qos
from sc2_ros.runtime import ros

STEADY = 20
"""Results before a kill."""
DEADLINE_S = 180.0
DRONE = "d1"
SECOND = "second"
NAMED = ("-r", f"__node:={SECOND}")
HOME, STANDBY = "127.0.0.1:5600", ("127.0.0.1:5610", "127.0.0.1:5611")
"""Sockets of the ground node, and of the second station for its own drone and for this one."""
SAYS = {"onboard_node": "images from", "ground_node": "packets"}


class Flight:
    """The three nodes as processes, and who listens to their results."""

    def __init__(
        self,
        size: str,
        fps: float,
        *,
        standby: bool = False,
        transport: str = "topic",
        key_file: str = "",
    ) -> None:
        camera = ("-p", "input:=synthetic:3", "-p", f"size:={size}", "-p", f"fps:={fps}")
        below, served = ("-r", f"__ns:=/{DRONE}"), ("-p", f"drones:={DRONE}")
        self._words: dict[str, tuple[str, ...]] = {
            "camera_node": (*camera, *below),
            "onboard_node": below,
            "ground_node": served,
        }
        if standby:
            self._words[SECOND] = ("-p", f"standby:={DRONE}", "-p", "drones:=d2", *NAMED)
        given = {name: {"transport": transport} for name in self._words if name != "camera_node"}
        if key_file:
            given = {name: {**words, "air.key_file": key_file} for name, words in given.items()}
        if transport == "udp":
            given["onboard_node"]["air.remote"] = HOME
            given["ground_node"]["air.local"] = HOME
            if standby:
                given["onboard_node"]["air.standby"] = STANDBY[1]
                given[SECOND]["air.local"] = ",".join(STANDBY)
        for name, values in given.items():
            words = (word for key, value in values.items() for word in ("-p", f"{key}:={value}"))
            self._words[name] += tuple(words)
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._up: dict[str, threading.Event] = {}
        self.stamps: list[int] = []
        self.came_s: list[float] = []
        ros.init()
        self._node = ros.Node("listener")
        self._node.create_subscription(
            ros.Detection2DArray,
            f"{DRONE}/detections",
            self._on_result,
            qos.RESULTS,
        )
        self.stations: list[str] = []
        """Names of the nodes of the results."""
        self._node.create_subscription(
            ros.DiagnosticArray,
            f"{DRONE}/frame_info",
            lambda message: self.stations.append(message.status[0].name.partition(":")[0]),
            qos.RESULTS,
        )
        for name in self._words:
            self._start(name)

    def _on_result(self, message: ros.Detection2DArray) -> None:
        self.stamps.append(to_ns(message.header.stamp))
        self.came_s.append(time.monotonic())

    def _start(self, name: str) -> None:
        module = "ground_node" if name == SECOND else name
        command = [sys.executable, "-m", f"sc2_ros.nodes.{module}", "--ros-args"]
        command += self._words[name]
        environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
        self._running[name], self._up[name] = process, threading.Event()
        assert process.stderr is not None
        arguments = (process.stderr, SAYS.get(name, ""), self._up[name])
        threading.Thread(target=_watch, args=arguments, daemon=True).start()

    def wait(self, condition: Callable[[], Any], what: str) -> float:
        """Listen until a condition holds; the time then."""
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            if time.monotonic() > give_up:
                raise SystemExit(f"{what}: not within {DEADLINE_S:.0f} s")
            ros.spin_once(self._node, timeout_sec=0.005)
        return time.monotonic()

    def kill(self, name: str) -> dict[str, float]:
        """Kill a node in steady flight and start it again."""
        before = len(self.stamps)
        self.wait(lambda: len(self.stamps) >= before + STEADY, "steady results")
        killed_s, killed_ns = time.monotonic(), time.time_ns()
        self._running[name].kill()
        self._running[name].wait()
        self._start(name)
        up_s = self.wait(self._up[name].is_set, f"{name} up") - killed_s
        fresh_s = self.wait(lambda: self.stamps[-1] > killed_ns, f"results after {name}")
        return {"up_s": up_s, "result_s": fresh_s - killed_s}

    def hand_over(self) -> dict[str, float]:
        """Kill the ground node, wait for results of the second station, start it again."""
        name = "ground_node"
        self.wait(lambda: len(self.stamps) >= STEADY, "steady results")
        killed_s, killed_ns = time.monotonic(), time.time_ns()
        self._running[name].kill()
        self._running[name].wait()
        fresh_s = self.wait(lambda: self.stamps[-1] > killed_ns, "results of the second station")
        before = len(self.stamps)
        self.wait(lambda: len(self.stamps) >= before + STEADY, "steady results")
        before = len(self.stamps)
        self._start(name)
        self.wait(self._up[name].is_set, f"{name} up")
        self.wait(lambda: set(self.stations[-STEADY:]) == {name}, "the drone's return")
        came_s = self.came_s[before:]
        gaps = [later - earlier for earlier, later in pairwise(came_s)]
        return {"result_s": fresh_s - killed_s, "gap_s": max(gaps)}

    def end(self) -> None:
        """Stop all."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            process.wait()
        ros.try_shutdown()


def _watch(lines: IO[str], words: str, up: threading.Event) -> None:
    for line in lines:
        if words and words in line:
            up.set()


def main() -> None:
    """Kill each node in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="640x512")
    parser.add_argument("--fps", type=float, default=10.0)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--standby", action="store_true")
    parser.add_argument("--transport", choices=("topic", "udp"), default="topic")
    parser.add_argument("--sealed", action="store_true", help="with a key")
    parser.add_argument("--json", type=Path)
    args = parser.parse_args()
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", "83")
    rows: list[dict[str, Any]] = []
    with ExitStack() as stack:
        key_file = ""
        if args.sealed:
            key_file = str(Path(stack.enter_context(TemporaryDirectory())) / "air.key")
            new_key_file(Path(key_file))
        flight = Flight(
            args.size,
            args.fps,
            standby=args.standby,
            transport=args.transport,
            key_file=key_file,
        )
        stack.callback(flight.end)
        if args.standby:
            for _ in range(args.times):
                row = flight.hand_over()
                print(", ".join(f"{key} {value:.2f}" for key, value in row.items()), flush=True)
                rows.append(row)
            _write(args, rows)
            return
        rows = [
            {"node": name, **flight.kill(name)}
            for _ in range(args.times)
            for name in ("ground_node", "onboard_node")
        ]
    table = Table("killed", "up, median s", "result, median s", "result, worst s")
    for name in ("ground_node", "onboard_node"):
        up = [row["up_s"] for row in rows if row["node"] == name]
        result = [row["result_s"] for row in rows if row["node"] == name]
        medians = statistics.median(up), statistics.median(result), max(result)
        table.add_row(name, *(f"{value:.2f}" for value in medians))
    Console().print(table)
    _write(args, rows)


def _write(args: argparse.Namespace, rows: list[dict[str, Any]]) -> None:
    if args.json is not None:
        record = {"middleware": ros.MIDDLEWARE, "size": args.size, "fps": args.fps, "rows": rows}
        args.json.write_text(json.dumps(record, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
