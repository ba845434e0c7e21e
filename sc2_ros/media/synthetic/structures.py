# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws buildings as prisms: walls with windows, and the roof lifted off the ground texture."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from sc2_ros.media.synthetic import materials
from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.picture import (
    BITS,
    SQUARE,
    TO_METRES,
    Floats,
    Ints,
    Picture,
    fixed_point,
    in_image,
    nearest,
)
from sc2_ros.media.synthetic.world import Building, World

_WINDOW_M = 3.0
_FLOOR_M = 3.1


@dataclass(frozen=True)
class _Wall:
    """Corners (4, 3), window panes (N, 4, 3), and the colours of both."""

    corners: Floats
    panes: Floats
    colour: tuple[float, ...]
    pane_colour: tuple[float, ...]


class Structures:
    """All buildings of a world, ready to be drawn."""

    def __init__(self, world: World, thermal: bool) -> None:
        self._world = world
        self._centres = np.array([b.base.mean(0) for b in world.buildings]).reshape(-1, 2)
        self._walls = [[self._wall(b, k, thermal) for k in range(4)] for b in world.buildings]

    def _wall(self, building: Building, k: int, thermal: bool) -> _Wall:
        a, b = building.base[k], building.base[(k + 1) % 4]
        outward = (a + b) / 2 - building.base.mean(0)
        sun = self._world.sun
        facing = -float(outward @ sun) / (np.linalg.norm(outward) * np.linalg.norm(sun))
        light = 0.55 + 0.5 * max(0.0, facing) * (0.4 + self._world.shadow)
        if thermal:
            warmth = building.wall_warmth * (0.85 + 0.25 * max(0.0, facing))
            colour: tuple[float, ...] = (warmth,)
            pane: tuple[float, ...] = (warmth * 0.7,)
        else:
            colour = tuple(min(255.0, c * light) for c in building.wall_rgb)
            pane = tuple(c * light for c in (70, 84, 98))
        columns = max(1, int(np.linalg.norm(b - a) / _WINDOW_M))
        floors = max(1, int(building.height_m / _FLOOR_M))
        along, up = np.meshgrid(
            (np.arange(columns) + 0.5) / columns, (np.arange(floors) + 0.55) / floors
        )
        middles = np.stack([along.ravel(), up.ravel()], 1)[:, None]
        share = middles + SQUARE * (0.28 / columns, 0.25 / floors)
        panes = np.concatenate(
            [a + share[..., :1] * (b - a), share[..., 1:] * building.height_m], 2
        )
        top = building.height_m
        corners = np.array([[*a, 0], [*b, 0], [*b, top], [*a, top]])
        return _Wall(corners, panes, colour, pane)

    def draw(self, view: View, picture: Picture) -> None:
        """Draws what is in sight, far to near as seen from the point below the camera."""
        size = picture.owner.shape[1], picture.owner.shape[0]
        near = nearest(view, self._centres)
        inside = in_image(view, size, near, 4.0, 420)
        camera = -np.linalg.solve(view.project[:, :3], view.project[:, 3])
        away = np.linalg.norm(near[inside] - camera[:2], axis=1)
        for k in inside[np.argsort(-away, kind="stable")]:
            self._building(view, picture, int(k), near[k] - self._centres[k])

    def _building(self, view: View, picture: Picture, k: int, shift: Floats) -> None:
        walls, lift = self._walls[k], np.array([*shift, 0.0])
        points = np.concatenate(
            [w.corners for w in walls] + [w.panes.reshape(-1, 3) for w in walls]
        )
        fixed = fixed_point(view.pixels(points + lift)[0])
        if not picture.owner[picture.window(fixed[:16])].size:
            return
        quads = fixed[:16].reshape(4, 4, 2)
        panes = np.split(
            fixed[16:].reshape(-1, 4, 2), np.cumsum([len(w.panes) for w in walls])[:-1]
        )
        roof = np.ascontiguousarray(quads[:, 3])
        winding = cv2.contourArea(roof, True)
        for wall, quad, glass in zip(walls, quads, panes, strict=True):
            # A wall in sight goes round in the image the other way than one behind the roof.
            if cv2.contourArea(quad, True) * winding > 0:
                cv2.fillConvexPoly(picture.image, quad, wall.colour, cv2.LINE_8, BITS)
                cv2.fillConvexPoly(picture.mask, quad, materials.BUILDING, cv2.LINE_8, BITS)
                cv2.fillConvexPoly(picture.owner, quad, 0, cv2.LINE_8, BITS)
                cv2.fillPoly(picture.image, list(glass), wall.pane_colour, cv2.LINE_AA, BITS)
        self._roof(view, picture, roof, self._world.buildings[k].height_m)

    def _roof(self, view: View, picture: Picture, roof: Ints, height_m: float) -> None:
        window = picture.window(roof)
        part = picture.image[window]
        if not part.size:
            return
        x, y = window[1].start, window[0].start
        to_part = np.array([[1, 0, -x], [0, 1, -y], [0, 0, 1.0]])
        top = cv2.warpPerspective(
            self._world.texture,
            to_part @ view.plane(height_m) @ TO_METRES,
            part.shape[1::-1],
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_WRAP,
        )
        inside = np.zeros(top.shape[:2], np.uint8)
        cv2.fillConvexPoly(inside, roof - np.array([x, y], np.int32) * (1 << BITS), 255, 8, BITS)
        cv2.copyTo(top, inside, part)
        picture.mask[window][inside > 0] = materials.BUILDING
        picture.owner[window][inside > 0] = 0
