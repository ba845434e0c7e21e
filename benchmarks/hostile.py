# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a stranger without a key does to a flight over an open link.

    python benchmarks/hostile.py --json benchmarks/results/hostile.json

Directed: one genuine packet with one lie in it (helpers/hostile_attacks.py). `outage_s` is the
longest time without a genuine result, `disturbed_s` the time until every frame is again shown as,
and at the size at which, it is in the same flight without that packet. Each defence is switched
off in turn, against the attacks that it is there for: it has to show.
Single: one packet or report with random lies, then the longest time without a result.
Flood: forged packets and reports beside the genuine ones, a hundred times as many: processor time
of each at its end, and by how much memory grows. The exit status is 1 where a single packet costs
more than two seconds, the flood more than 16 MB, or a defence makes no difference.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import sys
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "test"))

from helpers.hostile_attacks import ATTACKS, DEFENCES, Attack
from hostile import Flight, forge, forge_report

MOST_S = 2.0
MOST_GROWTH_MB = 16.0
PER_STEP = 100
BEFORE_S, AFTER_S = 4.0, 12.0


def directed_report() -> dict[str, Any]:
    """Every attack with all defences, and each defence's attacks without it."""
    attacks = {name: effect(attack) for name, attack in ATTACKS.items()}
    defences = {}
    for name, defence in DEFENCES.items():
        with defence.switched_off():
            without = [effect(ATTACKS[one]) for one in defence.against]
        defences[name] = {
            "with_s": max(attacks[one]["disturbed_s"] for one in defence.against),
            "without_s": max(one["disturbed_s"] for one in without),
            "longest_outage_without_s": max(one["outage_s"] for one in without),
        }
        print(f"{name}: {defences[name]}", flush=True)
    return {"attacks": attacks, "defences": defences}


def flown(attack: Attack, *, sent: bool) -> Flight:
    """A flight with an attack in its midst, or what it would have been without."""
    flight = Flight("auto")
    flight.fly(BEFORE_S)
    attack.before(flight)
    if sent:
        attack.send(flight)
    flight.fly(AFTER_S)
    return flight


@cache
def undisturbed(before: Callable[[Flight], None]) -> Flight:
    """Flights without an attack, one for each beginning."""
    return flown(Attack(before, before), sent=False)


def effect(attack: Attack) -> dict[str, float]:
    """What one packet does to a flight."""
    flight, other = flown(attack, sent=True), undisturbed(attack.before)
    since_s = flight.now_s - AFTER_S
    return {
        "outage_s": round(flight.longest_gap_s(since_s), 2),
        "disturbed_s": round(max(0.0, last_difference_s(flight, other) - since_s), 2),
    }


def last_difference_s(flight: Flight, other: Flight) -> float:
    """When a frame was last shown otherwise, or a second had a fifth more or fewer bytes."""
    shown = [{one[1]: one for one in both.results} for both in (flight, other)]
    times = [0.0]
    for stamp in shown[0].keys() | shown[1].keys():
        mine, others = (results.get(stamp) for results in shown)
        if mine is None or others is None or mine[2:] != others[2:]:
            times += [one[0] for one in (mine, others) if one is not None]
    start_s = flight.now_s - AFTER_S
    for second in range(round(AFTER_S)):
        sizes = [
            sum(size for at_s, size in both.sent.items() if 0 <= at_s - start_s - second < 1)
            for both in (flight, other)
        ]
        if not 0.8 <= sizes[0] / max(sizes[1], 1) <= 1.2:
            times.append(start_s + second + 1)
    return max(times)


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
    parser.add_argument("--only-directed", action="store_true", help="neither random nor flood")
    parser.add_argument("--json", type=Path, help="write the figures here")
    args = parser.parse_args()
    report = {"directed": directed_report()}
    for name, found in report["directed"]["attacks"].items():
        print(f"{name}: {found}")
    if args.only_directed:
        return verdict(report)
    report |= {"single": single_report(args.single, args.seed)}
    print("one hostile packet:", report["single"])
    report["flood"] = flood_report(args.flood, args.seed)
    print("flood:", report["flood"])
    if args.json:
        args.json.write_text(json.dumps(report, indent=1) + "\n")
    return verdict(report)


def verdict(report: dict[str, Any]) -> int:
    """The exit status."""
    directed = report["directed"]
    slow = [one for one in directed["attacks"].values() if one["disturbed_s"] > MOST_S]
    idle = [one for one in directed["defences"].values() if one["without_s"] <= one["with_s"]]
    if "single" in report:
        slow += [gap_s for gap_s in report["single"]["longest_s"].values() if gap_s > MOST_S]
    grew_mb = report.get("flood", {}).get("memory_grew_mb", 0.0)
    return int(bool(slow or idle) or grew_mb > MOST_GROWTH_MB)


if __name__ == "__main__":
    sys.exit(main())
