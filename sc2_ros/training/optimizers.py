# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which weights learn by which rule: Muon for convolution kernels, AdamW for the rest."""

from __future__ import annotations

import torch
from torch import nn

from sc2_ros.errors import ParameterError
from sc2_ros.training.muon import Muon


def make_optimizers(
    model: nn.Module, kind: str, *, lr: float, muon_lr: float, weight_decay: float
) -> list[torch.optim.Optimizer]:
    """Optimisers of every parameter that requires a gradient.

    Raises ParameterError where kind is neither muon nor adamw.
    """
    if kind not in ("muon", "adamw"):
        raise ParameterError(f"optimizer '{kind}' is unknown; use muon or adamw")
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.dim() == 4 and p.shape[1] > 1]
    chosen = {id(p) for p in matrices} if kind == "muon" else set()
    rest = [p for p in trained if id(p) not in chosen]
    decayed = [p for p in rest if p.dim() == 4]
    # Gains and priors are logarithms that have far to go: they get five times the rate.
    quick = [p for n, p in model.named_parameters() if "log_" in n and p.requires_grad]
    fast = {id(p) for p in quick}
    plain = [p for p in rest if p.dim() != 4 and id(p) not in fast]
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(
            [
                {"params": decayed, "weight_decay": weight_decay},
                {"params": plain, "weight_decay": 0.0},
                {"params": quick, "weight_decay": 0.0, "lr": 5 * lr},
            ],
            lr=lr,
        )
    ]
    if chosen:
        optimizers.append(Muon(matrices, lr=muon_lr, weight_decay=weight_decay))
    return optimizers
