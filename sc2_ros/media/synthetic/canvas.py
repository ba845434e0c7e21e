# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Painting in metres on a square map that wraps round at its edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

PIXELS_PER_M = 10.0
SIDE_PX = 2048
SIDE_M = SIDE_PX / PIXELS_PER_M

Floats = NDArray[np.float64]


class Canvas:
    """Paints in metres on a wrapping uint8 map."""

    def __init__(self, fill: int) -> None:
        self.map: NDArray[np.uint8] = np.full((SIDE_PX, SIDE_PX), fill, np.uint8)

    def _offsets(self, low: Floats, high: Floats) -> list[tuple[int, int]]:
        spans = []
        for axis in (0, 1):
            first = int(np.floor(low[axis] / SIDE_PX))
            last = int(np.floor(high[axis] / SIDE_PX))
            spans.append([-k * SIDE_PX for k in range(first, last + 1)])
        return [(dx, dy) for dx in spans[0] for dy in spans[1]]

    def polygon(self, points: Floats, value: int) -> None:
        """Fills a polygon (N, 2)."""
        px = np.asarray(points, np.float64) * PIXELS_PER_M
        for shift in self._offsets(px.min(0), px.max(0)):
            cv2.fillPoly(self.map, [np.rint((px + shift) * 8).astype(np.int32)], value, shift=3)

    def line(self, points: Floats, width_m: float, value: int) -> None:
        """Strokes an open polyline (N, 2)."""
        px = np.asarray(points, np.float64) * PIXELS_PER_M
        thickness = max(1, round(width_m * PIXELS_PER_M))
        for shift in self._offsets(px.min(0) - thickness, px.max(0) + thickness):
            moved = np.rint((px + shift) * 8).astype(np.int32)
            cv2.polylines(self.map, [moved], False, value, thickness, cv2.LINE_8, 3)

    def disc(self, x: float, y: float, radius_m: float, value: int, width_m: float = 0.0) -> None:
        """Fills a disc, or strokes a ring where a width is given."""
        px = np.array([x, y]) * PIXELS_PER_M
        radius = radius_m * PIXELS_PER_M
        thickness = max(1, round(width_m * PIXELS_PER_M)) if width_m else -1
        for shift in self._offsets(px - radius - 2, px + radius + 2):
            centre = np.rint((px + shift) * 8).astype(int)
            cv2.circle(
                self.map, (int(centre[0]), int(centre[1])), round(radius * 8), value, thickness,
                cv2.LINE_8, 3,
            )  # fmt: skip


def rectangle(x: float, y: float, length: float, width: float, angle: float) -> Floats:
    """Corners (4, 2) of a rectangle by its centre, sides and the heading of its length."""
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    signs = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) / 2
    return np.array([x, y]) + signs[:, :1] * length * along + signs[:, 1:] * width * across
