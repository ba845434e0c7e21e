# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The picture under construction, and points in cv2's fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.canvas import PIXELS_PER_M, SIDE_M

Floats = NDArray[np.float64]
Ints = NDArray[np.int32]
Bytes = NDArray[np.uint8]
Window = tuple[slice, slice]

BITS = 4  # of fraction in cv2's fixed point
ONE = 1 << BITS
SQUARE = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
# Texture pixel k covers [k, k + 1) / PIXELS_PER_M metres, and cv2 counts pixel centres.
TO_METRES = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, PIXELS_PER_M]]) / PIXELS_PER_M


@dataclass(frozen=True)
class Picture:
    """What is drawn so far: image (H, W[, 3]), mask (H, W), owner (H, W): actor number or 0."""

    image: Bytes
    mask: Bytes
    owner: Bytes

    def window(self, fixed: Ints) -> Window:
        """Rows and columns that hold some fixed-point pixels (..., 2), with a pixel to spare."""
        height, width = self.owner.shape
        x, y, w, h = cv2.boundingRect(fixed.reshape(-1, 2))
        x0, y0 = max((x >> BITS) - 1, 0), max((y >> BITS) - 1, 0)
        x1, y1 = min((x + w >> BITS) + 2, width), min((y + h >> BITS) + 2, height)
        return slice(y0, max(y0, y1)), slice(x0, max(x0, x1))


def fixed_point(points: NDArray[np.floating[Any]]) -> Ints:
    """Pixels in cv2's fixed point, kept within its range."""
    return np.rint(np.clip(points, -8000, 8000) * ONE).astype(np.int32)


def nearest(view: View, points: Floats) -> Floats:
    """Points (N, 2) moved by whole worlds to where they are closest to the view's centre."""
    return points - SIDE_M * np.round((points - view.look) / SIDE_M)


def in_image(
    view: View, size: tuple[int, int], points: Floats, height_m: float, margin: float
) -> NDArray[np.int64]:
    """Numbers of the points (N, 2) that appear less than `margin` px outside the image."""
    px, depth = view.pixels(np.column_stack([points, np.full(len(points), height_m)]))
    reach = margin * view.scale
    inside = ((px > -reach) & (px < np.array(size) + reach)).all(1) & (depth > 8)
    return np.flatnonzero(inside)
