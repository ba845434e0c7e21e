# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws a view of the world: ground, actors, then buildings, with a number per pixel.

texture, labels --homography--> image, mask
actors (far to near)        --> image, owner (H, W) uint8: which actor a pixel shows
buildings (far to near)     --> image, mask, owner = 0 where they hide somebody
owner -> boxes of the visible parts, and the mask of vehicles and people
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic import bodies, materials
from sc2_ros.media.synthetic.bodies import Body
from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.canvas import PIXELS_PER_M, SIDE_M, SIDE_PX
from sc2_ros.media.synthetic.traffic import Traffic
from sc2_ros.media.synthetic.world import Building, World

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
MIN_SIDE_PX = 3.0
MIN_VISIBLE = 0.3
_MAX_ACTORS = 250
_BITS = 4  # of fraction in cv2's fixed point
_ONE = 1 << _BITS
_SQUARE = np.array([[1, 1], [-1, 1], [-1, -1], [1, -1]])
_TO_METRES = np.diag([1 / PIXELS_PER_M, 1 / PIXELS_PER_M, 1.0])
# Texture pixel k covers [k, k + 1) / PIXELS_PER_M metres, and cv2 counts pixel centres.
_TO_METRES[:2, 2] = 0.5 / PIXELS_PER_M


@dataclass(frozen=True)
class _Actor:
    """A body in sight: its fixed-point pixels (N, 2), their window in the image, its sunlight."""

    body: Body
    pose: Floats
    fixed: NDArray[np.int32]
    window: tuple[slice, slice]
    lit: float


class Renderer:
    """Draws one world; keeps nothing between frames."""

    def __init__(
        self, world: World, traffic: Traffic, width: int, height: int, thermal: bool
    ) -> None:
        self._world, self._traffic = world, traffic
        self._width, self._height = width, height
        self._thermal = thermal
        self._centres = np.array([b.base.mean(0) for b in world.buildings]).reshape(-1, 2)
        self._sunward = -world.sun / max(float(np.linalg.norm(world.sun)), 1e-6)

    def draw(self, view: View, t: float) -> tuple[Bytes, Floats, NDArray[np.int64], Bytes]:
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
        actors = self._in_sight(view, t)
        if not self._thermal:
            for actor in actors:
                self._shadow(view, image, actor)
        drawn = [self._actor(image, owner, k, actor) for k, actor in enumerate(actors, 1)]
        for k, shift in self._standing(view):
            self._building(view, image, mask, owner, self._world.buildings[k], shift)
        boxes, labels = self._boxes(owner, actors, drawn)
        classes = np.zeros(256, np.uint8)
        for k, actor in enumerate(actors, 1):
            person = actor.body.label in (bodies.PERSON, bodies.BICYCLE)
            classes[k] = materials.PERSON if person else materials.VEHICLE
        cv2.copyTo(cv2.LUT(owner, classes), owner, mask)
        return image, boxes, labels, mask

    # -- what is in sight ------------------------------------------------------------------

    def _in_image(
        self, view: View, points: Floats, height_m: float, margin: float
    ) -> NDArray[np.int64]:
        """Numbers of the points (N, 2) that appear less than `margin` px outside the image."""
        px, depth = view.pixels(np.column_stack([points, np.full(len(points), height_m)]))
        low, high = -margin * view.scale, np.array([self._width, self._height])
        inside = ((px > low) & (px < high - low)).all(1) & (depth > 8)
        return np.flatnonzero(inside)

    def _in_sight(self, view: View, t: float) -> list[_Actor]:
        """Actors in sight, far to near."""
        poses = self._traffic.poses(t)
        poses[:, :2] = _near(view, poses[:, :2])
        order = self._in_image(view, poses[:, :2], 0.0, 70)
        _, depth = view.pixels(np.column_stack([poses[order, :2], np.zeros(len(order))]))
        order = order[np.argsort(-depth, kind="stable")][-_MAX_ACTORS:]
        # Two strides a second, everybody in a phase of their own.
        shapes = [self._traffic.shapes[k] for k in order]
        seen = [s[int(t * 4 + k * 1.7) % len(s)] for s, k in zip(shapes, order, strict=True)]
        if not seen:
            return []
        counts = [len(body.points) for body in seen]
        placed = _placed(np.vstack([b.points for b in seen]), np.repeat(poses[order], counts, 0))
        fixed = np.split(_fixed(view.pixels(placed)[0]), np.cumsum(counts)[:-1])
        x, y = np.floor(poses[order, :2].T * PIXELS_PER_M).astype(int) % SIDE_PX
        lit = np.where(self._world.shade[y, x] > 0, 1 - self._world.shadow, 1.0)
        return [
            _Actor(body, poses[k], f, self._window(f / _ONE), float(share))
            for body, k, f, share in zip(seen, order, fixed, lit, strict=True)
        ]

    def _window(self, px: Floats) -> tuple[slice, slice]:
        """Rows and columns of the image that hold some points (N, 2), with a pixel to spare."""
        x0, y0 = np.maximum(np.floor(px.min(0)) - 1, 0).astype(int)
        x1, y1 = np.minimum(np.ceil(px.max(0)) + 2, (self._width, self._height)).astype(int)
        return slice(int(y0), max(int(y0), int(y1))), slice(int(x0), max(int(x0), int(x1)))

    def _standing(self, view: View) -> list[tuple[int, Floats]]:
        """Buildings in sight with their shift in metres, far to near from below the camera."""
        near = _near(view, self._centres)
        inside = self._in_image(view, near, 4.0, 420)
        camera = -np.linalg.solve(view.project[:, :3], view.project[:, 3])
        away = np.linalg.norm(near[inside] - camera[:2], axis=1)
        order = inside[np.argsort(-away, kind="stable")]
        return [(int(k), near[k] - self._centres[k]) for k in order]

    # -- actors ----------------------------------------------------------------------------

    def _shadow(self, view: View, image: Bytes, actor: _Actor) -> None:
        if actor.lit < 1.0:
            return
        body = actor.body
        half = np.array([body.length_m, body.width_m]) / 2
        if body.label in (bodies.PERSON, bodies.BICYCLE):
            half = half * (0.6, 0.5)
        corners = np.column_stack([_SQUARE * half, np.zeros(4)])
        foot = _placed(corners, actor.pose[None])
        cast = foot.copy()
        cast[:, :2] += self._world.sun * body.height_m
        px = view.pixels(np.vstack([foot, cast]))[0]
        window = self._window(px)
        part = image[window]
        if not part.size:
            return
        dark = np.zeros(part.shape[:2], np.uint8)
        hull = cv2.convexHull(_fixed(px - (window[1].start, window[0].start)))
        cv2.fillConvexPoly(dark, hull, 255, cv2.LINE_AA, _BITS)
        factor = cv2.convertScaleAbs(dark, alpha=-self._world.shadow, beta=255)
        image[window] = cv2.multiply(part, cv2.merge([factor] * 3), scale=1 / 255)

    def _actor(self, image: Bytes, owner: Bytes, number: int, actor: _Actor) -> float:
        """Draws a body; returns how many pixels it would have if the image did not end."""
        at = 0
        for part in actor.body.parts:
            hull = cv2.convexHull(actor.fixed[at : at + len(part.points)])
            at += len(part.points)
            if self._thermal:
                colour: tuple[float, ...] = (part.warmth,)
            else:
                colour = tuple(c * actor.lit for c in part.colour)
            cv2.fillConvexPoly(image, hull, colour, cv2.LINE_AA, _BITS)
            cv2.fillConvexPoly(owner, hull, number, cv2.LINE_8, _BITS)
        if not owner[actor.window].size:
            return 0.0
        inside = float(cv2.countNonZero(cv2.compare(owner[actor.window], number, cv2.CMP_EQ)))
        outline = cv2.convexHull(actor.fixed.astype(np.float32) / _ONE)
        frame = (np.maximum(_SQUARE, 0) * (self._width, self._height)).astype(np.float32)
        low, high = outline.min((0, 1)), outline.max((0, 1))
        if (low >= 0).all() and (high <= (self._width, self._height)).all():
            return inside
        share = cv2.intersectConvexConvex(outline, frame)[0] / cv2.contourArea(outline)
        return inside / max(share, 1e-3)

    @staticmethod
    def _boxes(
        owner: Bytes, actors: list[_Actor], drawn: list[float]
    ) -> tuple[Floats, NDArray[np.int64]]:
        """Boxes round the pixels that each actor still owns, and their labels."""
        boxes, labels = [], []
        for number, (actor, whole) in enumerate(zip(actors, drawn, strict=True), 1):
            window = owner[actor.window]
            if not whole or not window.size:
                continue
            mine = cv2.compare(window, number, cv2.CMP_EQ)
            x, y, w, h = cv2.boundingRect(mine)
            if min(w, h) < MIN_SIDE_PX or cv2.countNonZero(mine) < MIN_VISIBLE * whole:
                continue
            x, y = x + actor.window[1].start, y + actor.window[0].start
            boxes.append((x, y, x + w, y + h))
            labels.append(actor.body.label)
        return np.array(boxes, np.float64).reshape(-1, 4), np.array(labels, np.int64)

    # -- buildings -------------------------------------------------------------------------

    def _building(
        self, view: View, image: Bytes, mask: Bytes, owner: Bytes, building: Building,
        shift: Floats,
    ) -> None:  # fmt: skip
        base = building.base + shift
        low = view.pixels(np.column_stack([base, np.zeros(4)]))[0]
        high = view.pixels(np.column_stack([base, np.full(4, building.height_m)]))[0]
        winding = cv2.contourArea(high.astype(np.float32), True)
        middle = base.mean(0)
        for k in range(4):
            n = (k + 1) % 4
            quad = np.array([low[k], low[n], high[n], high[k]], np.float32)
            # A wall in sight goes round in the image as the roof does.
            if cv2.contourArea(quad, True) * winding <= 0:
                continue
            outward = (base[k] + base[n]) / 2 - middle
            facing = max(0.0, float(outward @ self._sunward / np.linalg.norm(outward)))
            self._wall(view, image, mask, owner, building, quad, base[[k, n]], facing)
        window = self._window(high)
        part = image[window]
        if not part.size:
            return
        corner = np.array([window[1].start, window[0].start])
        to_part = np.array([[1, 0, -corner[0]], [0, 1, -corner[1]], [0, 0, 1.0]])
        plane = to_part @ view.plane(building.height_m) @ _TO_METRES
        top = cv2.warpPerspective(
            self._world.texture, plane, part.shape[1::-1],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP,
        )  # fmt: skip
        inside = np.zeros(top.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, _fixed(high - corner), 255, cv2.LINE_8, _BITS)
        cv2.copyTo(top, inside, part)
        mask[window][inside > 0] = materials.BUILDING
        owner[window][inside > 0] = 0

    def _wall(
        self, view: View, image: Bytes, mask: Bytes, owner: Bytes, building: Building,
        quad: NDArray[np.float32], ends: Floats, facing: float,
    ) -> None:  # fmt: skip
        light = 0.55 + 0.5 * facing * (0.4 + self._world.shadow)
        if self._thermal:
            colour: tuple[float, ...] = (building.wall_warmth,)
            pane: tuple[float, ...] = (building.wall_warmth * 0.7,)
        else:
            colour = tuple(min(255.0, c * light) for c in building.wall_rgb)
            pane = tuple(c * light for c in (70, 84, 98))
        fixed = _fixed(quad)
        cv2.fillConvexPoly(image, fixed, colour, cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(mask, fixed, materials.BUILDING, cv2.LINE_8, _BITS)
        cv2.fillConvexPoly(owner, fixed, 0, cv2.LINE_8, _BITS)
        a, b = ends
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
        cv2.fillPoly(image, list(_fixed(panes)), pane, cv2.LINE_AA, _BITS)


def _near(view: View, points: Floats) -> Floats:
    """Moves points (N, 2) by whole worlds to where they are closest to the view's centre."""
    return points - SIDE_M * np.round((points - view.look) / SIDE_M)


def _placed(points: Floats, poses: Floats) -> Floats:
    """Points (N, 3) of bodies' frames in the world, at poses (N or 1, 3) (x, y, heading)."""
    cos, sin = np.cos(poses[:, 2]), np.sin(poses[:, 2])
    x = poses[:, 0] + cos * points[:, 0] - sin * points[:, 1]
    y = poses[:, 1] + sin * points[:, 0] + cos * points[:, 1]
    return np.stack([x, y, points[:, 2]], 1)


def _fixed(points: NDArray[np.floating[Any]]) -> NDArray[np.int32]:
    """Points in cv2's fixed point, kept within its range."""
    return np.rint(np.clip(points, -8000, 8000) * _ONE).astype(np.int32)
