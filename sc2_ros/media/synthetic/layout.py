# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws the plan of a world: roads, pavements, lots and what stands on them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.canvas import SIDE_M, Canvas, rectangle
from sc2_ros.media.synthetic.materials import ROOFS, Material
from sc2_ros.media.synthetic.roads import EDGE_M, LANE_M, WALK_M, Road, crossing
from sc2_ros.media.synthetic.world import Building

Floats = NDArray[np.float64]
Ellipse = tuple[float, float, float, float]  # cx, cy, rx, ry
_WALLS = ((188, 172, 148), (172, 120, 96), (204, 200, 192), (150, 146, 142), (214, 196, 160))


class Layout:
    """The plan, painted into `ground` (materials) and `shade` (255 = no sun)."""

    def __init__(self, rng: np.random.Generator, sun: Floats) -> None:
        self.rng = rng
        self.sun = sun
        self.ground = Canvas(Material.GRASS if rng.random() < 0.7 else Material.DRY_GRASS)
        self.shade = Canvas(0)
        self.buildings: list[Building] = []
        self.bays: list[tuple[float, float, float]] = []
        self.areas: list[Ellipse] = []
        self._crowns: list[tuple[float, float, float]] = []
        self.roads = self._plan_roads()
        self._blocks()
        self._paint_roads()
        self._plant()

    # -- roads ---------------------------------------------------------------------------

    def _plan_roads(self) -> list[Road]:
        rng = self.rng
        roads = []
        for along_x in (True, False):
            count = 2 if rng.random() < 0.8 else 1
            start = rng.uniform(0, SIDE_M)
            for k in range(count):
                wide = k == 0 and rng.random() < 0.6
                roads.append(
                    Road(
                        along_x=along_x,
                        base_m=(start + k * SIDE_M / count + rng.uniform(-8, 8)) % SIDE_M,
                        amplitude_m=rng.uniform(0, 3.0 if wide else 6.0),
                        waves=int(rng.integers(1, 3)),
                        phase=rng.uniform(0, 2 * np.pi),
                        lanes=2 if wide else 1,
                        cycle_lane=k == 0 or rng.random() < 0.4,
                        side_m=SIDE_M,
                    )
                )
        return roads

    def _strip(self, road: Road, offset: float, width: float, value: int) -> None:
        points, _ = road.pose(np.linspace(0, SIDE_M, 129), np.full(129, offset))
        self.ground.line(points, width, value)

    def _dashes(self, road: Road, offset: float, length: float, gap: float) -> None:
        count = round(SIDE_M / (length + gap))
        for k in range(count):
            u = k * SIDE_M / count + np.linspace(0, length, 3)
            self.ground.line(road.pose(u, np.full(3, offset))[0], 0.24, Material.PAINT)

    def _paint_roads(self) -> None:
        for road in self.roads:
            self._strip(road, 0, road.width_m + 2 * WALK_M, Material.PAVEMENT)
        for road in self.roads:
            self._strip(road, 0, road.width_m + 0.7, Material.KERB)
        for road in self.roads:
            self._strip(road, 0, road.width_m, Material.ASPHALT)
        for road in self.roads:
            self._patches(road)
            edge = road.lanes * LANE_M
            for side in (-1, 1):
                if road.cycle_lane:
                    centre = side * (edge + EDGE_M / 2)
                    self._strip(road, centre, EDGE_M - 0.5, Material.CYCLE_LANE)
                    self._strip(road, side * edge, 0.24, Material.PAINT)
                else:
                    self._dashes(road, side * edge, 0.8, 5.2)
            if road.lanes == 2:
                for offset in (-0.25, 0.25):
                    self._strip(road, offset, 0.2, Material.PAINT)
                for offset in (-LANE_M, LANE_M):
                    self._dashes(road, offset, 3.0, 4.5)
            else:
                self._dashes(road, 0, 3.0, 4.5)
        for road in self.roads:
            for other in self.roads:
                if road.along_x and not other.along_x:
                    self._junction(road, other)
        for road in self.roads:
            if not road.cycle_lane:
                self._kerb_bays(road)

    def _patches(self, road: Road) -> None:
        for _ in range(int(self.rng.integers(4, 12))):
            u = self.rng.uniform(0, SIDE_M)
            offset = self.rng.uniform(-0.5, 0.5) * (road.width_m - 3)
            point, heading = road.pose(u, offset)
            size = self.rng.uniform(1.0, 6.0), self.rng.uniform(0.8, 2.4)
            self.ground.polygon(rectangle(*point, *size, float(heading)), Material.PATCH)

    def _junction(self, road: Road, other: Road) -> None:
        u, v = crossing(road, other)
        arms = ((road, u, other.width_m / 2), (other, v, road.width_m / 2))
        for arm, at, half in arms:
            reach = half + 3.5
            u = at + np.linspace(-reach, reach, 9)
            sides = [arm.pose(u, np.full(9, s * arm.width_m / 2))[0] for s in (-1, 1)]
            self.ground.polygon(np.vstack([sides[0], sides[1][::-1]]), Material.ASPHALT)
        for arm, at, half in arms:
            for side in (-1, 1):
                self._zebra(arm, at + side * (half + 3.2))
                # Traffic keeps right: the stop line crosses the lanes that enter the junction.
                lane = -side * arm.lanes * LANE_M / 2
                point, heading = arm.pose(at + side * (half + 5.8), lane)
                box = rectangle(*point, 0.5, arm.lanes * LANE_M, float(heading))
                self.ground.polygon(box, Material.PAINT)

    def _zebra(self, road: Road, u: float) -> None:
        for offset in np.arange(-road.width_m / 2 + 0.6, road.width_m / 2 - 0.3, 1.1):
            point, heading = road.pose(u, offset)
            box = rectangle(*point, 2.8, 0.55, float(heading))
            self.ground.polygon(box, Material.PAINT)

    def _kerb_bays(self, road: Road) -> None:
        stops = [crossing(road, o) for o in self.roads if o.along_x != road.along_x]
        halves = [o.width_m / 2 for o in self.roads if o.along_x != road.along_x]
        for side in (-1, 1):
            for u in np.arange(0, SIDE_M - 6, 6.0):
                gaps = [
                    abs((u + 3 - s[0] + SIDE_M / 2) % SIDE_M - SIDE_M / 2) - h
                    for s, h in zip(stops, halves, strict=True)
                ]
                if min(gaps) > 11 and self.rng.random() < 0.55:
                    offset = side * (road.lanes * LANE_M + EDGE_M / 2)
                    point, heading = road.pose(u + 3, offset)
                    turn = 0.0 if side > 0 else np.pi
                    self.bays.append((float(point[0]), float(point[1]), float(heading) + turn))

    # -- blocks and lots -----------------------------------------------------------------

    def _blocks(self) -> None:
        across = sorted((r for r in self.roads if not r.along_x), key=lambda r: r.base_m)
        down = sorted((r for r in self.roads if r.along_x), key=lambda r: r.base_m)
        for left, right in _neighbours(across):
            for top, bottom in _neighbours(down):
                urban = self.rng.random() < 0.65
                x0, x1 = left.base_m, right.base_m + (SIDE_M if right.base_m <= left.base_m else 0)
                y0, y1 = top.base_m, bottom.base_m + (SIDE_M if bottom.base_m <= top.base_m else 0)
                if urban:
                    base = self.rng.choice([Material.PAVEMENT, Material.GRASS, Material.GRAVEL])
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
            cut = self.rng.uniform(0.38, 0.62)
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
        getattr(self, "_" + str(self.rng.choice(kinds, p=odds)))(x0, y0, x1, y1)

    def _building(self, x: float, y: float, length: float, width: float, angle: float,
                  height: float, roof: Material) -> None:  # fmt: skip
        base = rectangle(x, y, length, width, angle)
        wall = int(self.rng.integers(len(_WALLS)))
        self.buildings.append(Building(base, height, _WALLS[wall], int(self.rng.integers(70, 170))))
        shifted = base + self.sun * height
        for k in range(4):
            n = (k + 1) % 4
            self.shade.polygon(np.array([base[k], base[n], shifted[n], shifted[k]]), 255)
        self.shade.polygon(shifted, 255)
        self.ground.polygon(base, Material.ROOF_EDGE if roof != Material.ROOF_TILE else roof)
        if roof == Material.ROOF_TILE:
            ridge = rectangle(x, y, length, width, angle)
            middle = [(ridge[0] + ridge[3]) / 2, (ridge[1] + ridge[2]) / 2]
            dark = 0 if float((ridge[0] - ridge[3]) @ self.sun) > 0 else 3
            half = [ridge[0], ridge[1]] if dark == 0 else [ridge[3], ridge[2]]
            self.ground.polygon(np.array([*half, middle[1], middle[0]]), Material.ROOF_TILE_SHADE)
            return
        self.ground.polygon(rectangle(x, y, length - 0.9, width - 0.9, angle), roof)
        for _ in range(int(self.rng.integers(2, 7))):
            dx, dy = self.rng.uniform(-0.38, 0.38, 2) * (length, width)
            cos, sin = np.cos(angle), np.sin(angle)
            ux, uy = x + dx * cos - dy * sin, y + dx * sin + dy * cos
            size = self.rng.uniform(0.9, 2.8, 2)
            shadow = rectangle(ux + self.sun[0], uy + self.sun[1], *size, angle)
            self.ground.polygon(shadow, Material.ROOF_SHADE)
            self.ground.polygon(rectangle(ux, uy, *size, angle), Material.ROOF_UNIT)

    def _houses(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.GRASS)
        columns, rows = max(1, int((x1 - x0) / 16)), max(1, int((y1 - y0) / 16))
        for i in range(columns):
            for j in range(rows):
                cx = x0 + (i + 0.5) * (x1 - x0) / columns
                cy = y0 + (j + 0.5) * (y1 - y0) / rows
                if self.rng.random() < 0.12:
                    self._cluster(cx, cy, 5, 4)
                    continue
                size = self.rng.uniform(8, 11), self.rng.uniform(6.5, 9)
                angle = self.rng.choice([0, np.pi / 2]) + self.rng.normal(0, 0.06)
                self.ground.polygon(rectangle(cx, cy, 13, 3, angle), Material.GRAVEL)
                self._building(cx, cy, *size, angle, self.rng.uniform(4, 7), Material.ROOF_TILE)
                self._crowns.append((cx + 7, cy + self.rng.uniform(-6, 6), 1.6))

    def _tower(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.PAVEMENT)
        width, height = x1 - x0 - 4, y1 - y0 - 4
        roof = ROOFS[int(self.rng.integers(1, len(ROOFS)))]
        tall = self.rng.uniform(7, 16)
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        if self.rng.random() < 0.4 and min(width, height) > 18:
            self._building(cx, y0 + 7, width, 9, 0.0, tall, roof)
            self._building(x0 + 7, cy + 6, 9, height - 14, 0.0, tall * 0.8, roof)
            self._cluster(cx + 6, cy + 6, 6, 6)
        else:
            depth = min(height, self.rng.uniform(12, 22)), min(width, self.rng.uniform(12, 22))
            if width > height:
                self._building(cx, cy, width, depth[0], 0.0, tall, roof)
            else:
                self._building(cx, cy, depth[1], height, 0.0, tall, roof)

    def _parking(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.LOT_ASPHALT)
        full = self.rng.uniform(0.3, 0.9)
        for y in np.arange(y0 + 3, y1 - 3, 8.6):
            for x in np.arange(x0 + 2, x1 - 3.5, 2.75):
                self.ground.line(np.array([[x, y - 2.5], [x, y + 2.5]]), 0.16, Material.PAINT)
                if self.rng.random() < full:
                    heading = np.pi / 2 * self.rng.choice([-1, 1]) + self.rng.normal(0, 0.03)
                    sway = self.rng.normal(0, 0.2)
                    self.bays.append((float(x) + 1.38, float(y) + sway, float(heading)))

    def _park(self, x0: float, y0: float, x1: float, y1: float) -> None:
        self.ground.polygon(_corners(x0, y0, x1, y1), Material.GRASS)
        cx, cy, rx, ry = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) * 0.36, (y1 - y0) * 0.36
        angles = np.linspace(0, 2 * np.pi, 40)
        ring = np.stack([cx + rx * np.cos(angles), cy + ry * np.sin(angles)], 1)
        self.ground.line(ring, 2.2, Material.GRAVEL)
        self.areas.append((cx, cy, rx, ry))
        for _ in range(int(self.rng.integers(2, 6))):
            x, y = self.rng.uniform([x0 + 3, y0 + 3], [x1 - 3, y1 - 3])
            self._cluster(x, y, 7, 5, (cx, cy, rx, ry))

    def _court(self, x0: float, y0: float, x1: float, y1: float) -> None:
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2
        length, width = min(x1 - x0, 36) - 2, min(y1 - y0, 30) - 2
        ground = [Material.COURT_RED, Material.COURT_GREEN][int(self.rng.integers(2))]
        self.ground.polygon(rectangle(cx, cy, length, width, 0), ground)
        box = rectangle(cx, cy, length - 3, width - 3, 0)
        self.ground.line(np.vstack([box, box[:1]]), 0.3, Material.COURT_LINE)
        self.ground.line(np.array([[cx, box[0, 1]], [cx, box[2, 1]]]), 0.3, Material.COURT_LINE)
        self.ground.disc(cx, cy, 2.5, Material.COURT_LINE, 0.3)
        for scale in (0.5, 0.85):
            self.areas.append((cx, cy, length * scale / 2, width * scale / 2))

    def _field(self, x0: float, y0: float, x1: float, y1: float) -> None:
        crop = self.rng.random() < 0.6
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

    # -- plants --------------------------------------------------------------------------

    def _cluster(
        self, x: float, y: float, count: int, spread: float, path: Ellipse | None = None
    ) -> None:
        """A clump of trees that leaves an elliptic path open."""
        for dx, dy in np.clip(self.rng.normal(0, spread / 2, (count, 2)), -spread, spread):
            tx, ty = x + float(dx), y + float(dy)
            if path is not None:
                cx, cy, rx, ry = path
                if abs(np.hypot((tx - cx) / rx, (ty - cy) / ry) - 1) < 4.5 / min(rx, ry):
                    continue
            self._crowns.append((tx, ty, float(self.rng.uniform(1.2, 3.4))))

    def _plant(self) -> None:
        """Street trees join the clumps; crowns stay clear of carriageways, walks and roofs."""
        rng = self.rng
        for road in self.roads:
            for side in (-1, 1):
                for u in np.arange(0, SIDE_M - 9, rng.uniform(8, 14)):
                    if rng.random() < 0.55:
                        offset = side * (road.width_m / 2 + WALK_M + 1.8)
                        point, _ = road.pose(u + rng.uniform(-1, 1), offset)
                        self._crowns.append((*point, float(rng.uniform(1.1, 2.1))))
        scattered = rng.uniform(0, SIDE_M, (160, 2))
        self._crowns += [(x, y, float(rng.uniform(0.7, 2.6))) for x, y in scattered]
        kept = [c for c in self._crowns if self._free(*c)]
        for x, y, radius in kept:
            for lift in (0.6, 1.2, 1.8):
                sx, sy = np.array([x, y]) + self.sun * radius * lift
                self.shade.disc(sx, sy, radius * 0.95, 255)
        for building in self.buildings:
            self.shade.polygon(building.base, 0)
        light = -self.sun / max(float(np.linalg.norm(self.sun)), 1e-6)
        for x, y, radius in kept:
            self._crown(x, y, radius, light)

    def _free(self, x: float, y: float, radius: float) -> bool:
        angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        around = np.stack([np.cos(angles), np.sin(angles)], 1) * (radius + 0.9)
        spots = np.vstack([[[0, 0]], around, around / 2]) + (x, y)
        px = np.floor(spots * len(self.ground.map) / SIDE_M).astype(int) % len(self.ground.map)
        found = self.ground.map[px[:, 1], px[:, 0]]
        return not bool(np.isin(found, _NO_TREES).any())

    def _crown(self, x: float, y: float, radius: float, light: Floats) -> None:
        rng = self.rng
        self.shade.disc(x, y, radius, 0)
        tone = Material.BLOSSOM if rng.random() < 0.06 else Material.TREE_MID
        for angle in np.linspace(0, 2 * np.pi, 7, endpoint=False) + rng.uniform(0, 1):
            dx, dy = 0.62 * radius * np.array([np.cos(angle), np.sin(angle)])
            self.ground.disc(x + dx, y + dy, radius * rng.uniform(0.32, 0.48), Material.TREE_DARK)
        self.ground.disc(x, y, radius * 0.7, Material.TREE_DARK)
        for share, value in ((0.62, tone), (0.34, Material.TREE_LIGHT)):
            for dx, dy in rng.normal(0, 0.28 * radius, (5, 2)):
                shift = light * radius * (0.75 - share)
                self.ground.disc(
                    x + dx * share * 1.5 + shift[0], y + dy * share * 1.5 + shift[1],
                    radius * share * rng.uniform(0.4, 0.75), value,
                )  # fmt: skip


_NO_TREES = [
    Material.ASPHALT, Material.LOT_ASPHALT, Material.PATCH, Material.PAINT, Material.CYCLE_LANE,
    Material.KERB, Material.ROOF_TILE, Material.ROOF_TILE_SHADE, Material.ROOF_GREY,
    Material.ROOF_DARK, Material.ROOF_WHITE, Material.ROOF_BLUE, Material.ROOF_EDGE,
    Material.ROOF_UNIT, Material.ROOF_SHADE, Material.COURT_RED, Material.COURT_GREEN,
    Material.COURT_LINE,
]  # fmt: skip


def _neighbours(roads: list[Road]) -> list[tuple[Road, Road]]:
    return [(road, roads[(k + 1) % len(roads)]) for k, road in enumerate(roads)]


def _corners(x0: float, y0: float, x1: float, y1: float) -> Floats:
    return np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
