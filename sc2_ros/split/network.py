# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A bottleneck before a task network that lacks its first stages: the student."""

from __future__ import annotations

from torch import Tensor, nn

from sc2_ros.errors import ParameterError
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.heads import TaskNetwork


class SplitNetwork(nn.Module):
    """Image to answers through a bottleneck.

    ::

        image -> bottleneck (encoder, prior | decoder) -> features -> ground.behind -> answers
    """

    def __init__(self, bottleneck: Bottleneck, ground: TaskNetwork) -> None:
        """ground: of the teacher's shape; its first `split` stages are not used."""
        super().__init__()
        if bottleneck.split > ground.latest_split():
            raise ParameterError(
                f"a {ground.task} network can be split behind stage {ground.latest_split()} at "
                f"the latest, not behind stage {bottleneck.split}"
            )
        self.bottleneck = bottleneck
        self.ground = ground
        self.frozen: tuple[str, ...] = ()

    def freeze(self, *names: str) -> SplitNetwork:
        """Let everything learn but these parts, and what the bottleneck never trains."""
        self.requires_grad_(True)
        self.frozen = (*names, *(f"bottleneck.{name}" for name in self.bottleneck.never_trained))
        for name in self.frozen:
            self.get_submodule(name).requires_grad_(False)
        return self

    def train(self, mode: bool = True) -> SplitNetwork:
        """Frozen parts stay in eval mode, so that no batch norm of theirs moves."""
        super().train(mode)
        for name in self.frozen:
            self.get_submodule(name).eval()
        return self

    def forward(self, image: Tensor, *, noise: bool = True) -> dict[str, Tensor | list[Tensor]]:
        """Image (B, 3, H, W) in [0, 1] -> answers, features from the split on, `bits` (B,)."""
        features, bits = self.bottleneck(image, noise=noise)
        result = self.ground.behind(features, self.bottleneck.split)
        result["bits"] = bits
        return result
