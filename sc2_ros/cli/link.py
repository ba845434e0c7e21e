# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draw what the rate control would do on a link.

  sc2 link lte.up --mean-kbps 600
  sc2 link 1mbit>400kbit@20s,40ms,2% --seconds 60 --out out/steps.png
  sc2 link rfc8867-5.1

Simulated in a second or two, with frames of typical sizes and no network. LINK is a mahimahi trace,
a link description as for `sc2 replay`, or the name of a scenario of benchmarks/link.py.
"""

import argparse
from pathlib import Path

from sc2_ros.cli.api.checks import check_figure, check_fps, check_positive, check_seed
from sc2_ros.link.control.auto import PREFERENCES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("link", metavar="LINK", help="trace, link description or scenario")
    parser.add_argument("--mean-kbps", type=float, metavar="R", help="scale the link to this mean")
    parser.add_argument("--max-kbps", type=float, default=4000.0, metavar="R")
    parser.add_argument("--prefer", choices=PREFERENCES, default=PREFERENCES[0])
    parser.add_argument("--fps", type=float, default=30.0, metavar="N", help="of the camera")
    parser.add_argument("--seconds", type=float, metavar="S")
    parser.add_argument("--seed", type=int, default=0, help="of the link's luck (default: 0)")
    parser.add_argument("--out", type=Path, default=Path("out/link.png"), metavar="FILE")


def main(args: argparse.Namespace) -> int:
    """Simulate, draw, and say it in figures."""
    from sc2_ros.link.control.auto import AutoConfig, AutoRate
    from sc2_ros.link.sim.figure import draw
    from sc2_ros.link.sim.scenarios import find_scenario, play
    from sc2_ros.link.sim.summary import summarise

    check_positive(args, "mean_kbps", "max_kbps", "seconds")
    check_fps(args.fps)
    check_seed(args.seed)
    check_figure("--out", args.out)
    scenario = find_scenario(args.link, args.mean_kbps)
    config = AutoConfig(max_kbps=args.max_kbps, prefer=args.prefer)
    run = play(
        scenario,
        [AutoRate(config) for _ in scenario.starts_s],
        seconds=args.seconds,
        seed=args.seed,
        mean_kbps=args.mean_kbps,
        fps=args.fps,
    )
    draw(run, f"{scenario.name}: {scenario.about}", args.out)
    row = summarise(run, scenario.name)
    if row["utilisation"] is not None:
        print(f"used       {row['utilisation']:.0%} of what the link could carry")
    for name, found in (("queueing", row["queue_delay_ms"]), ("latency", row["latency_ms"])):
        if found["p50"] is not None:  # something arrived
            print(f"{name:<10} {found['p50']} ms median, {found['p95']} ms at the 95th percentile")
    print(f"frames     {row['frames_decoded']} shown of {row['frames_sent']} sent")
    print(f"figure     {args.out}")
    return 0
