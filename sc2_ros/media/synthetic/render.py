# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Draws a view of the world: ground, actors, then buildings, with an owner per pixel.

texture, labels --homography--> image, mask
actors (far to near)        --> image, owner (H, W) uint8: which actor a pixel shows
buildings (far to near)     --> image, mask, owner = 0 where they hide somebody
owner -> boxes of the visible parts, and the mask of vehicles and people
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic.actors import Actors
from sc2_ros.media.synthetic.camera import View
from sc2_ros.media.synthetic.picture import TO_METRES, Bytes, Picture
from sc2_ros.media.synthetic.structures import Structures
from sc2_ros.media.synthetic.traffic import Traffic
from sc2_ros.media.synthetic.world import World


class Renderer:
    """Draws one world; keeps nothing between frames."""

    def __init__(
        self, world: World, traffic: Traffic, width: int, height: int, thermal: bool
    ) -> None:
        self._world, self._traffic, self._thermal = world, traffic, thermal
        self._size = width, height
        self._structures = Structures(world, thermal)

    def draw(
        self, view: View, t: float
    ) -> tuple[Bytes, NDArray[np.float32], NDArray[np.int64], Bytes]:
        """Image (H, W[, 3]), boxes (N, 4) xyxy px, labels (N,), mask (H, W) at t seconds."""
        ground = view.plane(0.0) @ TO_METRES
        image, mask = (
            np.asarray(
                cv2.warpPerspective(
                    layer, ground, self._size, flags=how, borderMode=cv2.BORDER_WRAP
                ),
                np.uint8,
            )
            for layer, how in (
                (self._world.texture, cv2.INTER_LINEAR),
                (self._world.labels, cv2.INTER_NEAREST),
            )
        )
        picture = Picture(image, mask, np.zeros(mask.shape, np.uint8))
        actors = Actors(self._world, self._traffic, self._thermal, view, t, picture)
        actors.draw()
        self._structures.draw(view, picture)
        boxes, labels = actors.boxes()
        actors.mark()
        return picture.image, boxes, labels, picture.mask
