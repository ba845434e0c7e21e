# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One row of benchmarks/papers.py: what one setting of one system costs and gives."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from helpers.papers_plan import TASKS
from sc2_ros.data import Dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.sweep.run import sweep
from sc2_ros.evaluation.systems.system import PacketSystem


def row_of(
    name: str,
    system: PacketSystem,
    flying: nn.Module,
    family: str,
    setting: str,
    dataset: Dataset,
    limit: int | None,
) -> dict[str, Any]:
    """Accuracy and bytes over the frames, what the encoder costs, and how long it takes.

    name: of the task; flying: what of the system is on board; limit: images at most.
    """
    task = TASKS[name]
    (measured,) = sweep([system], dataset, limit)
    with FlopCounterMode(display=False) as counter:
        system.encode(dataset[0].image)
    seconds = []
    for index in choose(len(dataset), 30):
        start = time.process_time()  # CPU time: the machine may be busy with other things
        system.encode(dataset[index].image)
        seconds.append(time.process_time() - start)
    value = measured[task.metric]  # type: ignore[literal-required]
    return {
        "task": name,
        "dataset": f"{dataset.name} val",
        "system": family,
        "setting": setting,
        "bytes_per_frame": measured["bytes_per_frame"],
        "metric": task.metric,
        "value": value,
        "encoder_params": sum(p.numel() for p in flying.parameters()),
        "encoder_gmac": counter.get_total_flops() / 2e9,
        "onboard_ms": 1e3 * float(np.median(seconds)),
        "frames": measured["frames"],
    }
