# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The plan of a world: blocks between the roads, cut into lots, and what stands on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.canvas import SIDE_M, Canvas, rectangle
from sc2_ros.media.synthetic.materials import ROOFS, Material
from sc2_ros.media.synthetic.plants import Crown, Plants
from sc2_ros.media.synthetic.roads import WALK_M, Road
from sc2_ros.media.synthetic.roadworks import Roadworks, plan
from sc2_ros.media.synthetic.world import Building

Floats = NDArray[np.float64]
Ellipse = tuple[float, float, float, float]  # cx, cy, rx, ry
_WALLS = ((188, 172, 148), (172, 120, 96), (204, 200, 192), (150, 146, 142), (214, 196, 160))


class Layout:
    """The plan, painted into `ground` (materials) and `shade` (255 = no sun)."""

    def __init__(self, rng: np.random.Generator, sun: Floats) -> None:
        self._rng = rng
        self._sun = sun
        self.ground = Canvas(Material.GRASS if rng.random() < 0.7 else Material.DRY_GRASS)
        self.shade = Canvas(0)
        self.buildings: list[Building] = []
        self.bays: list[tuple[float, float, float]] = []
        self.areas: list[Ellipse] = []
        self._crowns: list[Crown] = []
        self.roads = plan(rng)
        self._blocks()
        self.bays += Roadworks(rng, self.ground, self.roads).bays
        plants = Plants(rng, self.ground, self.shade, sun)
        plants.plant(self._crowns, self.roads, [b.base for b in self.buildings])

    def _blocks(self) -> None:
        across = sorted((r for r in self.roads if not r.along_x), key=lambda r: r.base_m)
        down = sorted((r for r in self.roads if r.along_x), key=lambda r: r.base_m)
        for left, right in _neighbours(across):
            for top, bottom in _neighbours(down):
                urban = self._rng.random() < 0.65
                x0, x1 = left.base_m, right.base_m + (SIDE_M if right.base_m <= left.base_m else 0)
                y0, y1 = top.base_m, bottom.base_m + (SIDE_M if bottom.base_m <= top.base_m else 0)
                if urban:
                    base = self._rng.choice([Material.PAVEMENT, Material.GRASS, Material.GRAVEL])
                    self.ground.polygon(_corners(x0, y0, x1, y1), int(base))
                self._split(
                    x0 + left.width_m / 2 + abs(left.amplitude_m) + WALK_M + 1,
                    y0 + top.width_m / 2 + abs(top.amplitude_m) + WALK_M + 1,
                    x1 - right.width_m / 2 - abs(right.amplitude_m) - WALK_M - 1,
                    y1 - bottom.width_m / 2 - abs(bottom.amplitude_m) - WALK_M - 1,
                    urban,
                )

    def _split(self, x0: float, y0: float, x1: float, y1: float, urban: bool) -> None:
        width, height = x1 - x0, y1 - y0
        if min(width, height) < 10:
            return
        if max(width, height) > 42:
            cut = self._rng.uniform(0.38, 0.62)
            if width > height:
                middle = x0 + cut * width
                self._split(x0, y0, middle - 1, y1, urban)
                self._split(middle + 1, y0, x1, y1, urban)
            else:
                middle = y0 + cut * height
                self._split(x0, y0, x1, middle - 1, urban)
                self._split(x0, middle + 1, x1, y1, urban)
            return
        kinds = ("houses", "tower", "parking", "park", "court", "field", "plaza")
        odds = (0.26, 0.24, 0.17, 0.14, 0.05, 0.02, 0.12) if urban else (
            0.14, 0.03, 0.05, 0.40, 0.12, 0.24, 0.02)  # fmt: skip
        getattr(self, "_" + str(self._rng.choice(kinds, p=odds)))(x0, y0, x1, y1)

    def _building(self, x: float, y: float, length: float, width: float, angle: float,
                  height: float, roof: Material) -> None:  # fmt: skip
        base = rectangle(x, y, length, width, angle)
        wall = int(self._rng.integers(len(_WALLS)))
        self.buildings.append(
            Building(base, height, _WALLS[wall], int(self._rng.integers(70, 170)))
        )
        shifted = base + self._sun * height
        for k in range(4):
            n = (k + 1) % 4
            self.shade.polygon(np.array([base[k], base[n], shifted[n], shifted[k]]), 255)
        self.shade.polygon(shifted, 255)
        self.ground.polygon(base, Material.ROOF_EDGE if roof != Material.ROOF_TILE else roof)
        if roof == Material.ROOF_TILE:
            ridge = rectangle(x, y, length, width, angle)
            middle = [(ridge[0] + ridge[3]) / 2, (ridge[1] + ridge[2]) / 2]
            dark = 0 if float((ridge[0] - ridge[3]) @ self._sun) > 0 else 3
            half = [ridge[0], ridge[1]] if dark == 0 else [ridge[3], ridge[2]]
            self.ground.polygon(np.array([*half, middle[1], middle[0]]), Material.ROOF_TILE_SHADE)
            return
        self.ground.polygon(rectangle(x, y, length - 0.9, width - 0.9, angle), roof)
        for _ in range(int(self._rng.integers(2, 7))):
            dx, dy = self._rng.uniform(-0.38, 0.38, 2) * (length, width)
            cos, sin = np.cos(angle), np.sin(angle)
            ux, uy = x + dx * cos - dy * sin, y + dx * sin + dy * cos
            size = self._rng.uniform(0.9, 2.8, 2)
            shadow = rectangle(ux + self._sun[0], uy + self._sun[1], *size, angle)
            self.ground.polygon(shadow, Material.ROOF_SHADE)
            self.ground.polygon(rectangle(ux, uy, *size, angle), Material.ROOF_UNIT)

    def _houses(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.GRASS)
        columns, rows = max(1, int((x1 - x0) / 16)), max(1, int((y1 - y0) / 16))
        for i in range(columns):
            for j in range(rows):
                cx = x0 + (i + 0.5) * (x1 - x0) / columns
                cy = y0 + (j + 0.5) * (y1 - y0) / rows
                if self._rng.random() < 0.12:
                    self._cluster(cx, cy, 5, 4)
                    continue
                size = self._rng.uniform(8, 11), self._rng.uniform(6.5, 9)
                angle = self._rng.choice([0, np.pi / 2]) + self._rng.normal(0, 0.06)
                self.ground.polygon(rectangle(cx, cy, 13, 3, angle), Material.GRAVEL)
                self._building(cx, cy, *size, angle, self._rng.uniform(4, 7), Material.ROOF_TILE)
                self._crowns.append((cx + 7, cy + self._rng.uniform(-6, 6), 1.6))

    def _tower(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.PAVEMENT)
        width, height = x1 - x0 - 4, y1 - y0 - 4
        roof = ROOFS[int(self._rng.integers(1, len(ROOFS)))]
        tall = self._rng.uniform(7, 16)
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        if self._rng.random() < 0.4 and min(width, height) > 18:
            self._building(cx, y0 + 7, width, 9, 0.0, tall, roof)
            self._building(x0 + 7, cy + 6, 9, height - 14, 0.0, tall * 0.8, roof)
            self._cluster(cx + 6, cy + 6, 6, 6)
        else:
            depth = min(height, self._rng.uniform(12, 22)), min(width, self._rng.uniform(12, 22))
            if width > height:
                self._building(cx, cy, width, depth[0], 0.0, tall, roof)
            else:
                self._building(cx, cy, depth[1], height, 0.0, tall, roof)

    def _parking(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.LOT_ASPHALT)
        full = self._rng.uniform(0.3, 0.9)
        for y in np.arange(y0 + 3, y1 - 3, 8.6):
            for x in np.arange(x0 + 2, x1 - 3.5, 2.75):
                self.ground.line(np.array([[x, y - 2.5], [x, y + 2.5]]), 0.16, Material.PAINT)
                if self._rng.random() < full:
                    heading = np.pi / 2 * self._rng.choice([-1, 1]) + self._rng.normal(0, 0.03)
                    sway = self._rng.normal(0, 0.2)
                    self.bays.append((float(x) + 1.38, float(y) + sway, float(heading)))

    def _park(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.GRASS)
        cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * 0.36, (y1 - y0) * 0.36
        angles = np.linspace(0, 2 * np.pi, 40)
        ring = np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], 1)
        self.ground.line(ring, 2.2, Material.GRAVEL)
        self.areas.append((cx, cy, rx, ry))
        for _ in range(int(self._rng.integers(2, 6))):
            x, y = self._rng.uniform([x0 + 3, y0 + 3], [x1 - 3, y1 - 3])
            self._cluster(x, y, 7, 5, (cx, cy, rx, ry))

    def _court(self, x0: float, y0: float, x1: float, y1: float) -> None:
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        length, width = min(x1 - x0, 36) - 2, min(y1 - y0, 30) - 2
        ground = [Material.COURT_RED, Material.COURT_GREEN][int(self._rng.integers(2))]
        self.ground.polygon(rectangle(cx, cy, length, width, 0), ground)
        box = rectangle(cx, cy, length - 3, width - 3, 0)
        self.ground.line(np.vstack([box, box[:1]]), 0.3, Material.COURT_LINE)
        self.ground.line(np.array([[cx, box[0, 1]], [cx, box[2, 1]]]), 0.3, Material.COURT_LINE)
        self.ground.disc(cx, cy, 2.5, Material.COURT_LINE, 0.3)
        for scale in (0.5, 0.85):
            self.areas.append((cx, cy, length * scale / 2, width * scale / 2))

    def _field(self, x0: float, y0: float, x1: float, y1: float) -> None:
        crop = self._rng.random() < 0.6
        ground = Material.CROP if crop else Material.SOIL
        self.ground.polygon(_corners(x0, y0, x1, y1), ground)
        for x in np.arange(x0 + 1, x1, 2.2):
            row = np.array([[x, y0], [x, y1]])
            if crop:
                self.ground.line(row, 0.9, Material.FURROW)

    def _plaza(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.PLAZA)
        for x in np.arange(x0, x1, 4.0):
            self.ground.line(np.array([[x, y0], [x, y1]]), 0.2, Material.PLAZA_JOINT)
        for y in np.arange(y0, y1, 4.0):
            self.ground.line(np.array([[x0, y], [x1, y]]), 0.2, Material.PLAZA_JOINT)
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        self.ground.disc(cx, cy, 4.2, Material.KERB)
        self.ground.disc(cx, cy, 3.8, Material.GRASS)
        self._crowns.append((cx, cy, 2.4))
        for scale in (0.5, 0.7, 0.9):
            self.areas.append((cx, cy, (x1 - x0) * scale / 2, (y1 - y0) * scale / 2))

    def _cluster(
        self, x: float, y: float, count: int, spread: float, path: Ellipse | None = None
    ) -> None:
        """A clump of trees that leaves an elliptic path open."""
        for dx, dy in np.clip(self._rng.normal(0, spread / 2, (count, 2)), -spread, spread):
            tx, ty = x + float(dx), y + float(dy)
            if path is not None:
                cx, cy, rx, ry = path
                if abs(np.hypot((tx - cx) / rx, (ty - cy) / ry) - 1) < 4.5 / min(rx, ry):
                    continue
            self._crowns.append((tx, ty, float(self._rng.uniform(1.2, 3.4))))


def _neighbours(roads: list[Road]) -> list[tuple[Road, Road]]:
    return [(road, roads[(k + 1) % len(roads)]) for k, road in enumerate(roads)]


def _corners(x0: float, y0: float, x1: float, y1: float) -> Floats:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
