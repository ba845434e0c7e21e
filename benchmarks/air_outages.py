# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long the air link takes to carry frames and reports again, over the kernel's networking.

    sudo python benchmarks/air_outages.py --json benchmarks/results/air_outages.json

Two network namespaces and a router between them. Measured from the moment that the link is back
(or the end has been started again) until a report on a frame that was sent after it is at the
drone, at 20 frames a second; at most 1 s is asked for, the exit status is 1 where it takes longer.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from air_flight import Flight, Namespaces, why_not
from helpers.program import exit_with

from sc2_ros.errors import Sc2Error
from sc2_ros.link.air.key import new_key_file

LIMIT_S = 1.0


def main() -> int:
    """Measure every case, print, judge."""
    args = _parse_arguments()
    if reason := why_not():
        raise Sc2Error(f"this benchmark cannot run here: {reason}")
    net = Namespaces()
    try:
        with tempfile.TemporaryDirectory() as folder:
            key_file = Path(folder) / "air.key"
            new_key_file(key_file)
            idle = idle_bytes(net, str(key_file), args.idle)
            report = measure(net, str(key_file), args.outages, args.repeats)
    finally:
        net.close()
    print(f"idle for {args.idle:g} s: {idle} bytes both ways")
    for name, seconds in report.items():
        print(f"{name}: back after {', '.join(f'{one:.2f}' for one in seconds)} s")
    if args.json:
        found = {"idle": {"seconds": args.idle, "bytes": idle}, "outages": report}
        args.json.write_text(json.dumps(found, indent=1) + "\n")
    return int(any(one > LIMIT_S for seconds in report.values() for one in seconds))


def measure(
    net: Namespaces, key_file: str, outages: list[float], repeats: int
) -> dict[str, list[float]]:
    """Seconds until traffic was back, of every case."""

    def outage(flight: Flight, seconds: float) -> None:
        net.cut()
        flight.fly(seconds)
        net.mend()

    def restart(flight: Flight, who: str) -> None:
        getattr(flight, who).stop()
        getattr(flight, f"start_{who}")()

    def address(flight: Flight) -> None:
        net.move_drone(3)

    def mapping(flight: Flight) -> None:
        net.move_router(9)

    cases: dict[str, Callable[[Flight], None]] = {
        f"link down {seconds:g} s": lambda flight, s=seconds: outage(flight, s)
        for seconds in outages
    }
    cases |= {f"{who} restarted": lambda f, who=who: restart(f, who) for who in ("drone", "ground")}
    cases |= {"drone's address changed": address, "NAT mapping changed": mapping}
    report: dict[str, list[float]] = {}
    net.translate(False)
    for name, change in cases.items():
        net.translate(name.startswith("NAT"))
        for _ in range(repeats):
            flight = Flight(net, key_file)
            flight.seconds_until_it_flows()
            flight.fly(0.5)
            change(flight)
            report.setdefault(name, []).append(round(flight.seconds_until_it_flows(), 3))
            flight.stop()
            net.move_drone(2)
            net.move_router(1)
    net.translate(False)
    return report


def idle_bytes(net: Namespaces, key_file: str, seconds: float) -> int:
    """Bytes on both cables, Ethernet's headers and ARP included, of a pair that sends nothing."""
    flight = Flight(net, key_file)
    flight.seconds_until_it_flows()
    before = [net.counters(end)[0] for end in ("drone", "ground")]
    time.sleep(seconds)
    after = [net.counters(end)[0] for end in ("drone", "ground")]
    flight.stop()
    return sum(after) - sum(before)


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--outages", type=float, nargs="*", default=[5, 15, 60], help="seconds")
    parser.add_argument("--idle", type=float, default=60, help="seconds of idleness")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here")
    return parser.parse_args()


if __name__ == "__main__":
    exit_with(main)
