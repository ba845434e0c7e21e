# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The live system for as long as you like, with faults: how soon it is back, and whether it grows.

    python benchmarks/soak.py --minutes 60 --json out/soak.json

Every 20 s something happens: the link stops for 3 s, carries a fifth for 8 s, two busy loops take
the processor for 8 s, and in the first third of the time the onboard or the ground node is stopped
or killed and started again. Measured are the seconds from the end of a fault (of a restart: from
when the node says that it is ready) to the first result of a picture that was taken after it, and
over the second half, when processes have warmed up since their last start, the slope of every
process's memory and the change of its threads. The exit status is 1 where results take longer than
2 s, or a process grows by 1 MB per hour in half an hour.
`--fps`, `--size` and `--faults` make a soak that leaves other work its share of the processor.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from rich.console import Console

from sc2_ros.cli import demo
from sc2_ros.cli.api.observer import RECORD, stamp_and_count
from sc2_ros.cli.api.processes import NodeProcesses, free_domain
from sc2_ros.media import result_bag
from sc2_ros.runtime.ros import Detection2DArray, Float64, Node, SingleThreadedExecutor, rclpy

GOOD, NARROW, GONE = "500kbit", "100kbit", "1kbit"
LEAST_BPS = 400e3
"""The emulator's rate is above it unless there is a fault."""
EVERY_S = 20.0
LENGTHS_S = {"outage": 3.0, "narrow link": 8.0, "busy processor": 8.0}
FAULTS = ("outage", "narrow link", "busy processor")
RESTARTS = (
    "restart of onboard_node", "restart of ground_node",
    "kill of onboard_node", "kill of ground_node",
)  # fmt: skip
"""Asked to end, and killed (SIGKILL)."""
READY = {"onboard_node": "images from", "ground_node": "packets from"}
"""What a node logs when it is active."""
LIMIT_S, LIMIT_MB_PER_H, LEAST_MINUTES = 2.0, 1.0, 30.0
SAMPLE_S = 2.0
BUSY = "while True: pass"


@dataclass
class Fault:
    """Something that happened; times in seconds from the first result on."""

    name: str
    begun_s: float
    is_felt: bool = False
    """Whether the emulator has been heard to carry less."""
    ended_s: float | None = None
    back_s: float | None = None
    """From the end to the first result of a picture taken after it, of one that met another from
    the later end."""


class Ear(Node):
    """Hears when results come, of pictures taken when."""

    def __init__(self) -> None:
        super().__init__("soak")
        self.results: list[tuple[float, float]] = []
        """(time of the result, time of the capture), seconds by the wall clock."""
        self.capacity_bps = 0.0
        self.create_subscription(
            Detection2DArray, result_bag.DETECTIONS, self._on_result, RECORD, raw=True
        )
        self.create_subscription(Float64, result_bag.CAPACITY, self._on_capacity, RECORD)

    def _on_result(self, cdr: bytes) -> None:
        self.results.append((time.time(), stamp_and_count(cdr)[0] / 1e9))

    def _on_capacity(self, message: Any) -> None:
        self.capacity_bps = message.data


class Soak:
    """A run with its faults."""

    def __init__(self, nodes: NodeProcesses, commands: dict[str, list[str]], ear: Ear) -> None:
        self.faults: list[Fault] = []
        self.samples: dict[tuple[str, int], list[tuple[float, float, int]]] = defaultdict(list)
        """(name, process number) -> (time, MB, threads)."""
        self._nodes, self._commands, self._ear = nodes, commands, ear
        self._zero_s = time.time()
        self._busy: list[subprocess.Popen[bytes]] = []

    @property
    def now_s(self) -> float:
        """Seconds since the first result."""
        return time.time() - self._zero_s

    def begin(self, name: str) -> None:
        """Let a fault happen; those of the link come by themselves."""
        fault = Fault(name, self.now_s)
        self.faults.append(fault)
        if name in RESTARTS:
            action, node = name.split(" of ")
            if action == "kill":
                self._process(node).kill()
            self._nodes.stop(node)
            self._nodes.start(node, self._commands[node])
        elif name == "busy processor":
            command = [sys.executable, "-c", BUSY]
            self._busy = [subprocess.Popen(command) for _ in range(os.cpu_count() or 1)]

    def step(self) -> None:
        """See whether the present fault is over, and whether results are back after it."""
        last = self.faults[-2:]
        for fault in last:
            if fault.ended_s is None and self._is_over(fault):
                fault.ended_s = self.now_s
        if any(fault.ended_s is None for fault in last):
            return  # a slow start has met the next fault: both are over with the later of them
        for fault in last:
            if fault.back_s is None:
                end_s = max(other.ended_s or 0.0 for other in last) + self._zero_s
                after = [come for come, taken in self._ear.results[-50:] if taken >= end_s]
                if after:
                    fault.back_s = after[0] - end_s

    def _is_over(self, fault: Fault) -> bool:
        if fault.name in RESTARTS:
            node = fault.name.split(" of ")[1]
            return READY[node] in self._nodes.log(node).read_text("utf-8", "replace")
        if fault.name == "busy processor":
            if self.now_s < fault.begun_s + LENGTHS_S[fault.name]:
                return False
            for process in self._busy:
                process.kill()
                process.wait()
            self._busy = []
            return True
        # The link's own steps: they begin and end when the emulator says so.
        fault.is_felt = fault.is_felt or self._ear.capacity_bps < LEAST_BPS
        return fault.is_felt and self._ear.capacity_bps > LEAST_BPS

    def _process(self, node: str) -> psutil.Process:
        pids = {row["name"]: row["pid"] for row in self._nodes.rows()}
        return psutil.Process(int(str(pids[node])))

    def sample(self) -> None:
        """Note memory and threads of all processes."""
        for row in self._nodes.rows():
            process = psutil.Process(int(str(row["pid"])))
            key = str(row["name"]), process.pid
            rss_mb = process.memory_info().rss / 1e6
            self.samples[key].append((self.now_s, rss_mb, process.num_threads()))

    def close(self) -> None:
        """End what still runs."""
        for process in self._busy:
            process.kill()
            process.wait()


def plan(minutes: float, among: Sequence[str]) -> list[tuple[float, str]]:
    """(time, name) of the faults, seconds from the first result on."""
    seconds = 60 * minutes
    faults = []
    for number, time_s in enumerate(np.arange(10.0, seconds - EVERY_S, EVERY_S)):
        names = (*among, *RESTARTS) if time_s < seconds / 3 else among
        faults.append((float(time_s), names[number % len(names)]))
    return faults


def link_of(faults: list[tuple[float, str]], offset_s: float) -> str:
    """The link with its faults as steps of its rate, the emulator having begun so much earlier."""
    steps = [GOOD]
    for time_s, name in faults:
        rate = {"outage": GONE, "narrow link": NARROW}.get(name)
        if rate is not None:
            start_s = time_s + offset_s
            steps += [f"{rate}@{start_s:.1f}s", f"{GOOD}@{start_s + LENGTHS_S[name]:.1f}s"]
    return ">".join(steps) + ",40ms,2%"


def growth(samples: list[tuple[float, float, int]], since_s: float) -> dict[str, Any] | None:
    """Slope of the memory in MB per hour and change of the threads, from a time on."""
    rows = [row for row in samples if row[0] >= since_s]
    if len(rows) < 10:
        return None
    times, sizes, threads = (np.array(column, float) for column in zip(*rows, strict=True))
    slope = float(np.polyfit(times, sizes, 1)[0] * 3600)
    return {
        "mb_per_h": round(slope, 2),
        "mb": round(float(sizes[-1]), 1),
        "threads": float(threads[-1]),
        "more_threads": float(threads[-1] - threads[0]),
        "minutes": round((times[-1] - times[0]) / 60, 1),
        "each_minute_mb": [round(float(size), 1) for size in sizes[:: round(60 / SAMPLE_S)]],
    }


def run(minutes: float, out: Path, camera: Sequence[str], among: Sequence[str]) -> dict[str, Any]:
    """Fly, and what came of it."""
    faults = plan(minutes, among)
    parser = argparse.ArgumentParser()
    demo.add_arguments(parser)
    lead_s = 40.0  # what the nodes need to load, and more: the emulator is started last
    args = parser.parse_args(["--out", str(out), "--seconds", "20", *camera])
    environment = {
        "ROS_DOMAIN_ID": str(free_domain()),
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    console = Console()
    out.mkdir(parents=True, exist_ok=True)
    with (
        NodeProcesses(out / "logs", environment) as nodes,
        demo.camera_input(args, console) as clip,
    ):
        args.link = link_of(faults, lead_s)
        commands = demo.commands(args, clip, args.max_kbps or 4000.0)
        os.environ.update(environment)
        rclpy.init(args=[])
        ear = Ear()
        executor = SingleThreadedExecutor()
        executor.add_node(ear)
        for name, arguments in commands.items():
            nodes.start(name, arguments)
        try:
            begun_s = 0.0
            while not begun_s:
                executor.spin_once(timeout_sec=0.1)
                nodes.check()
                if ear.capacity_bps and not begun_s and ear.results:
                    begun_s = time.time()
            return _fly(nodes, commands, ear, executor, faults, minutes, lead_s)
        finally:
            executor.shutdown()
            ear.destroy_node()
            rclpy.try_shutdown()


def _fly(
    nodes: NodeProcesses, commands: dict[str, list[str]], ear: Ear,
    executor: SingleThreadedExecutor, faults: list[tuple[float, str]], minutes: float,
    lead_s: float,
) -> dict[str, Any]:  # fmt: skip
    emulator = next(row for row in nodes.rows() if row["name"] == "link_emulator_node")
    # The emulator's time began when it was made, half a second after its process.
    made_s = psutil.Process(int(str(emulator["pid"]))).create_time() + 0.5
    while time.time() < made_s + lead_s:
        executor.spin_once(timeout_sec=0.1)
    soak = Soak(nodes, commands, ear)
    soak._zero_s = made_s + lead_s
    waiting, sampled_s = list(faults), 0.0
    try:
        while soak.now_s < 60 * minutes:
            executor.spin_once(timeout_sec=0.05)
            nodes.check()
            if waiting and soak.now_s >= waiting[0][0]:
                soak.begin(waiting.pop(0)[1])
            soak.step()
            if soak.now_s > sampled_s + SAMPLE_S:
                sampled_s = soak.now_s
                soak.sample()
    finally:
        soak.close()
    since_s = 60 * minutes / 2
    zero_s = soak._zero_s
    late = [come - taken for come, taken in ear.results if come > zero_s]
    return {
        "minutes": minutes,
        "results_per_s": round(len(late) / (60 * minutes), 2),
        "latency_ms": {f"p{p}": round(float(np.percentile(late, p)) * 1e3) for p in (50, 95, 99)},
        "faults": [asdict(fault) for fault in soak.faults],
        "back_s": _by_name(soak.faults),
        "processes": {
            name: found
            for (name, _), rows in soak.samples.items()
            if (found := growth(rows, since_s)) is not None
        },
    }


def _by_name(faults: list[Fault]) -> dict[str, dict[str, float | int]]:
    """Of each kind of fault, how often it was and the median and the longest way back."""
    found: dict[str, list[float]] = defaultdict(list)
    for fault in faults:
        found[fault.name].append(float("inf") if fault.back_s is None else fault.back_s)
    return {
        name: {
            "count": len(times),
            "median": round(float(np.median(times)), 2),
            "longest": round(max(times), 2),
        }
        for name, times in found.items()
    }


def main(argv: list[str] | None = None) -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=60.0, metavar="N")
    parser.add_argument("--fps", type=float, default=demo.FLIGHT_FPS, metavar="N")
    parser.add_argument("--size", default="640x480", metavar="WxH")
    parser.add_argument(
        "--faults", default=",".join(FAULTS), metavar="NAME,...", help="default: %(default)s"
    )
    parser.add_argument("--out", type=Path, default=Path("out/soak"))
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args(argv)
    among = args.faults.split(",")
    if unknown := set(among) - set(FAULTS):
        parser.error(f"--faults {unknown} unknown; known: {', '.join(FAULTS)}")
    camera = ["--fps", str(args.fps), "--size", args.size]
    report = run(args.minutes, args.out, camera, among)
    for name, times in report["back_s"].items():
        median_s, longest_s = times["median"], times["longest"]
        print(
            f"{name}: {times['count']} times, back after {median_s:.2f} s, at most {longest_s:.2f}"
        )
    for name, found in report["processes"].items():
        grown = f"{found['mb_per_h']:+.1f} MB/h, {found['more_threads']:+.0f} threads"
        print(f"{name}: {found['mb']:.0f} MB, {grown} in {found['minutes']:.0f} minutes")
    print(f"{report['results_per_s']} results/s, latency {report['latency_ms']} ms")
    if args.json:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    is_late = any(times["longest"] > LIMIT_S for times in report["back_s"].values())
    grows = args.minutes >= LEAST_MINUTES and any(
        found["mb_per_h"] > LIMIT_MB_PER_H or found["more_threads"] > 0
        for found in report["processes"].values()
    )
    return int(is_late or grows)


if __name__ == "__main__":
    sys.exit(main())
