# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A synthetic flight over a procedural town: frames with exact boxes and masks, from a seed.

seed -> world (torus of roads, blocks, buildings) + traffic + camera path
(index / fps) -> view -> ground, actors, buildings -> optics and sensor -> FlightFrame
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.errors import InputError
from sc2_ros.media.synthetic.camera import MOTIONS, Path
from sc2_ros.media.synthetic.canvas import SIDE_M
from sc2_ros.media.synthetic.generate import generate
from sc2_ros.media.synthetic.render import Renderer
from sc2_ros.media.synthetic.traffic import Traffic

LOOKS = ("rgb", "thermal")
EFFECTS = ("shadows", "tilt", "sensor")
"""Of light, camera and lens: benchmarks/synthetic.py measures what each brings a training."""
_NOISE_SPARE_PX = 64


@dataclass(frozen=True)
class FlightFrame:
    """One frame and its truth.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        boxes: (N, 4) float32 x0, y0, x1, y1 in pixels, round the visible part.
        labels: (N,) int64: 0 person, 1 car, 2 bicycle, 3 other vehicle.
        mask: (H, W) uint8: 0 road, 1 building, 2 vegetation, 3 vehicle, 4 person, 5 other.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    mask: NDArray[np.uint8]


class SyntheticFlight:
    """An endless flight; the same seed and time always give the same frame."""

    def __init__(
        self,
        seed: int,
        width: int = 640,
        height: int = 480,
        look: str = "rgb",
        motion: str = "mixed",
        effects: Collection[str] = EFFECTS,
    ) -> None:
        """Builds the world (a third of a second).

        Without "shadows" the light is flat, without "tilt" the camera looks straight down, and
        without "sensor" there is neither blur nor noise. The town and the way stay the same.

        Raises:
            InputError: look, motion or an effect is unknown, or the size is below 16x16.
        """
        if look not in LOOKS:
            raise InputError(f"unknown look {look!r}; take one of {', '.join(LOOKS)}")
        if motion not in MOTIONS:
            raise InputError(f"unknown motion {motion!r}; take one of {', '.join(MOTIONS)}")
        if unknown := set(effects) - set(EFFECTS):
            raise InputError(
                f"unknown effects {', '.join(sorted(unknown))}; take of {', '.join(EFFECTS)}"
            )
        if min(width, height) < 16:
            raise InputError(f"a flight of {width}x{height} is too small; take at least 16x16")
        thermal = look == "thermal"
        rng = np.random.default_rng([seed, 1])
        world = generate(rng, thermal, shadows="shadows" in effects)
        traffic = Traffic(np.random.default_rng([seed, 2]), world)
        rng = np.random.default_rng([seed, 3])
        road = world.roads[int(rng.integers(len(world.roads)))]
        start, heading = road.pose(rng.uniform(0, SIDE_M), rng.uniform(-16, 16))
        yaw = float(heading) + np.pi / 2 + float(rng.normal(0, 0.5))
        self._path = Path(rng, motion, start, yaw, tilted="tilt" in effects)
        self._renderer = Renderer(world, traffic, width, height, thermal)
        self._sensor = _Sensor(np.random.default_rng([seed, 4]), width, height, thermal)
        self._ideal = "sensor" not in effects
        self._seed, self._width, self._height = seed, width, height

    def frame(self, index: int, fps: float = 30.0) -> FlightFrame:
        """The frame at index / fps seconds."""
        t = index / fps
        view = self._path.view(t, self._width, self._height)
        image, boxes, labels, mask = self._renderer.draw(view, t)
        if self._ideal:
            image = np.asarray(cv2.merge([image] * 3) if image.ndim == 2 else image, np.uint8)
        else:
            image = self._sensor.expose(image, t, np.random.default_rng([self._seed, 5, index]))
        return FlightFrame(image, boxes, labels, mask)


class _Sensor:
    """Lens and sensor: blur, vignette, exposure, colour cast, noise."""

    def __init__(self, rng: np.random.Generator, width: int, height: int, thermal: bool) -> None:
        self._thermal = thermal
        self._blur = float(rng.uniform(0.45, 0.8) if not thermal else rng.uniform(0.6, 1.0))
        y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
        fall = 1 - rng.uniform(0.08, 0.28) * (x**2 + y**2) / 2
        vignette = np.rint(255 * fall).astype(np.uint8)
        self._vignette = vignette if thermal else np.dstack([vignette] * 3)
        spread = float(rng.uniform(2.0, 5.0))
        # One patch of noise, larger than a frame: every frame takes another window of it.
        shape = (height + _NOISE_SPARE_PX, width + _NOISE_SPARE_PX, 1 if thermal else 3)
        self._noise = np.clip(rng.normal(128, spread, shape), 0, 255).astype(np.uint8)
        self._phase = float(rng.uniform(0, 2 * np.pi))
        self._gain = float(rng.uniform(0.85, 1.1) if thermal else rng.uniform(0.94, 1.22))
        self._gamma = float(rng.uniform(0.8, 1.08))
        warmth = float(rng.normal(0, 0.035))
        self._cast = np.array([1 + warmth, 1.0, 1 - warmth])
        self._black_hot = thermal and rng.random() < 0.12

    def expose(
        self, scene: NDArray[np.uint8], t: float, rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """Scene (H, W[, 3]) as the lens sees it to RGB (H, W, 3) of the sensor."""
        soft = cv2.GaussianBlur(scene, (3, 3), self._blur)
        shaded = cv2.multiply(soft, self._vignette, scale=1 / 255)
        gain = self._gain * (1 + 0.03 * np.sin(0.4 * t + self._phase))
        levels = 255 * (np.arange(256) / 255) ** self._gamma * gain
        if self._thermal:
            levels = 255 - levels if self._black_hot else levels
        else:
            levels = (levels[:, None] * self._cast)[None]
        curve = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        dy, dx = rng.integers(0, _NOISE_SPARE_PX, 2)
        noise = self._noise[dy : dy + scene.shape[0], dx : dx + scene.shape[1]]
        noisy = cv2.addWeighted(cv2.LUT(shaded, curve), 1.0, noise, 1.0, -128)
        return np.asarray(cv2.merge([noisy] * 3) if self._thermal else noisy, np.uint8)
