# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws a view of the world: ground, actors, then buildings, with a number per pixel.

    texture, labels --homography--> image, mask
    actors (far to near)        --> image, owner (H, W) uint8: which actor a pixel shows
    buildings (far to near)     --> image, mask, owner = 0 where they hide somebody
    owner -> boxes of the visible parts, and the mask of vehicles and people
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic import bodies, materials
from sc2_ros.media.synthetic.bodies import Body
from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.canvas import PIXELS_PER_M, SIDE_M, SIDE_PX
from sc2_ros.media.synthetic.traffic import Actor
from sc2_ros.media.synthetic.world import Building, World

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
MIN_SIDE_PX = 3.0
MIN_VISIBLE = 0.3
_MAX_ACTORS = 250
_TO_METRES = np.diag([1 / PIXELS_PER_M, 1 / PIXELS_PER_M, 1.0])
# Texture pixel k covers [k, k + 1) / PIXELS_PER_M metres, and cv2 counts pixel centres.
_TO_METRES[:2, 2] = 0.5 / PIXELS_PER_M


class Renderer:
    """Draws one world; keeps nothing between frames."""

    def __init__(self, world: World, width: int, height: int, thermal: bool) -> None:
        self._world = world
        self._width, self._height = width, height
        self._thermal = thermal
        self._class_of = np.zeros(256, np.uint8)

    def draw(
        self, view: View, actors: list[Actor], t: float
    ) -> tuple[Bytes, Floats, NDArray[np.int64], Bytes]:
        """Image (H, W[, 3]), boxes (N, 4) xyxy px, labels (N,), mask (H, W) at t seconds."""
        size = (self._width, self._height)
        ground = view.plane(0.0) @ _TO_METRES
        image = cv2.warpPerspective(
            self._world.texture, ground, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP
        )
        mask = cv2.warpPerspective(
            self._world.labels, ground, size, flags=cv2.INTER_NEAREST, borderMode=cv2.BORDER_WRAP
        )
        owner = np.zeros((self._height, self._width), np.uint8)
        seen = self._visible(view, actors, t)
        for body, pose, _ in seen:
            self._shadow(view, image, body, pose)
        areas = []
        for number, (body, pose, lit) in enumerate(seen, 1):
            areas.append(self._actor(view, image, owner, number, body, pose, lit))
        for building in self._standing(view):
            self._building(view, image, mask, owner, *building)
        boxes, labels = self._boxes(owner, seen, areas)
        classes = np.zeros(256, np.uint8)
        for number, (body, _, _) in enumerate(seen, 1):
            person = body.label in (bodies.PERSON, bodies.BICYCLE)
            classes[number] = materials.PERSON if person else materials.VEHICLE
        np.copyto(mask, cv2.LUT(owner, classes), where=owner > 0)
        return image, boxes, labels, mask

    # -- what is in sight ------------------------------------------------------------------

    def _near(self, view: View, points: Floats) -> Floats:
        """Moves points (N, 2) by whole worlds to where they are closest to the view's centre."""
        return points - SIDE_M * np.round((points - view.look) / SIDE_M)

    def _in_image(self, view: View, points: Floats, height: float, margin: float) -> NDArray[np.bool_]:
        lifted = np.column_stack([points, np.full(len(points), height / 2)])
        px, depth = view.pixels(lifted)
        reach = margin * view.scale
        return np.asarray(
            (depth > 8)
            & (px[:, 0] > -reach) & (px[:, 0] < self._width + reach)
            & (px[:, 1] > -reach) & (px[:, 1] < self._height + reach)
        )  # fmt: skip

    def _visible(
        self, view: View, actors: list[Actor], t: float
    ) -> list[tuple[Body, Floats, float]]:
        """Bodies in sight, far to near: (body, pose (x, y, heading), share of sun light)."""
        poses = np.array([a.pose(t) for a in actors]).reshape(-1, 3)
        poses[:, :2] = self._near(view, poses[:, :2])
        inside = np.flatnonzero(self._in_image(view, poses[:, :2], 0.0, 70))
        _, depth = view.pixels(np.column_stack([poses[inside, :2], np.zeros(len(inside))]))
        inside = inside[np.argsort(-depth, kind="stable")][-_MAX_ACTORS:]
        seen = []
        for k in inside:
            shapes = actors[k].body
            # Two strides a second; each walker has a phase of their own.
            body = shapes[int(t * 4 + k * 1.7) % len(shapes)]
            x, y = (np.floor(poses[k, :2] * PIXELS_PER_M).astype(int)) % SIDE_PX
            dark = self._world.shade[y, x] > 0
            seen.append((body, poses[k], 1 - self._world.shadow if dark else 1.0))
        return seen

    def _standing(self, view: View) -> list[tuple[Building, Floats]]:
        """Buildings in sight, far to near from the camera's own spot on the ground."""
        if not self._world.buildings:
            return []
        bases = [b.base.mean(0) for b in self._world.buildings]
        near = self._near(view, np.array(bases))
        inside = np.flatnonzero(self._in_image(view, near, 8.0, 420))
        rotation_and_k = view.project[:, :3]
        centre = -np.linalg.solve(rotation_and_k, view.project[:, 3])
        away = np.linalg.norm(near[inside] - centre[:2], axis=1)
        order = inside[np.argsort(-away, kind="stable")]
        return [(self._world.buildings[k], near[k] - bases[k]) for k in order]

    # -- actors ----------------------------------------------------------------------------

    @staticmethod
    def _placed(points: Floats, pose: Floats) -> Floats:
        cos, sin = np.cos(pose[2]), np.sin(pose[2])
        x = pose[0] + cos * points[:, 0] - sin * points[:, 1]
        y = pose[1] + sin * points[:, 0] + cos * points[:, 1]
        return np.stack([x, y, points[:, 2]], 1)

    def _shadow(self, view: View, image: Bytes, body: Body, pose: Floats) -> None:
        x, y = (np.floor(pose[:2] * PIXELS_PER_M).astype(int)) % SIDE_PX
        if self._world.shade[y, x]:
            return
        half = np.array([body.length_m, body.width_m]) / 2 * (1.0 if body.height_m < 1.6 else 0.9)
        if body.label in (bodies.PERSON, bodies.BICYCLE):
            half = half * (0.6, 0.5)
        corners = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]]) * half
        foot = self._placed(np.column_stack([corners, np.zeros(4)]), pose)
        cast = foot.copy()
        cast[:, :2] += self._world.sun * body.height_m
        px, _ = view.pixels(np.vstack([foot, cast]))
        hull = cv2.convexHull(px.astype(np.float32))[:, 0]
        low = np.maximum(np.floor(hull.min(0)).astype(int) - 1, 0)
        high = np.minimum(np.ceil(hull.max(0)).astype(int) + 2, (self._width, self._height))
        if (high <= low).any():
            return
        part = image[low[1] : high[1], low[0] : high[0]]
        dark = np.zeros(part.shape[:2], np.uint8)
        cv2.fillConvexPoly(dark, _fixed(hull - low), 255, cv2.LINE_AA, 4)
        strength = self._world.shadow * (0.25 if self._thermal else 1.0)
        factor = cv2.convertScaleAbs(dark, alpha=-strength, beta=255)
        if part.ndim == 3:
            factor = cv2.merge([factor, factor, factor])
        part[:] = cv2.multiply(part, factor, scale=1 / 255)

    def _actor(
        self, view: View, image: Bytes, owner: Bytes, number: int, body: Body, pose: Floats,
        lit: float,
    ) -> float:  # fmt: skip
        """Draws a body and returns the area its outline would have if nothing hid it."""
        points = np.vstack([p.points for p in body.parts])
        px = view.pixels(self._placed(points, pose))[0].astype(np.float32)
        at = 0
        for part in body.parts:
            hull = cv2.convexHull(px[at : at + len(part.points)])[:, 0]
            at += len(part.points)
            fixed = _fixed(hull)
            if self._thermal:
                colour: tuple[float, ...] = (part.warmth,)
            else:
                colour = tuple(c * lit for c in part.colour)
            cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_AA, 4)
            cv2.fillConvexPoly(owner, fixed, number, cv2.LINE_8, 4)
        return float(cv2.contourArea(cv2.convexHull(px)))

    def _boxes(
        self, owner: Bytes, seen: list[tuple[Body, Floats, float]], areas: list[float]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Boxes round the pixels each actor still owns."""
        counts = np.bincount(owner.ravel(), minlength=256)
        boxes, labels = [], []
        for number, ((body, _, _), area) in enumerate(zip(seen, areas, strict=True), 1):
            fill = 0.55 if body.label in (bodies.PERSON, bodies.BICYCLE) else 0.95
            if counts[number] < MIN_VISIBLE * fill * area:
                continue
            mine = cv2.compare(owner, number, cv2.CMP_EQ)
            x, y, w, h = cv2.boundingRect(mine)
            if w >= MIN_SIDE_PX and h >= MIN_SIDE_PX:
                boxes.append((x, y, x + w, y + h))
                labels.append(body.label)
        return np.array(boxes, np.float64).reshape(-1, 4), np.array(labels, np.int64)

    # -- buildings -------------------------------------------------------------------------

    def _building(
        self, view: View, image: Bytes, mask: Bytes, owner: Bytes, building: Building,
        shift: Floats,
    ) -> None:  # fmt: skip
        base = building.base + shift
        low = view.pixels(np.column_stack([base, np.zeros(4)]))[0]
        high = view.pixels(np.column_stack([base, np.full(4, building.height_m)]))[0]
        sun = -self._world.sun / max(float(np.linalg.norm(self._world.sun)), 1e-6)
        middle = base.mean(0)
        for k in range(4):
            n = (k + 1) % 4
            quad = np.array([low[k], low[n], high[n], high[k]], np.float32)
            if cv2.contourArea(quad, True) * self._winding(high) >= 0:
                continue
            outward = (base[k] + base[n]) / 2 - middle
            facing = max(0.0, float(outward @ sun / np.linalg.norm(outward)))
            self._wall(view, image, mask, owner, building, quad, base[k], base[n], facing)
        roof = high.astype(np.float32)
        corner = np.maximum(np.floor(roof.min(0)).astype(int) - 1, 0)
        end = np.minimum(np.ceil(roof.max(0)).astype(int) + 2, (self._width, self._height))
        if (end <= corner).any():
            return
        to_part = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1.0]])
        plane = to_part @ view.plane(building.height_m) @ _TO_METRES
        window = (slice(corner[1], end[1]), slice(corner[0], end[0]))
        top = cv2.warpPerspective(
            self._world.texture, plane, (int(end[0] - corner[0]), int(end[1] - corner[1])),
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        inside = np.zeros(top.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, _fixed(roof - corner), 255, cv2.LINE_8, 4)
        cv2.copyTo(top, inside, image[window])
        mask[window][inside > 0] = materials.BUILDING
        owner[window][inside > 0] = 0

    @staticmethod
    def _winding(quad: Floats) -> float:
        return 1.0 if cv2.contourArea(quad.astype(np.float32), True) > 0 else -1.0

    def _wall(
        self, view: View, image: Bytes, mask: Bytes, owner: Bytes, building: Building,
        quad: NDArray[np.float32], a: Floats, b: Floats, facing: float,
    ) -> None:  # fmt: skip
        light = 0.55 + 0.5 * facing * (0.4 + self._world.shadow)
        if self._thermal:
            colour: tuple[float, ...] = (building.wall_warmth,)
            pane: tuple[float, ...] = (building.wall_warmth * 0.7,)
        else:
            colour = tuple(min(255.0, c * light) for c in building.wall_rgb)
            pane = tuple(c * light for c in (70, 84, 98))
        fixed = _fixed(quad)
        cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_8, 4)
        cv2.fillConvexPoly(mask, fixed, materials.BUILDING, cv2.LINE_8, 4)
        cv2.fillConvexPoly(owner, fixed, 0, cv2.LINE_8, 4)
        columns = max(1, int(np.linalg.norm(b - a) / 3.0))
        floors = max(1, int(building.height_m / 3.1))
        s = (np.arange(columns) + 0.5) / columns
        z = (np.arange(floors) + 0.55) / floors
        s, z = (g.ravel() for g in np.meshgrid(s, z))
        ds, dz = 0.28 / columns, 0.25 / floors
        corners = np.stack([np.stack([s + i * ds, z + j * dz], 1)
                            for i, j in ((-1, -1), (1, -1), (1, 1), (-1, 1))], 1)  # fmt: skip
        ground = a + corners[..., :1] * (b - a)
        panes = view.pixels(np.concatenate([ground, corners[..., 1:] * building.height_m], -1))[0]
        cv2.fillPoly(image, list(_fixed(panes)), pane, cv2.LINE_AA, 4)


def _fixed(points: NDArray[np.floating]) -> NDArray[np.int32]:
    """Points in cv2's fixed point with four fractional bits, kept within its range."""
    return np.rint(np.clip(points, -8000, 8000) * 16).astype(np.int32)
