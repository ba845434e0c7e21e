# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Trees: where there is room for one, its crown and its shadow."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.canvas import SIDE_M, Canvas
from sc2_ros.media.synthetic.materials import Material
from sc2_ros.media.synthetic.roads import WALK_M, Road

Floats = NDArray[np.float64]
Crown = tuple[float, float, float]  # x, y, radius in metres

_NO_TREES = [
    Material.ASPHALT, Material.LOT_ASPHALT, Material.PATCH, Material.PAINT, Material.CYCLE_LANE,
    Material.KERB, Material.ROOF_TILE, Material.ROOF_TILE_SHADE, Material.ROOF_GREY,
    Material.ROOF_DARK, Material.ROOF_WHITE, Material.ROOF_BLUE, Material.ROOF_EDGE,
    Material.ROOF_UNIT, Material.ROOF_SHADE, Material.COURT_RED, Material.COURT_GREEN,
    Material.COURT_LINE,
]  # fmt: skip


class Plants:
    """Adds street trees to the crowns asked for; all stay clear of roads, walks and roofs."""

    def __init__(
        self, rng: np.random.Generator, ground: Canvas, shade: Canvas, sun: Floats
    ) -> None:
        self._rng, self._ground, self._shade, self._sun = rng, ground, shade, sun

    def plant(self, crowns: list[Crown], roads: list[Road], roofs: list[Floats]) -> None:
        """Paints the crowns there is room for; roofs (4, 2) stay in the sun."""
        rng, crowns = self._rng, list(crowns)
        for road in roads:
            for side in (-1, 1):
                for u in np.arange(0, SIDE_M - 9, rng.uniform(8, 14)):
                    if rng.random() < 0.55:
                        offset = side * (road.width_m / 2 + WALK_M + 1.8)
                        point, _ = road.pose(u + rng.uniform(-1, 1), offset)
                        crowns.append((*point, float(rng.uniform(1.1, 2.1))))
        scattered = rng.uniform(0, SIDE_M, (160, 2))
        crowns += [(x, y, float(rng.uniform(0.7, 2.6))) for x, y in scattered]
        kept = [c for c in crowns if self._free(*c)]
        for x, y, radius in kept:
            for lift in (0.6, 1.2, 1.8):
                sx, sy = np.array([x, y]) + self._sun * radius * lift
                self._shade.disc(sx, sy, radius * 0.95, 255)
        for roof in roofs:
            self._shade.polygon(roof, 0)
        light = -self._sun / max(float(np.linalg.norm(self._sun)), 1e-6)
        for x, y, radius in kept:
            self._crown(x, y, radius, light)

    def _free(self, x: float, y: float, radius: float) -> bool:
        angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        around = np.stack([np.cos(angles), np.sin(angles)], 1) * (radius + 0.9)
        spots = np.vstack([[[0, 0]], around, around / 2]) + (x, y)
        px = np.floor(spots * len(self._ground.map) / SIDE_M).astype(int) % len(self._ground.map)
        found = self._ground.map[px[:, 1], px[:, 0]]
        return not bool(np.isin(found, _NO_TREES).any())

    def _crown(self, x: float, y: float, radius: float, light: Floats) -> None:
        rng = self._rng
        self._shade.disc(x, y, radius, 0)
        tone = Material.BLOSSOM if rng.random() < 0.06 else Material.TREE_MID
        for angle in np.linspace(0, 2 * np.pi, 7, endpoint=False) + rng.uniform(0, 1):
            dx, dy = 0.62 * radius * np.array([np.cos(angle), np.sin(angle)])
            self._ground.disc(x + dx, y + dy, radius * rng.uniform(0.32, 0.48), Material.TREE_DARK)
        self._ground.disc(x, y, radius * 0.7, Material.TREE_DARK)
        for share, value in ((0.62, tone), (0.34, Material.TREE_LIGHT)):
            for dx, dy in rng.normal(0, 0.28 * radius, (5, 2)):
                shift = light * radius * (0.75 - share)
                self._ground.disc(
                    x + dx * share * 1.5 + shift[0], y + dy * share * 1.5 + shift[1],
                    radius * share * rng.uniform(0.4, 0.75), value,
                )  # fmt: skip
