# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bit is worth at each position of a frame: objects are sent exactly, background roughly.

The drone's counterpart of saliency-guided distortion (A. Furutanpey et al., "FrankenSplit", 2023):
not the network's training heeds where objects are, but the choice of symbols, frame by frame.
The ground needs to know nothing of it.

::

    latent (C, h, w) -> SaliencyHead -> share s (h, w)
      -> lambda = RDOQ_LAMBDA OBJECT^s BACKGROUND^(1-s)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import nn

from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA
from sc2_ros.network.saliency import SaliencyHead

OBJECT, BACKGROUND = 0.7, 4.0
"""Factors of lambda where surely an object is, and where surely none is, at full strength.

97 images of HIT-UAV val, rate indices 0.2 and 0.4, bytes and mean AP50: 404: 0.795, 674: 0.812 at
strength 0; 378: 0.801, 607: 0.812 at 0.5; 365: 0.806, 558: 0.814 at 1. Synthetic flight, 24 frames,
rate indices 0.1 and 0.3, AP50 and mIoU: 880: 0.396, 0.535, 1449: 0.466, 0.594 at 0; 766: 0.390,
0.495, 1270: 0.449, 0.573 at 0.5, which is the same curve; 689: 0.374, 0.451, 1093: 0.413, 0.525 at
1, which is below it."""
_NONE, _SURE = 0.05, 0.4
"""Probability of an object below and above which nothing changes."""

Floats = npt.NDArray[np.float32]


class SaliencyLambda:
    """The RDOQ lambda of `FrameEncoder`, by position."""

    def __init__(self, head: SaliencyHead | None) -> None:
        """head: of the checkpoint, on the CPU; without one, all positions are alike.

        It runs in numpy: threads of torch, for a tenth of a millisecond of work, would wait for
        each other on a drone whose cores are busy.
        """
        self.strength = 0.0
        """From 0, all positions alike, to 1; may change between frames."""
        self._known = head is not None
        if head is not None:
            self._enter, self._enter_bias = _arrays(head.enter)
            leave, self._leave_bias = _arrays(head.leave)
            self._taps = leave.reshape(-1, 9).T.copy()

    def __call__(self, latent: Floats) -> Floats:
        """Latent (C, h, w) -> lambda (h, w) float32."""
        if not (self._known and self.strength):
            return np.full(latent.shape[1:], RDOQ_LAMBDA, np.float32)
        probability = 1.0 / (1.0 + np.exp(-np.clip(self._logit(latent), -30.0, 30.0)))
        share = np.clip((probability - _NONE) / (_SURE - _NONE), 0.0, 1.0)
        power = share * np.log(OBJECT) + (1.0 - share) * np.log(BACKGROUND)
        weight: Floats = (RDOQ_LAMBDA * np.exp(self.strength * power)).astype(np.float32)
        return np.nan_to_num(weight, copy=False, nan=RDOQ_LAMBDA)

    def _logit(self, latent: Floats) -> Floats:
        """The head's answer, (h, w)."""
        channels, height, width = latent.shape
        flat, weights = latent.reshape(channels, -1), self._enter.reshape(-1, channels)
        hidden = np.maximum(weights @ flat + self._enter_bias[:, None], 0.0)
        parts = (self._taps @ hidden).reshape(3, 3, height, width)
        logit = np.full((height + 2, width + 2), self._leave_bias, np.float32)
        for row in range(3):
            for column in range(3):
                # A tap looks at its neighbour: what that gives belongs where the tap's middle is.
                logit[2 - row : 2 - row + height, 2 - column : 2 - column + width] += parts[
                    row, column
                ]
        return logit[1:-1, 1:-1]


def _arrays(layer: nn.Conv2d) -> tuple[Floats, Floats]:
    """Weights and bias."""
    assert layer.bias is not None
    weight: Floats = layer.weight.detach().numpy()
    bias: Floats = layer.bias.detach().numpy()
    return weight, bias
