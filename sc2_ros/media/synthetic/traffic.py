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
class Mover:
    """Somebody who follows a road at `speed_mps` (negative: against its axis)."""

    shapes: list[Body]
    road: int
    start_m: float
    speed_mps: float
    offset_m: float
    reach_m: float = 0.0  # > 0: walks this far and turns round


@dataclass(frozen=True)
class Stroller:
    """Somebody who walks round an ellipse (cx, cy, rx, ry)."""

    shapes: list[Body]
    area: tuple[float, float, float, float]
    phase: float
    rate: float  # rad/s


class Traffic:
    """All actors of a world.

    Attributes:
        shapes: per actor its body, one per phase of its movement.
        period_s: after this time the motor traffic repeats.
    """

    def __init__(self, rng: np.random.Generator, world: World) -> None:
        self._rng = rng
        self._roads = world.roads
        self._speed = float(rng.uniform(7, 10))
        self.period_s = SIDE_M / self._speed
        self._movers: list[Mover] = []
        for number, road in enumerate(world.roads):
            self._drive(number, road)
            if road.cycle_lane:
                self._cycle(number, road)
        for number, road in enumerate(world.roads):
            self._walk(number, road)
        strollers = self._stroll(world)
        self.shapes: list[list[Body]] = [
            *(m.shapes for m in self._movers),
            *(s.shapes for s in strollers),
            *([bodies.vehicle(rng, parked=True)] for _ in world.bays),
        ]
        self._tracks = np.array(
            [(m.start_m, m.speed_mps, m.offset_m, m.reach_m) for m in self._movers]
        ).reshape(-1, 4)
        self._track_road = np.array([m.road for m in self._movers], int)
        self._rounds = np.array([(*s.area, s.phase, s.rate) for s in strollers]).reshape(-1, 6)
        self._parked = np.array(world.bays, float).reshape(-1, 3)

    def poses(self, t: float) -> Floats:
        """Poses (N, 3) at t seconds: x and y in metres, heading in radians; as `shapes` runs."""
        moving = np.empty((len(self._tracks), 3))
        for number, road in enumerate(self._roads):
            rows = np.flatnonzero(self._track_road == number)
            start, speed, offset, reach = self._tracks[rows].T
            lap = np.mod(np.abs(speed) * t, np.where(reach > 0, 2 * reach, 1.0))
            back = np.where(reach > 0, lap > reach, speed < 0)
            walked = np.where(back, 2 * reach - lap, lap)
            u = start + np.where(reach > 0, walked, speed * t)
            moving[rows, :2], heading = road.pose(u, offset)
            moving[rows, 2] = heading + np.pi * back
        cx, cy, rx, ry, phase, rate = self._rounds.T
        angle, sense = phase + rate * t, np.sign(rate)
        cos, sin = np.cos(angle), np.sin(angle)
        heading = np.arctan2(sense * ry * cos, -sense * rx * sin)
        strolling = np.stack([cx + rx * cos, cy + ry * sin, heading], 1)
        return np.vstack([moving, strolling, self._parked])

    def _drive(self, number: int, road: Road) -> None:
        lanes = [s * (k + 0.5) * LANE_M for s in (1, -1) for k in range(road.lanes)]
        for _ in range(34):
            offset = lanes[int(self._rng.integers(len(lanes)))]
            body = bodies.vehicle(self._rng)
            speed = self._speed * (1 if offset > 0 else -1)
            wobble = float(self._rng.normal(0, 0.15))
            self._admit(Mover([body], number, self._somewhere(), speed, offset + wobble))

    def _cycle(self, number: int, road: Road) -> None:
        for _ in range(12):
            side = float(self._rng.choice([-1, 1]))
            offset = side * (road.lanes * LANE_M + EDGE_M / 2)
            speed = side * self._speed / 2
            self._admit(Mover(bodies.rider(self._rng), number, self._somewhere(), speed, offset))

    def _walk(self, number: int, road: Road) -> None:
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
                self._movers.append(Mover(person, number, float(ends[0]), pace, offset, reach))

    def _stroll(self, world: World) -> list[Stroller]:
        strollers = []
        for area in world.areas:
            for _ in range(int(self._rng.integers(2, 7))):
                pace = self._rng.uniform(0.7, 1.6) * self._rng.choice([-1, 1])
                rate = float(pace / max(area[2:]))
                phase = float(self._rng.uniform(0, 2 * np.pi))
                strollers.append(Stroller(bodies.walker(self._rng), area, phase, rate))
        return strollers

    def _somewhere(self) -> float:
        return float(self._rng.uniform(0, SIDE_M))

    def _admit(self, new: Mover) -> None:
        """Lets a vehicle in unless it would touch one that is there already."""
        if not any(self._touch(new, old) for old in self._movers):
            self._movers.append(new)

    def _touch(self, new: Mover, old: Mover) -> bool:
        length = (new.shapes[0].length_m + old.shapes[0].length_m) / 2
        road, other = self._roads[new.road], self._roads[old.road]
        if new.road == old.road:
            aside = abs(old.offset_m - new.offset_m)
            ahead = abs((old.start_m - new.start_m + SIDE_M / 2) % SIDE_M - SIDE_M / 2)
            return aside < 1.2 and ahead < length + 4
        if road.along_x == other.along_x:
            return False
        u, v = crossing(road, other)
        gap = (u - new.start_m) / new.speed_mps - (v - old.start_m) / old.speed_mps
        gap = abs((gap + self.period_s / 2) % self.period_s - self.period_s / 2)
        # The lanes cross up to this much earlier or later than the centre lines do.
        slack = abs(old.offset_m / new.speed_mps) + abs(new.offset_m / old.speed_mps)
        return gap < slack + (length + 2) / min(abs(new.speed_mps), abs(old.speed_mps))
