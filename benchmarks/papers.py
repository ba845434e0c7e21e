# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The four papers side by side: the same data, the same teacher, wire bytes, in one table.

    python benchmarks/papers.py --train --steps-each 600 --tasks chips      # teacher, then students
    python benchmarks/papers.py --train --minutes-each 20 --tasks chips,camvid,hituav
    python benchmarks/papers.py     # table and figures again
    python benchmarks/papers.py --train … --cluster tcp://scheduler:8786

With --cluster the systems are trained and measured beside each other; the workers need this
repository, the data and RUNS under the same paths, and PYTHONPATH=REPOSITORY/benchmarks.

Checkpoints go to RUNS/TASK/SYSTEM/SETTING; a run that was stopped goes on, one that is finished
with the same configuration is not trained anew, and rows of checkpoints already measured are taken
from the JSON. Writes benchmarks/results/papers.json, docs/recipes/results.md and figures of each
task, docs/figures/papers_TASK*.png (named as --out is).

With --legs a training goes on, in legs of the same length, until one brings less than half a point
of accuracy and less than 5 % of the bytes.
"""

from __future__ import annotations

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from helpers.papers_figure import draw_curves, draw_front, draw_trade_off
from helpers.papers_plan import LATER, OWN_STREAM, SEARCH, STUDENTS, TASKS, TEACHER, label
from helpers.papers_report import compare, gained, in_order, key, read, table
from helpers.papers_row import measure, settings_of
from helpers.papers_training import (
    CHECKPOINT,
    WITHOUT_SETTINGS,
    Training,
    ground_alone,
    located,
    train,
)
from helpers.program import exit_with

from sc2_ros.data import open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.cluster import HELP, executor
from sc2_ros.training.config import data_root

Workers = Callable[[Callable[..., Any], list[Any], argparse.Namespace], Iterator[Any]]
ROOT = Path(__file__).parent.parent


def main() -> int:
    """Train what is missing and wanted, measure what is not known, compare, draw."""
    args = _arguments()
    torch.set_num_threads(args.threads)
    report = read(args.out)
    with _workers(args.cluster) as workers:
        for name in args.tasks.split(","):
            if name not in TASKS:
                raise SystemExit(f"error: no task '{name}'; known are {', '.join(TASKS)}")
            if args.train:
                _train(name, args, report, workers)
            _measure(name, args, report, workers)
    _write(report, args)
    return 0


def _train(name: str, args: argparse.Namespace, report: dict[str, Any], workers: Workers) -> None:
    """The teacher, then one rate of every system after the other, measured as they come."""
    teacher = args.runs / name / "teacher" / WITHOUT_SETTINGS / CHECKPOINT
    if args.teacher is None:
        start = TASKS[name].init
        train(Training(name, TASKS[name], "teacher", "teacher", {}, TEACHER, start=start), args)
    elif args.teacher != teacher:
        teacher.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(args.teacher, teacher)
    wanted = args.systems.split(",") if args.systems else list(STUDENTS)
    if TASKS[name].task == "classification" and OWN_STREAM in wanted:
        wanted.remove(OWN_STREAM)  # it does not classify
    for number in args.points:
        learning = [system for system in wanted if number < len(STUDENTS[system][1])]
        for leg in range(1, args.legs + 1):
            jobs = [_training(name, system, number, args, teacher, leg) for system in learning]
            for system in _trained(jobs, args, workers):
                _measure(name, args, report, workers, only=system)
                _write(report, args)
            learning = [job.system for job in jobs if gained(report["rows"], job)]
    search = name, TASKS[name], "rate_estimator_search", "rate_estimator"
    jobs = [Training(*search, settings, LATER, teacher) for settings in SEARCH]
    for system in _trained(jobs if args.search else [], args, workers):
        _measure(name, args, report, workers, only=system)
        _write(report, args)


def _training(
    name: str, system: str, number: int, args: argparse.Namespace, teacher: Path, leg: int
) -> Training:
    """That of a point of a system's curve; a later leg goes on from the one before."""
    kind, curve = STUDENTS[system]
    what = name, TASKS[name], system, kind
    length, before = 1.0, None
    if system == OWN_STREAM:
        length = 1 + LATER * (len(args.points) - 1)
        before = f"{args.checkpoint},{teacher}"  # gains of the one, networks of the other
        if TASKS[name].task == "detection":  # the shipped encoder was trained on these images
            before = str(ground_alone(teacher))
    elif number and not system.endswith("channel_reduction"):  # its points differ in shape
        path = args.runs / name / system / label(curve[number - 1]) / CHECKPOINT
        if path.is_file():
            length, before = LATER, str(path)
    if leg > 1:
        folder = args.runs / name / system / (label(curve[number], leg - 1) or WITHOUT_SETTINGS)
        before = str(folder / CHECKPOINT)
    return Training(*what, curve[number], length, teacher, before, leg)


def _trained(jobs: list[Training], args: argparse.Namespace, workers: Workers) -> Iterator[str]:
    """Names of systems, as their trainings end."""
    for path in workers(train, jobs, args):
        yield path.parts[-3]


def _measure(
    name: str,
    args: argparse.Namespace,
    report: dict[str, Any],
    workers: Workers,
    only: str | None = None,
) -> None:
    """Rows of every checkpoint of the task that has none yet, and of pictures to the teacher."""
    dataset = open_dataset(located(TASKS[name].data, args.data), "val")
    frames = len(choose(len(dataset), args.limit))
    rows: list[dict[str, Any]] = report["rows"]
    known = {(r["task"], r["system"], r["setting"], r["checkpoint"], r["frames"]) for r in rows}
    jobs = [
        job
        for job in settings_of(name, args, only)
        if (name, job.family, job.setting, job.number, frames) not in known
    ]
    for row in workers(measure, jobs, args):
        rows[:] = [r for r in rows if key(r) != key(row)] + [row]
        print(
            f"{name:8} {row['system']:26} {row['setting']:48} {row['bytes_per_frame']:9,.0f} B "
            f"{row['metric']} {row['value']:.4f}",
            flush=True,
        )


@contextmanager
def _workers(cluster: str) -> Iterator[Workers]:
    """What calls a function with every job, here or on a cluster; results as they come."""
    if not cluster:
        yield lambda function, jobs, args: (function(job, args) for job in jobs)
        return
    with executor(cluster) as submit:

        def run(function: Any, jobs: list[Any], args: argparse.Namespace) -> Iterator[Any]:
            for done in as_completed([submit(function, job, args) for job in jobs]):
                yield done.result()

        yield run


def _write(report: dict[str, Any], args: argparse.Namespace) -> None:
    report["rows"] = rows = in_order(report["rows"])
    report["bd_rate"] = compare(rows)
    report["command"] = "python " + shlex.join(sys.argv)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(report, indent=2) + "\n")
    args.table.parent.mkdir(parents=True, exist_ok=True)
    args.table.write_text(table(report))
    for task in sorted({row["task"] for row in rows}):
        own = [row for row in rows if row["task"] == task]
        draw_curves(own, args.figures / f"{args.out.stem}_{task}.png")
        draw_trade_off(own, args.figures / f"{args.out.stem}_{task}_trade_off.png")
        searched = [row for row in own if row["system"].startswith("rate_estimator")]
        if any(row["system"] == "rate_estimator_search" for row in searched):
            draw_front(searched, args.figures / f"{args.out.stem}_{task}_search.png")


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
    parser.add_argument(
        "--legs", type=int, default=1, help="at most; another follows where one has brought a gain"
    )
    parser.add_argument("--search", action="store_true", help="also the rate estimator's search")
    parser.add_argument("--lr", type=float, default=1.5e-3, help="teacher's; students: twice")
    parser.add_argument("--limit", type=int, help="at most so many images, spread over the split")
    parser.add_argument("--checkpoint", default="default", help="ours, for detection")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cluster", default="", metavar="WHERE", help=HELP)
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
    exit_with(main)
