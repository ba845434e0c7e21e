# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which weights learn by which rule: Muon for convolution kernels, AdamW for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from sc2_ros.errors import ParameterError
from sc2_ros.training.muon import Muon

if TYPE_CHECKING:
    from sc2_ros.training.trainer import TrainerConfig


def make_optimizers(model: nn.Module, config: TrainerConfig) -> list[torch.optim.Optimizer]:
    """Optimisers of every parameter that requires a gradient.

    Raises ParameterError where config.optimizer is neither muon nor adamw.
    """
    if config.optimizer not in ("muon", "adamw"):
        raise ParameterError(f"optimizer '{config.optimizer}' is unknown; use muon or adamw")
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.dim() == 4 and p.shape[1] > 1]
    chosen = {id(p) for p in matrices} if config.optimizer == "muon" else set()
    rest = [p for p in trained if id(p) not in chosen]
    decayed = [p for p in rest if p.dim() == 4]
    # Gains and priors are logarithms that have far to go: they get five times the rate.
    quick = [p for n, p in model.named_parameters() if "log_" in n and p.requires_grad]
    fast = {id(p) for p in quick}
    plain = [p for p in rest if p.dim() != 4 and id(p) not in fast]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": config.weight_decay},
                {"params": plain, "weight_decay": 0.0},
                {"params": quick, "weight_decay": 0.0, "lr": 5 * config.lr},
            ],
            lr=config.lr,
        )
    ]
    if chosen:
        optimizers.append(Muon(matrices, lr=config.muon_lr, weight_decay=config.weight_decay))
    return optimizers
