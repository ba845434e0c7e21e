# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The processes of one training, as torchrun starts them; without torchrun there is one."""

from __future__ import annotations

import os

import torch
from torch import distributed as dist


def rank() -> int:
    """Number of this process in the whole training, from 0."""
    return int(os.environ.get("RANK", "0"))


def world() -> int:
    """How many processes train together."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_main() -> bool:
    """Whether this process writes files and speaks."""
    return rank() == 0


def join(device: str) -> torch.device:
    """Meet the other processes (gloo on CPU, nccl on CUDA) and return this one's device."""
    kind = torch.device(device)
    if world() == 1:
        return kind
    if kind.type == "cuda":
        kind = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
        torch.cuda.set_device(kind)
    if not dist.is_initialized():
        dist.init_process_group("nccl" if kind.type == "cuda" else "gloo")
    return kind


def from_main(value: float, device: torch.device) -> float:
    """The number that process 0 has; every process must call it."""
    if world() == 1:
        return value
    tensor = torch.tensor([value], dtype=torch.float64, device=device)
    dist.broadcast(tensor, 0)
    return float(tensor)


def leave() -> None:
    """Part from the other processes at the end of the program."""
    if dist.is_initialized():
        dist.destroy_process_group()
