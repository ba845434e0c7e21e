# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who is where at a time t: closed-form motion, so that any frame can be drawn on its own.

All traffic goes round the torus at one speed, so everything repeats after `period_s`, and two
vehicles that miss each other at a junction once miss each other for ever. Bicycles go at half
that speed. Whoever would collide is simply not let in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic import bodies
from sc2_ros.media.synthetic.bodies import Body
from sc2_ros.media.synthetic.canvas import SIDE_M
from sc2_ros.media.synthetic.roads import EDGE_M, LANE_M, WALK_M, Road, crossing
from sc2_ros.media.synthetic.world import World

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Rider:
    """Somebody who follows a road at `speed_mps` (negative: against its axis)."""

    body: list[Body]
    road: Road
    start_m: float
    speed_mps: float
    offset_m: float
    reach_m: float = 0.0  # > 0: walks this far and turns round

    def pose(self, t: float) -> tuple[float, float, float]:
        """(x, y, heading) at t seconds."""
        if self.reach_m:
            lap = abs(self.speed_mps) * t % (2 * self.reach_m)
            there = lap < self.reach_m
            u = self.start_m + (lap if there else 2 * self.reach_m - lap)
            turn = 0.0 if there else np.pi
        else:
            u = self.start_m + self.speed_mps * t
            turn = 0.0 if self.speed_mps > 0 else np.pi
        point, heading = self.road.pose(u, self.offset_m)
        return float(point[0]), float(point[1]), float(heading) + turn


@dataclass(frozen=True)
class Stroller:
    """Somebody who walks round an ellipse (cx, cy, rx, ry)."""

    body: list[Body]
    area: tuple[float, float, float, float]
    phase: float
    rate: float  # rad/s

    def pose(self, t: float) -> tuple[float, float, float]:
        """(x, y, heading) at t seconds."""
        cx, cy, rx, ry = self.area
        a = self.phase + self.rate * t
        sense = 1.0 if self.rate > 0 else -1.0
        heading = np.arctan2(sense * ry * np.cos(a), -sense * rx * np.sin(a))
        return cx + rx * float(np.cos(a)), cy + ry * float(np.sin(a)), float(heading)


@dataclass(frozen=True)
class Parked:
    """A vehicle that stays."""

    body: list[Body]
    place: tuple[float, float, float]

    def pose(self, t: float) -> tuple[float, float, float]:
        """(x, y, heading), the same at all times."""
        return self.place


Actor = Rider | Stroller | Parked


class Traffic:
    """All actors of a world."""

    def __init__(self, rng: np.random.Generator, world: World) -> None:
        self._rng = rng
        self._roads = world.roads
        self._speed = float(rng.uniform(7, 10))
        self.period_s = SIDE_M / self._speed
        self._moving: list[Rider] = []
        for road in world.roads:
            self._drive(road)
            if road.cycle_lane:
                self._cycle(road)
        self.actors: list[Actor] = [*self._moving]
        for bay in world.bays:
            self.actors.append(Parked([bodies.vehicle(rng, parked=True)], bay))
        for road in world.roads:
            self._walk(road)
        for area in world.areas:
            for _ in range(int(rng.integers(2, 7))):
                pace = rng.uniform(0.7, 1.6) * rng.choice([-1, 1])
                rate = float(pace / max(area[2:]))
                phase = float(rng.uniform(0, 2 * np.pi))
                self.actors.append(Stroller(bodies.walker(rng), area, phase, rate))

    def _drive(self, road: Road) -> None:
        lanes = [s * (k + 0.5) * LANE_M for s in (1, -1) for k in range(road.lanes)]
        for _ in range(34):
            offset = lanes[int(self._rng.integers(len(lanes)))]
            body = bodies.vehicle(self._rng)
            speed = self._speed * (1 if offset > 0 else -1)
            wobble = float(self._rng.normal(0, 0.15))
            self._admit(Rider([body], road, self._somewhere(), speed, offset + wobble))

    def _cycle(self, road: Road) -> None:
        for _ in range(12):
            side = float(self._rng.choice([-1, 1]))
            offset = side * (road.lanes * LANE_M + EDGE_M / 2)
            cyclist = bodies.rider(self._rng)
            self._admit(Rider(cyclist, road, self._somewhere(), side * self._speed / 2, offset))

    def _walk(self, road: Road) -> None:
        others = [o for o in self._roads if o.along_x != road.along_x]
        stops = sorted(crossing(road, o)[0] % SIDE_M for o in others)
        for k, first in enumerate(stops):
            last = stops[(k + 1) % len(stops)] + (SIDE_M if k + 1 == len(stops) else 0)
            for _ in range(int(self._rng.integers(3, 12))):
                ends = np.sort(self._rng.uniform(first + 16, last - 16, 2))
                if ends[1] - ends[0] < 8:
                    continue
                side = float(self._rng.choice([-1, 1]))
                offset = side * (road.width_m / 2 + self._rng.uniform(0.6, WALK_M - 0.4))
                pace = float(self._rng.uniform(0.9, 1.7))
                person = bodies.walker(self._rng)
                reach = float(ends[1] - ends[0])
                self.actors.append(Rider(person, road, float(ends[0]), pace, offset, reach))

    def _somewhere(self) -> float:
        return float(self._rng.uniform(0, SIDE_M))

    def _admit(self, new: Rider) -> None:
        """Lets a vehicle in unless it would touch one that is there already."""
        for old in self._moving:
            lengths = (new.body[0].length_m + old.body[0].length_m) / 2
            if old.road is new.road:
                aside = abs(old.offset_m - new.offset_m)
                ahead = abs((old.start_m - new.start_m + SIDE_M / 2) % SIDE_M - SIDE_M / 2)
                if aside < 1.2 and ahead < lengths + 4:
                    return
            elif old.road.along_x != new.road.along_x:
                u, v = crossing(new.road, old.road)
                gap = (u - new.start_m) / new.speed_mps - (v - old.start_m) / old.speed_mps
                gap = abs((gap + self.period_s / 2) % self.period_s - self.period_s / 2)
                reach = abs(old.offset_m) / abs(new.speed_mps) + abs(new.offset_m) / abs(
                    old.speed_mps
                )
                if gap < reach + (lengths + 2) / min(abs(new.speed_mps), abs(old.speed_mps)):
                    return
        self._moving.append(new)
