# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every system under test is: an image to packets on the drone, packets to answers below.

::

    image --encode--> [packet, packet, ...] --(lost at random)--> [packet, ...] --decode--> Outputs
          drone                              link                               ground
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Outputs:
    """What the ground makes of one frame; what a system does not do stays empty or None.

    `boxes` (N, 4) float32 left, top, right, bottom in source pixels, `scores` (N,), `labels` (N,)
    numbers in the system's detection_classes; `mask` uint8 (h, w) of any size in the numbers of its
    mask_classes; `category` a number in its image_classes.
    """

    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    mask: NDArray[np.uint8] | None = None
    category: int | None = None


class PacketSystem(Protocol):
    """A codec with its networks at one setting. The two methods share nothing but the packets."""

    name: str
    """Family, for example "entropic_student" or "jpeg"; curves are drawn per family."""
    setting: str
    """What tells this point of the curve from the others, for example "beta 0.08" or "30"."""
    detection_classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    image_classes: tuple[str, ...]

    def encode(self, image: NDArray[np.uint8]) -> list[bytes]:
        """Image uint8 (H, W, 3) RGB or (H, W) grey to what goes on the wire, in order.

        Every packet has at most 1,200 bytes, header included (codec/wire, evaluation/chunks.py).
        """

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """What arrived of one frame to answers; never raises for what was lost or damaged."""
