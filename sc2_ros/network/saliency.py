# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where in a latent objects are: a network small enough for the drone."""

from torch import Tensor, nn


class SaliencyHead(nn.Module):
    """Logit of "some of an object is here" for each position of a latent; 1.4 MMAC at 640x512.

    ::

        latent (B, C, h, w) -> 1x1, ReLU (B, hidden, h, w) -> 3x3 (B, 1, h, w)
    """

    def __init__(self, channels: int = 64, hidden: int = 16) -> None:
        """channels: C of the latent; hidden: channels between the two convolutions."""
        super().__init__()
        self.enter = nn.Conv2d(channels, hidden, 1)
        self.leave = nn.Conv2d(hidden, 1, 3, padding=1)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, C, h, w) -> (B, 1, h, w)."""
        logit: Tensor = self.leave(self.enter(latent).relu())
        return logit
