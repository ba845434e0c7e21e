# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a bit is worth at each position of a frame: objects are sent exactly, background roughly.

The drone's counterpart of saliency-guided distortion (A. Furutanpey et al., "FrankenSplit", 2023):
not the network's training heeds where objects are, but the choice of symbols, frame by frame.
The ground needs to know nothing of it.

::

    latent (C, h, w) -> SaliencyHead -> share s (h, w) -> mu = REFINEMENT OBJECT^s BACKGROUND^(1-s)
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from sc2_ros.codec.symbols import REFINEMENT
from sc2_ros.network.saliency import SaliencyHead

OBJECT, BACKGROUND = 0.7, 4.0
"""Factors of mu where surely an object is, and where surely none is. On 97 images of HIT-UAV val,
mu of 0.05 and 0.2, 0.03 and 0.2, 0.05 and 0.4 lay on one curve of mean AP50 over bytes."""
_NONE, _SURE = 0.05, 0.4
"""Probability of an object below and above which nothing changes."""

Floats = npt.NDArray[np.float32]


class SaliencyRefinement:
    """mu of `LatentCodec`, by position."""

    def __init__(self, head: SaliencyHead | None) -> None:
        """head: of the checkpoint, on the CPU; without one, all positions are alike."""
        self._head = head
        self.strength = 1.0
        """From 0, all positions alike, to 1; may change between frames."""

    def __call__(self, latent: Floats) -> Floats:
        """Latent (C, h, w) -> mu (h, w) float32."""
        if self._head is None or not self.strength:
            return np.full(latent.shape[1:], REFINEMENT, np.float32)
        with torch.inference_mode():
            probability = self._head(torch.from_numpy(latent)[None])[0, 0].sigmoid().numpy()
        share = np.clip((probability - _NONE) / (_SURE - _NONE), 0.0, 1.0)
        power = share * np.log(OBJECT) + (1.0 - share) * np.log(BACKGROUND)
        mu: Floats = (REFINEMENT * np.exp(self.strength * power)).astype(np.float32)
        return np.nan_to_num(mu, copy=False, nan=REFINEMENT)
