# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One row of benchmarks/papers.py: what one setting of one system costs and gives."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.papers_plan import PICTURES, RATES, SHIPPED, TASKS, Task, in_leg, leg_of
from helpers.papers_training import located
from sc2_ros import checkpoint as checkpoints
from sc2_ros.data import Dataset, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems.split_system import SplitSystem, parts_on_board
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.evaluation.systems.system import PacketSystem
from sc2_ros.network.imaging import to_tensor
from sc2_ros.split import checkpoint as split_checkpoint

FEATURE_QUALITIES = (10, 50, 90)
OWN, SPLIT, PICTURE, FEATURES = "own", "split", "picture", "features"


@dataclass(frozen=True)
class Setting:
    """What a row is of: a checkpoint, and how it is used.

    name: of the task; number, steps: the checkpoint's id and training; use: OWN to FEATURES;
    quality: rate index or the codec's quality.
    """

    name: str
    task: Task
    path: str
    family: str
    setting: str
    number: str
    steps: int
    use: str
    quality: float = 0.0


def settings_of(name: str, args: argparse.Namespace, only: str | None) -> Iterator[Setting]:
    """Of every checkpoint of the task, and of pictures to its teacher."""
    task = TASKS[name]
    for path in sorted((args.runs / name).glob("*/*/checkpoint.safetensors")):
        family, setting = path.parts[-3], path.parts[-2]
        if only is not None and family != only:
            continue
        if not split_checkpoint.is_split(path):
            yield from _of_stream(name, str(path), family, leg_of(setting)[1])
            continue
        loaded = split_checkpoint.load(path)
        same = f"{loaded.id:08x}", int(loaded.card["steps"])
        yield Setting(name, task, str(path), family, setting, *same, SPLIT)
        if family == "teacher":
            for codec, qualities in PICTURES.items():
                for quality in qualities:
                    yield Setting(
                        name, task, str(path), codec, str(quality), *same, PICTURE, quality
                    )
            for quality in FEATURE_QUALITIES:
                yield Setting(
                    name, task, str(path), "feature-jpeg", str(quality), *same, FEATURES, quality
                )
    if task.task == "detection" and only is None:
        yield from _of_stream(name, args.checkpoint, SHIPPED)


def _of_stream(name: str, path: str, family: str, leg: int = 1) -> Iterator[Setting]:
    own, task = checkpoints.load(path), TASKS[name]
    same = f"{own.id:08x}", int(own.card.get("steps", 0))
    for rate in RATES:
        setting = in_leg(f"rate {rate:g}", leg)
        yield Setting(name, task, path, family, setting, *same, OWN, rate)


def measure(job: Setting, args: argparse.Namespace) -> dict[str, Any]:
    """The row, in this process or in one of a cluster."""
    torch.set_num_threads(args.threads)
    dataset = open_dataset(located(job.task.data, args.data), "val")
    if job.use == OWN:
        own = checkpoints.load(job.path, device=args.device)
        masks = job.task.task == "segmentation"
        stream = StreamSystem(own, job.quality, mask=masks, device=args.device)
        return _row(job, stream, own.encoder, dataset, args.limit)
    loaded = split_checkpoint.load(Path(job.path), args.device)
    if job.use == PICTURE:
        pictures = SplitSystem(loaded, picture=(job.family, int(job.quality)))
        return _row(job, pictures, nn.Identity(), dataset, args.limit)
    features = ("jpeg", int(job.quality), 1) if job.use == FEATURES else None
    system = SplitSystem(loaded, features=features)
    return _row(job, system, parts_on_board(system.bottleneck), dataset, args.limit)


def _row(
    job: Setting, system: PacketSystem, flying: nn.Module, dataset: Dataset, limit: int | None
) -> dict[str, Any]:
    """Accuracy and bytes over the frames, what the encoder costs, and how long it takes.

    flying: what of the system is on board; limit: images at most.
    """
    task = job.task
    (measured,) = sweep([system], dataset, limit)
    image = dataset[0].image
    with FlopCounterMode(display=False) as counter:
        if job.use == OWN:  # as an ONNX file on board, whose operations nobody counts
            flying(to_tensor(image))
        else:
            system.encode(image)
    seconds = []
    for index in choose(len(dataset), 30):
        start = time.process_time()  # CPU time: the machine may be busy with other things
        system.encode(dataset[index].image)
        seconds.append(time.process_time() - start)
    value = measured[task.metric]  # type: ignore[literal-required]
    return {
        "task": job.name,
        "dataset": f"{dataset.name} val",
        "system": job.family,
        "setting": job.setting,
        "bytes_per_frame": measured["bytes_per_frame"],
        "metric": task.metric,
        "value": value,
        "encoder_params": sum(p.numel() for p in flying.parameters()),
        "encoder_gmac": counter.get_total_flops() / 2e9,
        "onboard_ms": 1e3 * float(np.median(seconds)),
        "frames": measured["frames"],
        "checkpoint": job.number,
        "training_steps": job.steps,
    }
