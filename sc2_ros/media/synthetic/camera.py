# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The flying camera: where it looks at a time, and how metres become pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
MOTIONS = ("mixed", "static", "hover", "pan", "yaw", "forward", "altitude")
FOCAL = 600.0  # px at 640x480: 56 degrees across
CYCLE_S = 48.0
_STEP_S = 0.1
# One cycle of "mixed"; its turns and climbs cancel out, so that cycles join without a jump.
_MIX = ("forward", "hover", "yaw", "pan", "climb", "forward", "yaw_back", "sink")


@dataclass(frozen=True)
class View:
    """A pinhole camera over the ground plane; `project` is 3x4, metres to homogeneous pixels."""

    project: Floats
    look: Floats
    scale: float

    def pixels(self, points: Floats) -> tuple[Floats, Floats]:
        """Pixels (..., 2) and depths (...) in metres of points (..., 3)."""
        homogeneous = points @ self.project[:, :3].T + self.project[:, 3]
        depth = homogeneous[..., 2]
        return homogeneous[..., :2] / np.maximum(depth, 1.0)[..., None], depth

    def plane(self, height_m: float) -> Floats:
        """Homography (3, 3) from metres on the plane at a height to pixels."""
        column = self.project[:, 3] + self.project[:, 2] * height_m
        return np.stack([self.project[:, 0], self.project[:, 1], column], 1)


class Path:
    """A deterministic flight: position, yaw, slant distance and tilt as functions of time."""

    def __init__(
        self, rng: np.random.Generator, motion: str, start: Floats, yaw: float, *, tilted: bool
    ) -> None:
        self._motion = motion
        self._start = start
        self._yaw = yaw
        self._slant = float(rng.uniform(56, 90))
        tilt = float(rng.choice([0.0, rng.uniform(0.05, 0.5)], p=[0.2, 0.8]))
        self._tilt = tilt if tilted else 0.0
        self._sense = float(rng.choice([-1, 1]))
        self._speed = float(rng.uniform(5, 9))
        self._phases = rng.uniform(0, 2 * np.pi, 8)
        self._offset = float(rng.uniform(0, CYCLE_S)) if motion == "mixed" else 0.0
        self._sums = self._integrate()

    def _integrate(self) -> Floats:
        """Place (x, y), yaw and climb after each step of a cycle, (K + 1, 4), from rest at zero."""
        steps = round(CYCLE_S / _STEP_S)
        rates = np.zeros((steps, 4))
        legs = _MIX if self._motion == "mixed" else (self._motion,)
        table = {
            "forward": (self._speed, 0, 0, 0),
            "static": (0, 0, 0, 0),
            "hover": (0, 0, 0, 0),
            "pan": (0, self._speed * self._sense * 0.8, 0, 0),
            "yaw": (0, 0, 0.22 * self._sense, 0),
            "yaw_back": (0, 0, -0.22 * self._sense, 0),
            "climb": (1.0, 0, 0, 2.5),
            "sink": (2.0, 0, 0, -2.5),
            "altitude": (0, 0, 0, 0),
        }
        for k in range(steps):
            rates[k] = table[legs[k * len(legs) // steps]]
        kernel = np.hanning(round(2.4 / _STEP_S) + 1)
        kernel /= kernel.sum()
        half = len(kernel) // 2
        padded = np.pad(rates, ((half, half), (0, 0)), mode="wrap")
        rates = np.stack([np.convolve(padded[:, c], kernel, "valid") for c in range(4)], 1)
        yaw = np.concatenate([[0.0], np.cumsum(rates[:, 2])]) * _STEP_S
        ahead = np.stack([np.sin(yaw), -np.cos(yaw)], 1)[:-1]
        aside = np.stack([np.cos(yaw), np.sin(yaw)], 1)[:-1]
        moves = rates[:, :1] * ahead + rates[:, 1:2] * aside
        place = np.vstack([[0.0, 0.0], np.cumsum(moves, 0)]) * _STEP_S
        climb = np.concatenate([[0.0], np.cumsum(rates[:, 3])]) * _STEP_S
        return np.column_stack([place, yaw, climb])

    def state(self, t: float) -> tuple[Floats, float, float, float]:
        """Ground point looked at (2,), yaw, slant distance and tilt at t seconds."""
        if self._motion == "static":  # on a mast: not even the wind
            t = 0.0
        whole, part = divmod(t + self._offset, CYCLE_S)
        grid = np.arange(len(self._sums)) * _STEP_S
        now = np.array([np.interp(part, grid, self._sums[:, c]) for c in range(4)])
        # Each cycle starts turned by what the ones before it turned in all (zero for "mixed").
        turned = self._sums[-1, 2]
        place = np.zeros(2)
        if abs(turned) < 1e-9:
            place = whole * self._sums[-1, :2] + now[:2]
        yaw = self._yaw + whole * turned + now[2]
        cos, sin = np.cos(self._yaw), np.sin(self._yaw)
        place = np.array([cos * place[0] - sin * place[1], sin * place[0] + cos * place[1]])
        p = self._phases
        shake = 0.14 * np.array(
            [np.sin(2.1 * t + p[0]) + 0.6 * np.sin(5.3 * t + p[1]),
             np.sin(1.7 * t + p[2]) + 0.6 * np.sin(4.7 * t + p[3])]
        )  # fmt: skip
        yaw += 0.006 * np.sin(1.3 * t + p[4]) + 0.002 * np.sin(6.1 * t + p[5])
        slant = self._slant + now[3] - 8.0 * (self._motion == "mixed")
        if self._motion == "altitude":
            slant = 73 + 20 * np.sin(2 * np.pi * t / 20 + p[6])
        tilt = self._tilt + 0.004 * np.sin(3.1 * t + p[7])
        return self._start + place + shake, yaw, float(np.clip(slant, 48, 98)), max(tilt, 0.0)

    def view(self, t: float, width: int, height: int) -> View:
        """The camera at t seconds for an image of the given size."""
        look, yaw, slant, tilt = self.state(t)
        scale = max(width / 640, height / 480)
        right = np.array([np.cos(yaw), np.sin(yaw), 0.0])
        ahead = np.array([np.sin(yaw), -np.cos(yaw), 0.0])
        up = np.array([0.0, 0.0, 1.0])
        axis = np.sin(tilt) * ahead - np.cos(tilt) * up
        down = -(np.cos(tilt) * ahead + np.sin(tilt) * up)
        rotation = np.stack([right, down, axis])
        centre = np.array([*look, 0.0]) - slant * axis
        intrinsics = np.array(
            [[FOCAL * scale, 0, width / 2 - 0.5], [0, FOCAL * scale, height / 2 - 0.5], [0, 0, 1]]
        )
        outer = np.column_stack([rotation, -rotation @ centre])
        return View(intrinsics @ outer, look, scale)
