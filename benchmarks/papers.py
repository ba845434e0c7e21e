# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The four papers side by side: the same data, the same teacher, wire bytes, in one table.

    python benchmarks/papers.py --train --steps-each 600 --tasks chips      # teacher, then students
    python benchmarks/papers.py --train --minutes-each 20 --tasks chips,camvid,hituav
    python benchmarks/papers.py     # table and figures again

Checkpoints go to RUNS/TASK/SYSTEM/SETTING; a run that was stopped goes on, one that is finished
with the same configuration is not trained anew, and rows of checkpoints already measured are taken
from the JSON. Writes benchmarks/results/papers.json, docs/recipes/results.md and figures of each
task, docs/figures/papers_TASK*.png.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Any

import torch
from helpers.papers_figure import draw_curves, draw_front, draw_trade_off
from helpers.papers_plan import (
    LATER,
    OWN_STREAM,
    PICTURES,
    RATES,
    SEARCH,
    STUDENTS,
    TASKS,
    TEACHER,
    WHOLE,
    label,
)
from helpers.papers_report import compare, key, read, table
from helpers.papers_row import row_of
from torch import nn

from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.errors import Sc2Error
from sc2_ros.evaluation.systems.split_system import SplitSystem, parts_on_board
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.evaluation.systems.system import PacketSystem
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.config import RunOptions, TrainConfig, data_root
from sc2_ros.training.recipes import recipe
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.trainer import TrainerConfig

ROOT = Path(__file__).parent.parent


def main() -> int:
    """Train what is missing and wanted, measure what is not known, compare, draw."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    report = read(args.out)
    for name in args.tasks.split(","):
        if name not in TASKS:
            raise SystemExit(f"error: no task '{name}'; known are {', '.join(TASKS)}")
        if args.train:
            _train(name, args, report)
        _measure(name, args, report)
    _write(report, args)
    return 0


def _train(name: str, args: argparse.Namespace, report: dict[str, Any]) -> None:
    """The teacher, then one rate of every system after the other, measured as they come."""
    teacher = args.runs / name / "teacher" / "labels" / "checkpoint.safetensors"
    if args.teacher is None:
        _run(name, "teacher", "teacher", {}, args, TEACHER, start=TASKS[name].init)
    elif args.teacher != teacher:
        teacher.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(args.teacher, teacher)
    wanted = args.systems.split(",") if args.systems else list(STUDENTS)
    if TASKS[name].task != "segmentation" and OWN_STREAM in wanted:
        wanted.remove(OWN_STREAM)  # the shipped one is measured; it does not classify
    for number in args.points:
        for system in wanted:
            kind, curve = STUDENTS[system]
            if number >= len(curve):
                continue
            if system == OWN_STREAM:
                start = f"{args.checkpoint},{teacher}"  # gains of the one, networks of the other
                _run(name, system, kind, curve[0], args, WHOLE, teacher, start)
                _measure(name, args, report, only=system)
                continue
            before = None
            if number and not system.endswith("channel_reduction"):  # its points differ in shape
                before = args.runs / name / system / label(curve[number - 1])
            known = before is not None and (before / "checkpoint.safetensors").is_file()
            start = f"{before}/checkpoint.safetensors" if known else None
            length = LATER if known else 1.0
            _run(name, system, kind, curve[number], args, length, teacher, start)
            _measure(name, args, report, only=system)
            _write(report, args)
    for settings in SEARCH if args.search else ():
        _run(name, "rate_estimator_search", "rate_estimator", settings, args, LATER, teacher)
        _measure(name, args, report, only="rate_estimator_search")
        _write(report, args)


def _run(
    name: str,
    system: str,
    kind: str,
    settings: dict[str, Any],
    args: argparse.Namespace,
    length: float,
    teacher: Path | None = None,
    start: str | None = None,
) -> Path:
    """One training, unless it is finished; returns its checkpoint.

    length: in students' steps or minutes; start: what it begins with (--init), of a student only
    the bottleneck; without a teacher it is one.
    """
    task = TASKS[name]
    folder: Path = args.runs / name / system / (label(settings) or "labels")
    scales = {"scale_min": task.scale[0], "scale_max": task.scale[1]}
    path = _located(task.data, args.data)
    minutes = {} if args.minutes_each is None else {"max_minutes": args.minutes_each * length}
    steps = round((args.steps_each or 1_000_000) * length)
    if kind == "teacher":
        steps = args.teacher_steps or steps
        settings = {"task": task.task, "backbone": task.backbone}
    config = TrainConfig(
        out=str(folder),
        sources=(
            SourceConfig(path, per_batch=task.batch * (2 if teacher is None else 1), **scales),
        ),
        augment=AugmentConfig(crop=task.crop),
        trainer=TrainerConfig(
            max_steps=steps,
            optimizer="adamw" if teacher is None else "muon",
            lr=args.lr * (1 if teacher is None else 2),
            ema=0.995,
            **minutes,
        ),
        teacher=None if teacher is None else str(teacher),
        settings=settings,
    )
    what = dataclasses.asdict(config) | {"recipe": kind}
    if teacher is not None:
        what["teacher_id"] = f"{split_checkpoint.load(teacher).id:08x}"
    if start is not None:
        files = [checkpoints.find(one).read_bytes() for one in start.split(",")]
        what["start"] = hashlib.sha256(b"".join(files)).hexdigest()
    digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    checkpoint, mark = folder / "checkpoint.safetensors", folder / "configuration.sha256"
    known = mark.read_text() if mark.is_file() else None
    if checkpoint.is_file() and known == digest:
        return checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    if known != digest:
        for old in [*folder.glob("**/last.pt"), *folder.glob("checkpoint.safetensors")]:
            old.unlink()
    mark.write_text(digest)
    print(f"--- {name} {system} {folder.name}", flush=True)
    begun = any(folder.glob("**/last.pt"))
    options = RunOptions(device=args.device, resume=begun, init=start)
    path_written: Path = recipe(kind)(config, options)
    return path_written


def _measure(
    name: str, args: argparse.Namespace, report: dict[str, Any], only: str | None = None
) -> None:
    """Rows of every checkpoint of the task that has none yet, and of pictures to the teacher."""
    task = TASKS[name]
    dataset = open_dataset(_located(task.data, args.data), "val")
    frames = len(choose(len(dataset), args.limit))
    rows: list[dict[str, Any]] = report["rows"]
    known = {(r["task"], r["system"], r["setting"], r["checkpoint"], r["frames"]) for r in rows}

    def measure(
        system: PacketSystem, flying: nn.Module, family: str, setting: str, number: str, steps: int
    ) -> None:
        if (name, family, setting, number, frames) in known:
            return
        row = row_of(name, system, flying, family, setting, dataset, args.limit)
        row |= {"checkpoint": number, "training_steps": steps}
        rows[:] = [r for r in rows if key(r) != key(row)] + [row]
        print(
            f"{name:8} {family:26} {setting:48} {row['bytes_per_frame']:9,.0f} B "
            f"{task.metric} {row['value']:.4f}",
            flush=True,
        )

    def of_stream(path: str) -> None:
        own = checkpoints.load(path, device=args.device)
        for rate in RATES:
            masks = task.task == "segmentation"
            stream = StreamSystem(own, rate, mask=masks, device=args.device)
            number, steps = f"{own.id:08x}", int(own.card.get("steps", 0))
            measure(stream, own.encoder, OWN_STREAM, f"rate {rate:g}", number, steps)

    for path in sorted((args.runs / name).glob("*/*/checkpoint.safetensors")):
        family, setting = path.parts[-3], path.parts[-2]
        if only is not None and family != only:
            continue
        if not split_checkpoint.is_split(path):
            of_stream(str(path))
            continue
        loaded = split_checkpoint.load(path, args.device)
        number, steps = f"{loaded.id:08x}", int(loaded.card["steps"])
        student = SplitSystem(loaded)
        measure(student, parts_on_board(student.bottleneck), family, setting, number, steps)
        if family == "teacher":
            for codec, qualities in PICTURES.items():
                for quality in qualities:
                    system = SplitSystem(loaded, picture=(codec, quality))
                    measure(system, nn.Identity(), codec, str(quality), number, steps)
            for quality in (10, 50, 90):
                system = SplitSystem(loaded, features=("jpeg", quality, 1))
                head = parts_on_board(system.bottleneck)
                measure(system, head, "feature-jpeg", str(quality), number, steps)
    if task.task == "detection" and only is None:
        of_stream(args.checkpoint)


def _write(report: dict[str, Any], args: argparse.Namespace) -> None:
    rows = sorted(report["rows"], key=lambda r: (r["task"], r["system"], r["bytes_per_frame"]))
    report["rows"] = rows
    report["bd_rate"] = compare(rows)
    report["command"] = "python " + shlex.join(sys.argv)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=2) + "\n")
    args.table.parent.mkdir(parents=True, exist_ok=True)
    args.table.write_text(table(report))
    for task in sorted({row["task"] for row in rows}):
        own = [row for row in rows if row["task"] == task]
        draw_curves(own, args.figures / f"papers_{task}.png")
        draw_trade_off(own, args.figures / f"papers_{task}_trade_off.png")
        searched = [row for row in own if row["system"].startswith("rate_estimator")]
        if any(row["system"] == "rate_estimator_search" for row in searched):
            draw_front(searched, args.figures / f"papers_{task}_search.png")


def _located(data: str, root: Path) -> str:
    kind, colon, folder = data.rpartition(":")
    return f"{kind}{colon}{root / folder}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", action="store_true", help="train what is missing, then measure")
    parser.add_argument("--tasks", default="chips", help="list of chips, camvid, hituav")
    parser.add_argument("--systems", default="", help=f"list of {', '.join(STUDENTS)}")
    parser.add_argument(
        "--points", type=int, nargs="*", default=[0, 1, 2, 3], help="which rates, in this order"
    )
    parser.add_argument("--steps-each", type=int, help="of each student; a teacher gets 3 times")
    parser.add_argument("--teacher", type=Path, help="trained already, by `sc2 train teacher`")
    parser.add_argument("--teacher-steps", type=int, help="in place of 3 times --steps-each")
    parser.add_argument("--minutes-each", type=float, help="of each student, at most")
    parser.add_argument("--search", action="store_true", help="also the rate estimator's search")
    parser.add_argument("--lr", type=float, default=1.5e-3, help="teacher's; students: twice")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument("--checkpoint", default="default", help="ours, for detection")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--data", type=Path, default=data_root(None))
    parser.add_argument("--runs", type=Path, default=Path("runs/papers"))
    parser.add_argument("--out", type=Path, default=ROOT / "benchmarks/results/papers.json")
    parser.add_argument("--figures", type=Path, default=ROOT / "docs/figures")
    parser.add_argument("--table", type=Path, default=ROOT / "docs/recipes/results.md")
    args = parser.parse_args()
    if args.train and args.steps_each is None and args.minutes_each is None:
        parser.error("--train needs --steps-each or --minutes-each")
    if unknown := sorted(set(filter(None, args.systems.split(","))) - set(STUDENTS)):
        parser.error(f"no system {', '.join(unknown)}; known are {', '.join(STUDENTS)}")
    if args.teacher is not None and not args.teacher.is_file():
        parser.error(f"--teacher: there is no file {args.teacher}")
    return args


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Sc2Error as error:
        sys.exit(f"error: {error}")
