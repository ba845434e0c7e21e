# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Plans roads and paints them: pavements, kerbs, lanes, markings, junctions, kerbside bays."""

from __future__ import annotations

import numpy as np

from sc2_ros.media.synthetic.canvas import SIDE_M, Canvas, rectangle
from sc2_ros.media.synthetic.materials import Material
from sc2_ros.media.synthetic.roads import EDGE_M, LANE_M, WALK_M, Road, crossing


def plan(rng: np.random.Generator) -> list[Road]:
    """One or two roads each way, the first of them often with two lanes a side."""
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


class Roadworks:
    """Paints roads on the ground.

    Attributes:
        bays: poses (x, y, heading) of vehicles parked at the kerbs.
    """

    def __init__(self, rng: np.random.Generator, ground: Canvas, roads: list[Road]) -> None:
        self._rng, self._ground, self.roads = rng, ground, roads
        self.bays: list[tuple[float, float, float]] = []
        self._paint()

    def _strip(self, road: Road, offset: float, width: float, value: int) -> None:
        points, _ = road.pose(np.linspace(0, SIDE_M, 129), np.full(129, offset))
        self._ground.line(points, width, value)

    def _dashes(self, road: Road, offset: float, length: float, gap: float) -> None:
        count = round(SIDE_M / (length + gap))
        for k in range(count):
            u = k * SIDE_M / count + np.linspace(0, length, 3)
            self._ground.line(road.pose(u, np.full(3, offset))[0], 0.24, Material.PAINT)

    def _paint(self) -> None:
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
        for _ in range(int(self._rng.integers(4, 12))):
            u = self._rng.uniform(0, SIDE_M)
            offset = self._rng.uniform(-0.5, 0.5) * (road.width_m - 3)
            point, heading = road.pose(u, offset)
            size = self._rng.uniform(1.0, 6.0), self._rng.uniform(0.8, 2.4)
            self._ground.polygon(rectangle(*point, *size, float(heading)), Material.PATCH)

    def _junction(self, road: Road, other: Road) -> None:
        u, v = crossing(road, other)
        arms = ((road, u, other.width_m / 2), (other, v, road.width_m / 2))
        for arm, at, half in arms:
            reach = half + 3.5
            u = at + np.linspace(-reach, reach, 9)
            sides = [arm.pose(u, np.full(9, s * arm.width_m / 2))[0] for s in (-1, 1)]
            self._ground.polygon(np.vstack([sides[0], sides[1][::-1]]), Material.ASPHALT)
        for arm, at, half in arms:
            for side in (-1, 1):
                self._zebra(arm, at + side * (half + 3.2))
                # Traffic keeps right: the stop line crosses the lanes that enter the junction.
                lane = -side * arm.lanes * LANE_M / 2
                point, heading = arm.pose(at + side * (half + 5.8), lane)
                box = rectangle(*point, 0.5, arm.lanes * LANE_M, float(heading))
                self._ground.polygon(box, Material.PAINT)

    def _zebra(self, road: Road, u: float) -> None:
        for offset in np.arange(-road.width_m / 2 + 0.6, road.width_m / 2 - 0.3, 1.1):
            point, heading = road.pose(u, offset)
            box = rectangle(*point, 2.8, 0.55, float(heading))
            self._ground.polygon(box, Material.PAINT)

    def _kerb_bays(self, road: Road) -> None:
        stops = [crossing(road, o) for o in self.roads if o.along_x != road.along_x]
        halves = [o.width_m / 2 for o in self.roads if o.along_x != road.along_x]
        for side in (-1, 1):
            for u in np.arange(0, SIDE_M - 6, 6.0):
                gaps = [
                    abs((u + 3 - s[0] + SIDE_M / 2) % SIDE_M - SIDE_M / 2) - h
                    for s, h in zip(stops, halves, strict=True)
                ]
                if min(gaps) > 11 and self._rng.random() < 0.55:
                    offset = side * (road.lanes * LANE_M + EDGE_M / 2)
                    point, heading = road.pose(u + 3, offset)
                    turn = 0.0 if side > 0 else np.pi
                    self.bays.append((float(point[0]), float(point[1]), float(heading) + turn))
