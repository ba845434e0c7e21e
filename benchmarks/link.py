# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well the rate follows the link: the controller on simulated, standard and recorded links.

python benchmarks/link.py --scenario rfc8867-5.1 --json out/link.json
python benchmarks/link.py --scenario ../shared/data/traces/ATT-LTE-driving.up --mean-kbps 600
python benchmarks/link.py --scenario steady --controller fixed:800
python benchmarks/link.py --scenario rfc8867-5.1 --controller aiortc
python benchmarks/link.py --scenario all --traces ../shared/data/traces --figures docs/figures/link
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sc2_ros.errors import LinkSpecError, ParameterError
from sc2_ros.evaluation.link_peers import GccRate, JpegContent
from sc2_ros.evaluation.link_run import oracle_value, summarise
from sc2_ros.link.auto import PREFERENCES, AutoConfig, AutoRate
from sc2_ros.link.content import Content
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import BudgetRate, RateController, RateDecision
from sc2_ros.link.scenarios import SCENARIOS, find_scenario, play

MAX_KBPS = 20_000.0
TRACE_KBPS = (200.0, 600.0, 1000.0, 4000.0)
"""Mean rates to which recorded uplinks are scaled."""
CONTROLLERS = "sc2, fixed:KBPS, jpeg, aiortc"


class Timed:
    """A controller with a stop-watch of processor time, so that a busy machine does not count."""

    def __init__(self, rate: RateController) -> None:
        self.rate = rate
        self.seconds = 0.0
        self.frames = 0

    @property
    def state(self) -> Any:
        """What the controller tells of itself, if anything."""
        return getattr(self.rate, "state", None)

    def allowance(self, now_s: float) -> RateDecision:
        """Counts the frames."""
        begun_s = time.process_time()
        decision = self.rate.allowance(now_s)
        self.seconds += time.process_time() - begun_s
        self.frames += 1
        return decision

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """Passed on."""
        begun_s = time.process_time()
        self.rate.on_sent(size_bytes, now_s)
        self.seconds += time.process_time() - begun_s

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Passed on."""
        begun_s = time.process_time()
        self.rate.on_packet(frame, slice_number, size_bytes, now_s)
        self.seconds += time.process_time() - begun_s

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """Passed on."""
        begun_s = time.process_time()
        self.rate.on_feedback(feedback, now_s)
        self.seconds += time.process_time() - begun_s


def make_controller(text: str, prefer: str) -> RateController:
    """`sc2`, `fixed:KBPS`, `aiortc`, or `jpeg`: our controller, for frames that are JPEG.

    Raises:
        ParameterError: none of them, or aiortc is not installed.
    """
    if text in ("sc2", "jpeg"):
        return AutoRate(AutoConfig(max_kbps=MAX_KBPS, prefer=prefer))
    if text == "aiortc":
        return GccRate(MAX_KBPS)
    kind, _, kbps = text.partition(":")
    if kind == "fixed" and kbps.replace(".", "", 1).isdecimal() and float(kbps) > 0:
        return BudgetRate(float(kbps), 30)
    raise ParameterError(f"controller {text!r} is unknown; known: {CONTROLLERS}")


def measure(
    args: argparse.Namespace, name: str, mean_kbps: float | None
) -> tuple[dict[str, Any], Any]:
    """One scenario: its figures, and the run for a picture."""
    scenario = find_scenario(name, mean_kbps)
    controllers = [Timed(make_controller(args.controller, args.prefer)) for _ in scenario.starts_s]
    content = JpegContent() if args.controller == "jpeg" else None
    begun_s = time.process_time()
    run = play(
        scenario,
        controllers,
        seconds=args.seconds,
        seed=args.seed,
        mean_kbps=mean_kbps,
        content=content,
        fps=args.fps,
    )
    took_s = time.process_time() - begun_s
    row = summarise(run, scenario.name)
    if content is not None:  # a JPEG with a hole is lost, and the oracle may send better frames
        row["value"] = round(sum(content.value_of(log.frames) for log in run.logs), 4)
        row["value_of_oracle"] = oracle_value(replace(run, content=Content()))
    frames = sum(controller.frames for controller in controllers)
    row["controller_us"] = round(sum(c.seconds for c in controllers) / max(frames, 1) * 1e6, 1)
    row["controller"], row["seed"], row["mean_kbps"] = args.controller, args.seed, mean_kbps
    row["times_real"] = round(run.seconds / took_s)
    return row, run


def jobs(args: argparse.Namespace) -> list[tuple[str, float | None]]:
    """Scenarios and the mean rates to which their links are scaled.

    Raises:
        ParameterError: there are no traces in the folder.
    """
    if args.scenario != "all":
        return [(args.scenario, args.mean_kbps)]
    found: list[tuple[str, float | None]] = [(name, args.mean_kbps) for name in SCENARIOS]
    if args.traces is not None:
        traces = sorted(str(path) for path in args.traces.glob("*.up"))
        if not traces:
            raise ParameterError(f"{args.traces} holds no *.up traces")
        found += [(trace, kbps) for kbps in TRACE_KBPS for trace in traces]
    return found


def picture_of(row: dict[str, Any]) -> str:
    """File name of a run's picture."""
    name = Path(row["scenario"]).name.removesuffix(".up").replace("%", "")
    return f"{name}.png" if row["mean_kbps"] is None else f"{name}-{row['mean_kbps']:.0f}.png"


def line_of(row: dict[str, Any]) -> str:
    """One line for a person."""

    def show(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    queue, reaction, latency = row["queue_delay_ms"], row["reaction_s"], row["latency_ms"]
    gained = row["value"] / row["value_of_oracle"] if row["value_of_oracle"] else None
    return (
        f"{row['scenario'][:26]:26} {show(row['utilisation'], '6.1%'):>6} "
        f"{show(queue['p50'], '5.0f'):>5} {show(queue['p95'], '5.0f'):>5} "
        f"{show(row['own_loss'], '6.2%'):>6} "
        + " ".join(f"{show(reaction[k], '5.2f'):>5}" for k in ("drop", "drain", "rise", "recovery"))
        + f" {show(latency['p50'], '5.0f'):>5} {show(latency['p95'], '5.0f'):>5} "
        f"{row['frames_decoded']:6d}/{row['frames_sent']:<6d} {show(gained, '5.2f'):>5} "
        f"{row['controller_us']:5.0f} {row['times_real']:5d} "
        f"{'/'.join(f'{kbps:.0f}' for kbps in row['flows_kbps'] + row['tcp_kbps'])}"
    )


HEAD = (
    f"{'scenario':26} {'used':>6} {'q50':>5} {'q95':>5} {'lost':>6} {'drop':>5} {'drain':>5} "
    f"{'rise':>5} {'back':>5} {'lat50':>5} {'lat95':>5} {'shown':>6}/{'sent':6} {'value':>5} "
    f"{'us':>5} {'xreal':>5} kbit/s"
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--scenario", default="all", metavar="NAME|TRACE|LINK", help="default: all by name"
    )
    parser.add_argument(
        "--traces", type=Path, metavar="FOLDER", help="with all: its recorded uplinks as well"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--mean-kbps", type=float, metavar="R", help="scale the link to this mean")
    parser.add_argument("--controller", default="sc2", metavar="sc2|fixed:KBPS|jpeg|aiortc")
    parser.add_argument("--prefer", choices=PREFERENCES, default="accuracy")
    parser.add_argument("--seconds", type=float, metavar="S")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--figures", type=Path, metavar="FOLDER", help="draw each run there")
    args = parser.parse_args(argv)
    if args.list:
        for scenario in SCENARIOS.values():
            print(f"{scenario.name:20} {scenario.about}")
        return 0
    rows = []
    print(HEAD)
    try:
        for name, mean_kbps in jobs(args):
            row, run = measure(args, name, mean_kbps)
            rows.append(row)
            print(line_of(row), flush=True)
            if args.figures is not None:
                from sc2_ros.evaluation.link_figure import draw

                draw(run, row["scenario"], args.figures / picture_of(row))
        if args.figures is not None and args.scenario == "all":
            from sc2_ros.evaluation.link_figure import draw_grid

            draw_grid(rows, args.figures / "rfc8868.png")
    except (LinkSpecError, ParameterError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        result = rows if args.scenario == "all" else rows[0]
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
