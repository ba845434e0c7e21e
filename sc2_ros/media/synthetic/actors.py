# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws what moves, and finds the box of what is left to see of it.

poses -> bodies' points -> pixels -> shadows, then parts, far to near -> image, owner
owner (after the buildings have hidden some) -> boxes, mask of vehicles and people
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic import bodies, materials
from sc2_ros.media.synthetic.bodies import Body
from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.canvas import PIXELS_PER_M, SIDE_PX
from sc2_ros.media.synthetic.picture import (
    BITS,
    ONE,
    SQUARE,
    Bytes,
    Floats,
    Ints,
    Picture,
    Window,
    fixed_point,
    in_image,
    nearest,
)
from sc2_ros.media.synthetic.traffic import Traffic
from sc2_ros.media.synthetic.world import World

MIN_SIDE_PX = 3
MIN_VISIBLE = 0.3
_MAX_ACTORS = 250  # an owner is one byte
_UPRIGHT = (bodies.PERSON, bodies.BICYCLE)


@dataclass(frozen=True)
class _Actor:
    """A body in sight: its pose, its points and its shadow's in fixed point, its sunlight."""

    body: Body
    fixed: Ints
    shadow: Ints
    window: Window
    lit: float


class Actors:
    """Everybody of a world at a time, as a view shows them."""

    def __init__(
        self, world: World, traffic: Traffic, thermal: bool, view: View, t: float, picture: Picture
    ) -> None:
        self._world, self._thermal, self._picture = world, thermal, picture
        self._seen = self._in_sight(traffic, view, t)

    def _in_sight(self, traffic: Traffic, view: View, t: float) -> list[_Actor]:
        """Actors in sight, far to near."""
        poses = traffic.poses(t)
        poses[:, :2] = nearest(view, poses[:, :2])
        size = self._picture.owner.shape[1], self._picture.owner.shape[0]
        order = in_image(view, size, poses[:, :2], 0.0, 70)
        _, depth = view.pixels(np.column_stack([poses[order, :2], np.zeros(len(order))]))
        order = order[np.argsort(-depth, kind="stable")][-_MAX_ACTORS:]
        if not len(order):
            return []
        # Two strides a second, everybody in a phase of their own.
        shapes = [traffic.shapes[k] for k in order]
        seen = [s[int(t * 4 + k * 1.7) % len(s)] for s, k in zip(shapes, order, strict=True)]
        poses = poses[order]
        counts = [len(body.points) for body in seen]
        placed = _placed(np.vstack([b.points for b in seen]), np.repeat(poses, counts, 0))
        fixed = np.split(fixed_point(view.pixels(placed)[0]), np.cumsum(counts)[:-1])
        x, y = np.floor(poses[:, :2].T * PIXELS_PER_M).astype(int) % SIDE_PX
        lit = np.where(self._world.shade[y, x] > 0, 1 - self._world.shadow, 1.0)
        shadows = self._shadows(view, seen, poses)
        return [
            _Actor(body, points, shadow, self._picture.window(points), float(share))
            for body, points, shadow, share in zip(seen, fixed, shadows, lit, strict=True)
        ]

    def _shadows(self, view: View, seen: list[Body], poses: Floats) -> Ints:
        """Outlines of the boxes' shadows on the ground, (N, 8, 2) fixed point."""
        slim = [(0.6, 0.5) if b.label in _UPRIGHT else (1.0, 1.0) for b in seen]
        half = np.array([(b.length_m, b.width_m) for b in seen]) / 2 * slim
        feet = np.concatenate([SQUARE * half[:, None], np.zeros((len(seen), 4, 1))], 2)
        feet = _placed(feet.reshape(-1, 3), np.repeat(poses, 4, 0)).reshape(-1, 4, 3)
        cast = feet.copy()
        cast[..., :2] += np.array([b.height_m for b in seen])[:, None, None] * self._world.sun
        return fixed_point(view.pixels(np.concatenate([feet, cast], 1))[0])

    def draw(self) -> None:
        """Draws all shadows, then all bodies, and remembers how much of each there is."""
        if not self._thermal:
            for actor in self._seen:
                if actor.lit == 1.0:
                    self._shadow(actor)
        self._whole = [self._body(number, actor) for number, actor in enumerate(self._seen, 1)]

    def _shadow(self, actor: _Actor) -> None:
        window = self._picture.window(actor.shadow)
        part = self._picture.image[window]
        if not part.size:
            return
        dark = np.zeros(part.shape[:2], np.uint8)
        corner = np.array([window[1].start, window[0].start], np.int32) * ONE
        hull = cv2.convexHull(actor.shadow - corner)
        cv2.fillConvexPoly(dark, hull, 255, cv2.LINE_AA, BITS)
        factor = cv2.convertScaleAbs(dark, alpha=-self._world.shadow, beta=255)
        self._picture.image[window] = cv2.multiply(part, cv2.merge([factor] * 3), scale=1 / 255)

    def _body(self, number: int, actor: _Actor) -> float:
        """Draws a body; returns how many pixels it would have if the image did not end."""
        image, owner = self._picture.image, self._picture.owner
        at = 0
        for part in actor.body.parts:
            hull = cv2.convexHull(actor.fixed[at : at + len(part.points)])
            at += len(part.points)
            if self._thermal:
                colour: tuple[float, ...] = (part.warmth,)
            else:
                colour = tuple(c * actor.lit for c in part.colour)
            cv2.fillConvexPoly(image, hull, colour, cv2.LINE_AA, BITS)
            cv2.fillConvexPoly(owner, hull, number, cv2.LINE_8, BITS)
        window = owner[actor.window]
        if not window.size:
            return 0.0
        # Not cv2.compare: it takes a window of four pixels for the scalar and fails.
        inside = float(np.count_nonzero(window == number))
        rows, columns = actor.window
        height, width = owner.shape
        if rows.start > 0 and columns.start > 0 and rows.stop < height and columns.stop < width:
            return inside
        outline = cv2.convexHull(actor.fixed).astype(np.float32) / ONE
        frame = (np.maximum(SQUARE, 0) * (width, height)).astype(np.float32)
        share = cv2.intersectConvexConvex(outline, frame)[0] / max(cv2.contourArea(outline), 1e-3)
        return inside / max(share, 1e-3)

    def boxes(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Boxes (N, 4) round the pixels that each actor still owns, and labels (N,)."""
        boxes, labels = [], []
        for number, (actor, whole) in enumerate(zip(self._seen, self._whole, strict=True), 1):
            window = self._picture.owner[actor.window]
            if not whole or not window.size:
                continue
            mine = (window == number).astype(np.uint8)
            x, y, w, h = cv2.boundingRect(mine)
            if min(w, h) < MIN_SIDE_PX or cv2.countNonZero(mine) < MIN_VISIBLE * whole:
                continue
            x, y = x + actor.window[1].start, y + actor.window[0].start
            boxes.append((x, y, x + w, y + h))
            labels.append(actor.body.label)
        return np.array(boxes, np.float32).reshape(-1, 4), np.array(labels, np.int64)

    def mark(self) -> None:
        """Puts the pixels that actors own into the mask."""
        classes: Bytes = np.zeros(256, np.uint8)
        for number, actor in enumerate(self._seen, 1):
            upright = actor.body.label in _UPRIGHT
            classes[number] = materials.PERSON if upright else materials.VEHICLE
        owner = self._picture.owner
        cv2.copyTo(cv2.LUT(owner, classes), owner, self._picture.mask)


def _placed(points: Floats, poses: Floats) -> Floats:
    """Points (N, 3) of bodies' frames in the world, at poses (N, 3) (x, y, heading)."""
    cos, sin = np.cos(poses[:, 2]), np.sin(poses[:, 2])
    x = poses[:, 0] + cos * points[:, 0] - sin * points[:, 1]
    y = poses[:, 1] + sin * points[:, 0] + cos * points[:, 1]
    return np.stack([x, y, points[:, 2]], 1)
