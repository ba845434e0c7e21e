# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Generates a world: a torus of roads and blocks, painted once per seed.

layout (roads, lots) -> material map (N, N) uint8 -> texture (N, N[, 3]) uint8,
                                                     labels (N, N) uint8
                     -> buildings, parking bays, walking areas
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.media.synthetic import materials
from sc2_ros.media.synthetic.canvas import SIDE_PX
from sc2_ros.media.synthetic.layout import Layout
from sc2_ros.media.synthetic.world import World


def noise(rng: np.random.Generator, cells: int) -> NDArray[np.float32]:
    """Seamless smooth noise (N, N) in [-1, 1] with the given number of cells a side."""
    grid = rng.uniform(-1, 1, (cells, cells)).astype(np.float32)
    if cells == SIDE_PX:
        return grid
    step = SIDE_PX // cells
    padded = np.pad(grid, 2, mode="wrap")
    big = cv2.resize(padded, None, fx=step, fy=step, interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(big[2 * step : -2 * step, 2 * step : -2 * step])


def paint(
    surface: NDArray[np.uint8], shade: NDArray[np.uint8], rng: np.random.Generator,
    thermal: bool, shadow: float,
) -> NDArray[np.uint8]:  # fmt: skip
    """Turns the material map into a texture: palette, two scales of noise, shadows."""
    values = materials.WARMTH if thermal else materials.RGB
    tint = rng.normal(1.0, 0.12 if thermal else 0.10, values.shape[:1])
    if thermal:
        # Contrast between warm ground and cool plants comes and goes over the day.
        gain = rng.uniform(0.55, 1.25) * (-0.7 if rng.random() < 0.2 else 1.0)
        values = 106 + (values.astype(np.float64) - 112) * gain
    else:
        tint = tint[:, None] * rng.normal(1.0, 0.022, values.shape)
    palette = np.clip(values * tint, 4, 250).astype(np.uint8)
    coarse = 0.5 * noise(rng, 8) + 0.3 * noise(rng, 64) + 0.2 * noise(rng, 256)
    fine = 0.5 * noise(rng, 1024) + 0.5 * noise(rng, SIDE_PX)
    # Heat spreads: thermal pictures are blotchy rather than grainy.
    blotch, grain = (1.4, 0.4) if thermal else (1.0, 1.0)
    light = 1 + (
        blotch * materials.table(materials.COARSE)[surface] * coarse
        + grain * materials.table(materials.FINE)[surface] * fine
    )
    soft = cv2.GaussianBlur(shade, (0, 0), 3.5 if thermal else 1.2)
    light *= 1 - (0.3 * shadow if thermal else shadow) * (soft.astype(np.float32) / 255)
    light = light.astype(np.float32)
    flat = cv2.GaussianBlur(np.ascontiguousarray(materials.table(palette)[surface]), (3, 3), 0.7)
    if not thermal:
        light = cv2.merge([light, light, light])
    return cv2.multiply(flat, light, dtype=cv2.CV_8U)


def generate(rng: np.random.Generator, thermal: bool, *, shadows: bool = True) -> World:
    """Lays out and paints a world; without shadows the same one in flat light."""
    azimuth = rng.uniform(0, 2 * np.pi)
    sun = rng.uniform(0.4, 1.3) * np.array([np.cos(azimuth), np.sin(azimuth)])
    shadow = rng.uniform(0.12, 0.25) if rng.random() < 0.25 else rng.uniform(0.42, 0.62)
    shadow *= shadows
    layout = Layout(rng, sun)
    texture = paint(layout.ground.map, layout.shade.map, rng, thermal, shadow)
    return World(
        texture=texture,
        labels=np.asarray(materials.table(materials.CLASS)[layout.ground.map], np.uint8),
        shade=layout.shade.map,
        sun=sun,
        shadow=shadow,
        roads=layout.roads,
        buildings=layout.buildings,
        bays=layout.bays,
        areas=layout.areas,
    )
