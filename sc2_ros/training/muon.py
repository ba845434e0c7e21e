# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Muon: momentum whose update is orthogonalised (Jordan et al. 2024), for convolutions too."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

from sc2_ros.network.devices import AUTO, precision_of


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """Nearest semi-orthogonal matrix of (R, C), by the quintic Newton-Schulz iteration.

    In bfloat16 where the device multiplies it, as Jordan et al. do it: the iteration forgives its
    own rounding, and on a CPU with avx512_bf16 an eighth of a training step is here otherwise.
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrix / (matrix.norm() + 1e-7)
    if precision_of(str(matrix.device), AUTO) == "bf16":
        x = x.bfloat16()
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(steps):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return (x.T if tall else x).to(matrix.dtype)


class Muon(torch.optim.Optimizer):
    """Orthogonalised Nesterov momentum for weights of two or more dimensions.

    A convolution (O, I, k, k) counts as the matrix (O, I k k). lr is relative to the spectral
    norm of the update, scaled by sqrt(max(1, O / (I k k))).
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 0.02,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        """params: matrices and convolution kernels."""
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        """One update of every weight that has a gradient."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                buffer = state["momentum"]
                buffer.lerp_(weight.grad, 1 - group["momentum"])
                update = weight.grad.lerp(buffer, group["momentum"]).flatten(1)
                update = orthogonalise(update.contiguous())
                factor = max(1.0, update.shape[0] / update.shape[1]) ** 0.5
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(update.view_as(weight), alpha=-group["lr"] * factor)
