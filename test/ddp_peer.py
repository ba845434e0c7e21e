# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One process of test_distributed: trains a few steps and writes what it ended with."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import nn

from sc2_ros.training import distributed
from sc2_ros.training.trainer import Trainer, TrainerConfig

STEPS, PER_PROCESS = 4, 3


def make_model(seed: int) -> nn.Module:
    """Kernels for Muon, biases for AdamW, and a part that no loss ever touches."""
    torch.manual_seed(seed)
    return nn.ModuleDict(
        {
            "used": nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3)),
            "unused": nn.Conv2d(4, 4, 1),
        }
    )


def whole_batches(processes: int) -> Iterator[torch.Tensor]:
    """The batches of all processes together, (processes x PER_PROCESS, 3, 12, 12)."""
    source = torch.Generator().manual_seed(7)
    while True:
        yield torch.randn(processes * PER_PROCESS, 3, 12, 12, generator=source)


def loss(model: nn.Module, batch: torch.Tensor) -> tuple[torch.Tensor, dict[str, float]]:
    """A mean over images, so that the mean over processes is the mean over all images."""
    value = (model["used"](batch) - 1).square().mean()
    return value, {"loss": float(value.detach())}


def train(folder: Path, batches: Iterator[torch.Tensor], seed: int, minutes: float) -> Trainer:
    config = TrainerConfig(
        max_steps=STEPS, max_minutes=minutes, precision="fp32", validate_every=0.5
    )
    trainer = Trainer(
        make_model(seed), loss, config, folder, validate=lambda net: {"score": float(os.getpid())}
    )
    trainer.run(batches)
    return trainer


def main(folder: Path) -> None:
    """Called under torchrun."""
    torch.set_num_threads(1)
    rank = distributed.rank()
    start = rank * PER_PROCESS
    mine = (batch[start : start + PER_PROCESS] for batch in whole_batches(distributed.world()))
    # Each process starts from other weights and has another clock; process 0's must win.
    trainer = train(folder / f"run{rank}", mine, seed=rank, minutes=10.0 + rank)
    torch.save(
        {
            "model": trainer.model.state_dict(),
            "ema": trainer.ema.state_dict(),
            "grad": [p.grad for p in trainer.model["used"].parameters()],
            "minutes": trainer.minutes,
        },
        folder / f"rank{rank}.pt",
    )
    distributed.leave()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
