# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One training of benchmarks/papers.py, in this process or in one of a cluster."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

import torch

from helpers.papers_plan import OWN_STREAM, Task, label
from sc2_ros import checkpoint as checkpoints
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.training.augment import AugmentConfig
from sc2_ros.training.config import RunOptions, TrainConfig
from sc2_ros.training.recipes import recipe
from sc2_ros.training.sources import SourceConfig
from sc2_ros.training.starting import weights_of
from sc2_ros.training.trainer import TrainerConfig

CHECKPOINT = "checkpoint.safetensors"
WITHOUT_SETTINGS = "labels"
"""Folder of a training that has none in its plan."""


@dataclasses.dataclass(frozen=True)
class Training:
    """What is trained. Without a teacher it is one.

    name: of the task; length: in students' steps or minutes; start: what it begins with (--init),
    of a student only the bottleneck; leg: which of several trainings, each on from the one before.
    """

    name: str
    task: Task
    system: str
    kind: str
    settings: dict[str, Any]
    length: float
    teacher: Path | None = None
    start: str | None = None
    leg: int = 1


def located(data: str, root: Path) -> str:
    """A data set's name with the folder that it is in."""
    kind, colon, folder = data.rpartition(":")
    return f"{kind}{colon}{root / folder}"


def ground_alone(teacher: Path) -> Path:
    """A file beside the teacher with its ground network, for a stream whose encoder begins anew."""
    path = teacher.with_name("ground.pt")
    weights = weights_of(str(teacher))
    torch.save({"ema": {k: v for k, v in weights.items() if k.startswith("ground.")}}, path)
    return path


def train(job: Training, args: argparse.Namespace) -> Path:
    """One training, unless it is finished with the same configuration; returns its checkpoint."""
    torch.set_num_threads(args.threads)
    setting = label(job.settings, job.leg) or WITHOUT_SETTINGS
    folder: Path = args.runs / job.name / job.system / setting
    config = _config(job, args, folder)
    digest = _digest(job, config)
    checkpoint, mark = folder / CHECKPOINT, folder / "configuration.sha256"
    known = mark.read_text() if mark.is_file() else None
    if checkpoint.is_file() and known == digest:
        return checkpoint
    folder.mkdir(parents=True, exist_ok=True)
    if known != digest:
        for old in [*folder.glob("**/last.pt"), *folder.glob(CHECKPOINT)]:
            old.unlink()
    mark.write_text(digest)
    print(f"--- {job.name} {job.system} {folder.name}", flush=True)
    begun = any(folder.glob("**/last.pt"))
    options = RunOptions(device=args.device, resume=begun, init=job.start)
    path: Path = recipe(job.kind)(config, options)
    return path


def _config(job: Training, args: argparse.Namespace, folder: Path) -> TrainConfig:
    task = job.task
    is_teacher = job.teacher is None
    scales = {"scale_min": task.scale[0], "scale_max": task.scale[1]}
    minutes = {} if args.minutes_each is None else {"max_minutes": args.minutes_each * job.length}
    steps, settings = round((args.steps_each or 1_000_000) * job.length), job.settings
    if job.kind == "teacher":
        steps = args.teacher_steps or steps
        settings = {"task": task.task, "backbone": task.backbone}
    if job.system == OWN_STREAM and task.task == "segmentation":
        settings = settings | {"mask_classes": "own"}
    source = SourceConfig(
        located(task.data, args.data), per_batch=task.batch * (2 if is_teacher else 1), **scales
    )
    return TrainConfig(
        out=str(folder),
        sources=(source,),
        augment=AugmentConfig(crop=task.crop),
        trainer=TrainerConfig(
            max_steps=steps,
            optimizer="adamw" if is_teacher else "muon",
            lr=args.lr * (1 if is_teacher else 2),
            ema=0.995,
            **minutes,
        ),
        teacher=None if is_teacher else str(job.teacher),
        settings=settings,
    )


def _digest(job: Training, config: TrainConfig) -> str:
    """Of all that the checkpoint depends on."""
    what = dataclasses.asdict(config) | {"recipe": job.kind}
    if job.teacher is not None:
        what["teacher_id"] = f"{split_checkpoint.load(job.teacher).id:08x}"
    if job.start is not None:
        files = [checkpoints.find(one).read_bytes() for one in job.start.split(",")]
        what["start"] = hashlib.sha256(b"".join(files)).hexdigest()
    return hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
