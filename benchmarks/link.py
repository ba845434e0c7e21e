# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How well the rate follows the link: the controller on simulated, standard and recorded links.

python benchmarks/link.py --scenario rfc8867-5.1 --json out/link.json
python benchmarks/link.py --scenario ../shared/data/traces/ATT-LTE-driving.up --mean-kbps 600
python benchmarks/link.py --scenario steady --controller fixed:800
python benchmarks/link.py --scenario rfc8867-5.1 --controller aiortc
python benchmarks/link.py --scenario all --seeds 3 --traces ../shared/data/traces --json link.json

Frames of scenarios are modelled so that they fill the link; bytes and value of those on a recorded
uplink are by the value curve of a checkpoint's card. With several seeds the figures are those of
the first, `seeds` tells their median and worst.
"""

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from helpers.link_oracle import OracleRate
from helpers.link_peers import GccRate, JpegContent
from helpers.link_timed import Timed

from sc2_ros import checkpoint as checkpoints
from sc2_ros.errors import ParameterError, Sc2Error
from sc2_ros.link.control.auto import PREFERENCES, AutoConfig, AutoRate
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.link.rate import BudgetRate, RateController
from sc2_ros.link.sim.content import Content, Curve
from sc2_ros.link.sim.scenarios import SCENARIOS, Run, Scenario, find_scenario, play
from sc2_ros.link.sim.summary import summarise

MAX_KBPS = 20_000.0
CHECKPOINT = Path(__file__).resolve().parent.parent / "models" / "default.safetensors"
SEVERAL = ("all", "uplinks")
TRACE_KBPS = (200.0, 600.0, 1000.0, 4000.0)
"""Mean rates to which recorded uplinks are scaled."""
CONTROLLERS = "sc2, fixed:KBPS, jpeg, aiortc"


def card_curve(path: Path) -> Curve:
    """The value curve in a checkpoint's card.

    Raises:
        ParameterError: it has none.
    """
    rows = checkpoints.read(path).card.get("value_curve")
    if not rows:
        raise ParameterError(
            f"the card of {path} has no value curve; write one: sc2 evaluate --write-value-curve"
        )
    return tuple((int(code), float(size), float(value)) for code, size, value in rows)


def make_controller(text: str, prefer: str, content: Content) -> RateController:
    """`sc2`, `fixed:KBPS`, `aiortc`, or `jpeg`: our controller, for frames that are JPEG.

    Raises:
        ParameterError: none of them, or aiortc is not installed.
    """
    if text in ("sc2", "jpeg"):
        # The model's frames fill any link, which is what its scenarios are about: all bytes pay.
        return AutoRate(AutoConfig(MAX_KBPS, prefer, ValueCurve(content.curve)))
    if text == "aiortc":
        return GccRate(MAX_KBPS)
    kind, _, kbps = text.partition(":")
    if kind == "fixed" and kbps.replace(".", "", 1).isdecimal() and float(kbps) > 0:
        return BudgetRate(float(kbps), 30)
    raise ParameterError(f"controller {text!r} is unknown; known: {CONTROLLERS}")


def content_of(args: argparse.Namespace, name: str) -> Content:
    """What is sent: JPEG, or by default on a recorded uplink the checkpoint's frames."""
    if args.controller == "jpeg":
        return JpegContent()
    kind = args.content or ("card" if Path(name).is_file() else "model")
    return Content(curve=card_curve(args.checkpoint)) if kind == "card" else Content()


def measure(
    args: argparse.Namespace, name: str, mean_kbps: float | None, seed: int
) -> tuple[dict[str, Any], Any]:
    """One scenario: its figures, and the run for a picture."""
    scenario = find_scenario(name, mean_kbps)
    content = content_of(args, name)
    controllers = [
        Timed(make_controller(args.controller, args.prefer, content)) for _ in scenario.starts_s
    ]
    options: dict[str, Any] = {
        "seconds": scenario.seconds if args.seconds is None else args.seconds,
        "seed": seed,
        "mean_kbps": mean_kbps,
        "fps": args.fps,
    }
    begun_s = time.process_time()
    run = play(scenario, controllers, content=content, **options)
    took_s = time.process_time() - begun_s
    row = summarise(run, scenario.name)
    if isinstance(content, JpegContent):  # a JPEG with a hole is lost
        row["value"] = round(content.value_of(run.logs[0].frames), 4)
    frames = sum(controller.frames for controller in controllers)
    row["controller_us"] = round(sum(c.seconds for c in controllers) / max(frames, 1) * 1e6, 1)
    row["controller"], row["seed"], row["mean_kbps"] = args.controller, seed, mean_kbps
    row["content"] = "card" if content.curve else type(content).__name__
    if content.curve:
        row["checkpoint"] = f"{checkpoints.read(args.checkpoint).id:08x}"
    row["times_real"] = round(run.seconds / took_s)
    if content.curve or seed == args.seed:
        row["oracle"] = oracle_row(run, scenario, options)
    return row, run


def oracle_row(run: Run, scenario: Scenario, options: dict[str, Any]) -> dict[str, Any] | None:
    """The same for one who knows the link; none where others share it, or it has no limit.

    Where frames are JPEG, the oracle sends ours all the same.
    """
    spec = run.link.spec
    if len(run.logs) > 1 or run.tcp or math.isinf(spec.mean_bps):
        return None
    content = Content() if isinstance(run.content, JpegContent) else run.content
    rate = OracleRate(spec, options["seed"], content, run.fps, run.seconds)
    row = summarise(play(scenario, [rate], content=content, **options), scenario.name)
    kept = ("value", "utilisation", "queue_delay_ms", "latency_ms", "frames_sent", "frames_shown")
    return {key: row[key] for key in kept}


def gain_of(row: dict[str, Any]) -> float | None:
    """Value as a share of the oracle's."""
    return row["value"] / row["oracle"]["value"] if row.get("oracle") else None


def spread(rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Median and worst of the figures that have a floor, over the seeds."""
    figures: dict[str, list[float | None]] = {
        "utilisation": [row["utilisation"] for row in rows],
        "queue_p95_ms": [row["queue_delay_ms"]["p95"] for row in rows],
        "own_loss": [row["own_loss"] for row in rows],
        "latency_p95_ms": [row["latency_ms"]["p95"] for row in rows],
        "value_of_oracle": [gain_of(row) for row in rows],
        **{f"{key}_s": [row["reaction_s"][key] for row in rows] for key in rows[0]["reaction_s"]},
    }
    found: dict[str, dict[str, float | None]] = {}
    for name, values in figures.items():
        known = [value for value in values if value is not None]
        if not known:
            continue
        is_more_better = name in ("utilisation", "value_of_oracle")
        found[name] = {
            "median": round(statistics.median(known), 4),
            "worst": round(min(known) if is_more_better else max(known), 4),
        }
    return found


def jobs(args: argparse.Namespace) -> list[tuple[str, float | None]]:
    """Scenarios and the mean rates to which their links are scaled.

    Raises:
        ParameterError: there are no traces in the folder.
    """
    if args.scenario not in SEVERAL:
        return [(args.scenario, args.mean_kbps)]
    if args.scenario == "uplinks" and args.traces is None:
        raise ParameterError("--scenario uplinks needs --traces FOLDER")
    found: list[tuple[str, float | None]] = []
    if args.scenario == "all":
        found += [(name, args.mean_kbps) for name in SCENARIOS]
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
    gained = gain_of(row)
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
        "--scenario",
        default="all",
        metavar="NAME|TRACE|LINK",
        help="default: all by name; uplinks: those of --traces",
    )
    parser.add_argument(
        "--traces", type=Path, metavar="FOLDER", help="with all and uplinks: its recorded uplinks"
    )
    parser.add_argument("--list", action="store_true", help="name the scenarios")
    parser.add_argument("--mean-kbps", type=float, metavar="R", help="scale the link to this mean")
    parser.add_argument("--controller", default="sc2", metavar="sc2|fixed:KBPS|jpeg|aiortc")
    parser.add_argument("--prefer", choices=PREFERENCES, default="accuracy")
    parser.add_argument("--seconds", type=float, metavar="S")
    parser.add_argument("--fps", type=float, default=30.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="so many from --seed on")
    parser.add_argument(
        "--content", choices=("model", "card"), help="bytes and value of frames (see above)"
    )
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT, help="whose card is meant")
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
            row, run = measure(args, name, mean_kbps, args.seed)
            print(line_of(row), flush=True)
            others = [
                measure(args, name, mean_kbps, args.seed + number)[0]
                for number in range(1, args.seeds)
            ]
            if others:
                row["seeds"] = {"count": args.seeds, **spread([row, *others])}
            rows.append(row)
            if args.figures is not None:
                from sc2_ros.link.sim.figure import draw

                draw(run, row["scenario"], args.figures / picture_of(row))
        if args.figures is not None and args.scenario == "all":
            from helpers.link_grid import draw_grid

            draw_grid(rows, args.figures / "rfc8868.png")
    except Sc2Error as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    if args.json is not None:
        args.json.parent.mkdir(parents=True, exist_ok=True)
        result = rows if args.scenario in SEVERAL else rows[0]
        args.json.write_text(json.dumps(result, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
