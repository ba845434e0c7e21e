# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stranger without a key does to a flight over an open link.

    python benchmarks/hostile.py --json benchmarks/results/hostile.json

Single: one forged packet or report, made of genuine ones, then the longest time without a result.
Flood: forged packets and reports beside the genuine ones, a hundred times as many: processor time
of each at its end, and by how much memory grows. The exit status is 1 where a single packet costs
more than two seconds, or the flood more than 16 MB.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test"))

from hostile import Flight, forge, forge_report

MOST_S = 2.0
MOST_GROWTH_MB = 16.0
PER_STEP = 100


def single_report(count: int, seed: int) -> dict[str, Any]:
    """Longest time without a result after one hostile packet, over `count` of them."""
    longest: dict[str, float] = {}
    for number in range(count):
        rng = random.Random(seed + number)
        mode = ("auto", "fixed")[number % 2]
        if number % 40 < 2:  # a flight each; 20 packets to each of them
            flights = {"auto": Flight("auto"), "fixed": Flight("fixed")}
            for one in flights.values():
                one.fly(3.0)
        flight = flights[mode]
        flight.fly(rng.random() * 0.2)
        since_s = flight.now_s
        kind = number // 2 % 3
        if kind == 0:
            flight.to_ground(forge(rng.choice(flight.down[-30:]), rng))
        else:
            forger = (forge, forge_report)[kind - 1]
            flight.to_drone(forger(rng.choice(flight.up[-30:]), rng))
        flight.fly(MOST_S + 0.5)
        name = f"{mode}, to the {'drone' if kind else 'ground'}"
        longest[name] = max(longest.get(name, 0.0), flight.longest_gap_s(since_s))
    return {"packets": count, "longest_s": {key: round(longest[key], 2) for key in sorted(longest)}}


def flood_report(count: int, seed: int) -> dict[str, Any]:
    """Processor time and memory of `count` forged packets and reports while a drone flies."""
    rng = random.Random(seed)
    flight = Flight("auto")
    flight.fly(10.0)
    spent = {"ground": 0.0, "drone": 0.0}
    genuine = list(flight.down[-60:]), list(flight.up[-60:])
    before_mb = memory_mb()
    for _ in range(count // (2 * PER_STEP)):
        forged = [forge(rng.choice(genuine[0]), rng) for _ in range(PER_STEP)]
        start_s = time.thread_time()
        for packet in forged:
            flight.to_ground(packet)
        spent["ground"] += time.thread_time() - start_s
        forged = [forge_report(rng.choice(genuine[1]), rng) for _ in range(PER_STEP)]
        start_s = time.thread_time()
        for packet in forged:
            flight.to_drone(packet)
        spent["drone"] += time.thread_time() - start_s
        flight.fly(0.02)
        if len(flight.down) > 200:
            genuine = flight.down[-60:], flight.up[-60:]
            for kept in (flight.down, flight.up, flight.results):
                del kept[:-60]
            flight.sent.clear()
    return {
        "packets": count,
        "us_each": {end: round(seconds / (count / 2) * 1e6, 1) for end, seconds in spent.items()},
        "memory_grew_mb": round(memory_mb() - before_mb, 1),
    }


def memory_mb() -> float:
    """Most memory that the process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--single", type=int, default=1200, help="flights' hostile packets")
    parser.add_argument("--flood", type=int, default=1_000_000, help="packets of the flood")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    report = {"single": single_report(args.single, args.seed)}
    print("one hostile packet:", report["single"])
    report["flood"] = flood_report(args.flood, args.seed)
    print("flood:", report["flood"])
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    slow = max(report["single"]["longest_s"].values()) > MOST_S
    return int(slow or report["flood"]["memory_grew_mb"] > MOST_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
