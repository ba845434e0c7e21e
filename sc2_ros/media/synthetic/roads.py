# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Roads as periodic curves on the torus, so that traffic has a closed form in time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
LANE_M = 3.4
EDGE_M = 2.4
WALK_M = 3.0


@dataclass(frozen=True)
class Road:
    """A curve along one axis: the other coordinate is base + amplitude * sin(k u + phase)."""

    along_x: bool
    base_m: float
    amplitude_m: float
    waves: int
    phase: float
    lanes: int
    cycle_lane: bool
    side_m: float

    @property
    def width_m(self) -> float:
        """Carriageway with the parking or cycle strips, without the pavements."""
        return 2 * (self.lanes * LANE_M + EDGE_M)

    def centre(self, u: Floats | float) -> Floats:
        """Cross coordinate of the centre line at distance u along the axis."""
        k = 2 * np.pi * self.waves / self.side_m
        return np.asarray(self.base_m + self.amplitude_m * np.sin(k * np.asarray(u) + self.phase))

    def pose(self, u: Floats | float, offset: Floats | float = 0.0) -> tuple[Floats, Floats]:
        """Points (..., 2) and headings (...) at u, `offset` metres to the right of travel."""
        u = np.asarray(u, np.float64)
        k = 2 * np.pi * self.waves / self.side_m
        slope = self.amplitude_m * k * np.cos(k * u + self.phase)
        one = np.ones_like(slope)
        tangent = np.stack([one, slope] if self.along_x else [slope, one], -1)
        tangent /= np.linalg.norm(tangent, axis=-1, keepdims=True)
        right = np.stack([-tangent[..., 1], tangent[..., 0]], -1)
        cross = self.centre(u)
        point = np.stack([u, cross] if self.along_x else [cross, u], -1)
        heading = np.arctan2(tangent[..., 1], tangent[..., 0])
        return point + np.asarray(offset)[..., None] * right, heading


def crossing(road: Road, other: Road) -> tuple[float, float]:
    """Distances (u along road, u along other) of the junction of two roads of different axes."""
    u, v = other.base_m, road.base_m
    for _ in range(12):
        u, v = float(other.centre(v)), float(road.centre(u))
    return u, v
