# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a world is, once it is painted: everything that does not move.

Coordinates are metres, x to the right and y down the map, both modulo `canvas.SIDE_M`; heights
point up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.roads import Road

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Building:
    """A prism: base (4, 2) in metres, in order round the footprint, and its height in metres."""

    base: Floats
    height_m: float
    wall_rgb: tuple[int, int, int]
    wall_warmth: int


@dataclass(frozen=True)
class World:
    """Everything that does not move.

    Attributes:
        texture: (N, N, 3) uint8 RGB, or (N, N) uint8 for the thermal look.
        labels: (N, N) uint8 mask classes.
        shade: (N, N) uint8, 255 where the sun does not reach the ground.
        sun: ground shift of a shadow, in metres per metre of height, (2,).
        shadow: share of the light that a shadow takes away.
        bays: parked poses (x, y, heading) in metres and radians.
        areas: (cx, cy, rx, ry) ellipses that people stroll round.
    """

    texture: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    shade: NDArray[np.uint8]
    sun: Floats
    shadow: float
    roads: list[Road]
    buildings: list[Building]
    bays: list[tuple[float, float, float]]
    areas: list[tuple[float, float, float, float]]
