# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the world is made of: colour, warmth, roughness and mask class of every surface."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

MASK_CLASSES = ("road", "building", "vegetation", "vehicle", "person", "other")
ROAD, BUILDING, VEGETATION, VEHICLE, PERSON, OTHER = range(6)


class Material(IntEnum):
    """Numbers painted into the world's material map."""

    GRASS = 0
    DRY_GRASS = 1
    SOIL = 2
    ASPHALT = 3
    LOT_ASPHALT = 4
    PATCH = 5
    PAINT = 6
    PAVEMENT = 7
    KERB = 8
    CROP = 9
    FURROW = 10
    TREE_DARK = 11
    TREE_MID = 12
    TREE_LIGHT = 13
    GRAVEL = 14
    COURT_RED = 15
    COURT_GREEN = 16
    COURT_LINE = 17
    PLAZA = 18
    PLAZA_JOINT = 19
    ROOF_TILE = 20
    ROOF_TILE_SHADE = 21
    ROOF_GREY = 22
    ROOF_DARK = 23
    ROOF_WHITE = 24
    ROOF_BLUE = 25
    ROOF_EDGE = 26
    ROOF_UNIT = 27
    ROOF_SHADE = 28
    CYCLE_LANE = 29
    BLOSSOM = 30


# material: RGB, warmth (thermal grey), share of coarse noise, share of fine noise, mask class
_TABLE: dict[Material, tuple[tuple[int, int, int], int, float, float, int]] = {
    Material.GRASS: ((92, 112, 58), 92, 0.42, 0.30, VEGETATION),
    Material.DRY_GRASS: ((142, 136, 84), 112, 0.40, 0.30, VEGETATION),
    Material.SOIL: ((146, 122, 92), 136, 0.32, 0.26, OTHER),
    Material.ASPHALT: ((96, 97, 100), 158, 0.14, 0.13, ROAD),
    Material.LOT_ASPHALT: ((112, 110, 108), 166, 0.18, 0.14, ROAD),
    Material.PATCH: ((78, 79, 82), 150, 0.10, 0.12, ROAD),
    Material.PAINT: ((216, 215, 206), 138, 0.20, 0.14, ROAD),
    Material.PAVEMENT: ((168, 160, 148), 142, 0.14, 0.12, OTHER),
    Material.KERB: ((190, 187, 180), 124, 0.10, 0.10, OTHER),
    Material.CROP: ((110, 128, 58), 86, 0.26, 0.28, VEGETATION),
    Material.FURROW: ((92, 104, 52), 96, 0.26, 0.28, VEGETATION),
    Material.TREE_DARK: ((38, 56, 30), 58, 0.20, 0.55, VEGETATION),
    Material.TREE_MID: ((58, 82, 40), 68, 0.20, 0.55, VEGETATION),
    Material.TREE_LIGHT: ((86, 112, 54), 78, 0.20, 0.50, VEGETATION),
    Material.GRAVEL: ((184, 172, 148), 146, 0.16, 0.20, OTHER),
    Material.COURT_RED: ((160, 84, 66), 172, 0.12, 0.08, OTHER),
    Material.COURT_GREEN: ((62, 118, 92), 176, 0.12, 0.08, OTHER),
    Material.COURT_LINE: ((228, 228, 222), 148, 0.08, 0.08, OTHER),
    Material.PLAZA: ((186, 178, 166), 152, 0.16, 0.10, OTHER),
    Material.PLAZA_JOINT: ((160, 152, 142), 140, 0.14, 0.10, OTHER),
    Material.ROOF_TILE: ((172, 96, 70), 108, 0.18, 0.22, BUILDING),
    Material.ROOF_TILE_SHADE: ((122, 66, 50), 90, 0.18, 0.22, BUILDING),
    Material.ROOF_GREY: ((148, 148, 146), 118, 0.22, 0.10, BUILDING),
    Material.ROOF_DARK: ((84, 84, 88), 74, 0.22, 0.12, BUILDING),
    Material.ROOF_WHITE: ((214, 212, 206), 56, 0.16, 0.08, BUILDING),
    Material.ROOF_BLUE: ((84, 116, 152), 62, 0.12, 0.08, BUILDING),
    Material.ROOF_EDGE: ((198, 196, 190), 132, 0.10, 0.08, BUILDING),
    Material.ROOF_UNIT: ((206, 206, 204), 186, 0.06, 0.08, BUILDING),
    Material.ROOF_SHADE: ((70, 70, 74), 66, 0.10, 0.08, BUILDING),
    Material.CYCLE_LANE: ((150, 88, 74), 152, 0.14, 0.12, ROAD),
    Material.BLOSSOM: ((150, 124, 66), 84, 0.20, 0.50, VEGETATION),
}
_ROWS = [_TABLE[m] for m in Material]

RGB: NDArray[np.uint8] = np.array([r[0] for r in _ROWS], np.uint8)
WARMTH: NDArray[np.uint8] = np.array([r[1] for r in _ROWS], np.uint8)
COARSE: NDArray[np.float32] = np.array([r[2] for r in _ROWS], np.float32)
FINE: NDArray[np.float32] = np.array([r[3] for r in _ROWS], np.float32)
CLASS: NDArray[np.uint8] = np.array([r[4] for r in _ROWS], np.uint8)
ROOFS = (
    Material.ROOF_TILE,
    Material.ROOF_GREY,
    Material.ROOF_DARK,
    Material.ROOF_WHITE,
    Material.ROOF_BLUE,
)


def table(values: NDArray[np.generic]) -> NDArray[np.generic]:
    """Values (M, ...) by material, padded to the 256 rows a uint8 lookup wants."""
    padded = np.zeros((256, *values.shape[1:]), values.dtype)
    padded[: len(values)] = values
    return padded
