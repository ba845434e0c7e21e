# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes of what moves, as convex parts of 3D points with a colour.

A body's frame is x ahead, y to the right, z up, in metres, origin on the ground in its middle.
People and bicycles are drawn about a fifth larger than life, for they would vanish otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Colour = tuple[int, int, int]
PERSON, CAR, BICYCLE, OTHER_VEHICLE = range(4)
DETECTION_CLASSES = ("person", "car", "bicycle", "other_vehicle")


@dataclass(frozen=True)
class Part:
    """The hull of some points (N, 3), in one colour; `warmth` is its thermal grey."""

    points: Floats
    colour: Colour
    warmth: int


@dataclass(frozen=True)
class Body:
    """Parts in drawing order (low before high), and the size for traffic and shadow."""

    label: int
    parts: tuple[Part, ...]
    length_m: float
    width_m: float
    height_m: float

    @cached_property
    def points(self) -> Floats:
        """The points of all parts, (N, 3)."""
        return np.vstack([p.points for p in self.parts])


def _rect(x0: float, x1: float, width: float, z: float, cut: float = 0.0) -> Floats:
    """A rectangle with its corners cut, (4 or 8, 3)."""
    h = width / 2
    if not cut:
        plane = [(x0, -h), (x1, -h), (x1, h), (x0, h)]
    else:
        plane = [(x0 + cut, -h), (x1 - cut, -h), (x1, -h + cut), (x1, h - cut),
                 (x1 - cut, h), (x0 + cut, h), (x0, h - cut), (x0, -h + cut)]  # fmt: skip
    return np.array([(x, y, z) for x, y in plane])


def _disc(x: float, y: float, z: float, rx: float, ry: float, count: int = 8) -> Floats:
    a = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.stack([x + rx * np.cos(a), y + ry * np.sin(a), np.full(count, z)], 1)


def _shade(colour: Colour, factor: float) -> Colour:
    r, g, b = (int(min(255, max(0, c * factor))) for c in colour)
    return r, g, b


_PAINTS: tuple[Colour, ...] = (
    (236, 236, 234), (226, 228, 230), (168, 172, 176), (120, 124, 130), (52, 54, 60), (34, 36, 42),
    (150, 34, 34), (184, 52, 40), (40, 66, 120), (62, 98, 152), (70, 84, 70), (196, 182, 150),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (40, 44, 60), (70, 40, 40), (200, 196, 190), (168, 44, 44), (44, 80, 140), (210, 170, 60),
    (60, 110, 70), (30, 30, 32), (150, 120, 160), (228, 120, 60),
)  # fmt: skip


def car(rng: np.random.Generator) -> Body:
    """A saloon or a hatchback."""
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    length, width = float(rng.uniform(3.9, 4.9)), float(rng.uniform(1.75, 1.95))
    h, hatch = length / 2, rng.random() < 0.5
    body, engine = int(rng.integers(70, 170)), int(rng.integers(150, 256))
    glass = (34, 40, 48)
    rear = -h + (0.25 if hatch else 0.9)
    front = h * 0.42
    parts = [
        Part(np.vstack([_rect(-h, h, width, 0.2, 0.25), _rect(-h, h, width, 0.75, 0.35)]),
             _shade(paint, 0.62), body - 30),
        Part(_rect(-h, h, width, 0.8, 0.35), paint, body),
        Part(_rect(front + 0.1, h - 0.15, width * 0.8, 0.84), _shade(paint, 1.1), engine),
        Part(np.vstack([_rect(rear, front, width * 0.9, 0.85, 0.1),
                        _rect(rear + 0.4, front - 0.75, width * 0.76, 1.4, 0.1)]), glass, 60),
        Part(_rect(rear + 0.45, front - 0.8, width * 0.78, 1.42, 0.15), _shade(paint, 1.05),
             body - 15),
    ]  # fmt: skip
    parts += _lamps(h, width, 0.8)
    return Body(CAR, tuple(parts), length, width, 1.3)


def _lamps(half: float, width: float, z: float) -> list[Part]:
    parts = []
    for side in (-1, 1):
        y = side * width * 0.34
        front = np.array([(half - 0.25, y - 0.2, z), (half - 0.25, y + 0.2, z),
                          (half - 0.02, y + 0.16, z), (half - 0.02, y - 0.16, z)])  # fmt: skip
        parts.append(Part(front, (250, 246, 226), 200))
        parts.append(Part(front * (-1, 1, 1), (170, 28, 24), 120))
    return parts


def van(rng: np.random.Generator) -> Body:
    """A delivery van."""
    paint = _PAINTS[int(rng.choice([0, 1, 2, 4, 8, 11]))]
    length, width, height = float(rng.uniform(5.4, 6.4)), 2.05, float(rng.uniform(2.2, 2.6))
    h = length / 2
    body, engine = int(rng.integers(80, 170)), int(rng.integers(150, 256))
    parts = [
        Part(np.vstack([_rect(-h, h - 0.1, width, 0.25, 0.15), _rect(-h, h * 0.5, width, height)]),
             _shade(paint, 0.66), body - 30),
        Part(_rect(h * 0.6, h, width, 1.0, 0.2), paint, engine),
        Part(np.vstack([_rect(h * 0.66, h * 0.7, width * 0.9, 1.1),
                        _rect(h * 0.45, h * 0.5, width * 0.86, height - 0.1)]), (34, 40, 48), 60),
        Part(_rect(-h, h * 0.47, width, height, 0.12), paint, body),
        Part(_rect(-h + 0.4, h * 0.3, width * 0.7, height + 0.02), _shade(paint, 0.93), body - 8),
    ]  # fmt: skip
    return Body(OTHER_VEHICLE, tuple(parts + _lamps(h, width, 1.0)), length, width, height)


def truck(rng: np.random.Generator) -> Body:
    """A lorry: cab and box."""
    paint = _PAINTS[int(rng.integers(len(_PAINTS)))]
    box = _PAINTS[int(rng.choice([0, 1, 2, 8, 9, 11]))]
    length, width, height = float(rng.uniform(7.0, 9.5)), 2.45, float(rng.uniform(2.9, 3.5))
    h = length / 2
    body, engine = int(rng.integers(60, 150)), int(rng.integers(170, 256))
    split = h - 2.0
    parts = [
        Part(np.vstack([_rect(-h, h, width * 0.9, 0.4), _rect(-h, h, width * 0.9, 0.8)]),
             (40, 40, 44), body),
        Part(np.vstack([_rect(split, h, width * 0.94, 0.5, 0.1),
                        _rect(split, h - 0.2, width * 0.94, 2.4, 0.1)]), _shade(paint, 0.65), body),
        Part(np.vstack([_rect(h - 0.05, h, width * 0.84, 1.4),
                        _rect(h - 0.4, h - 0.2, width * 0.8, 2.3)]), (34, 40, 48), 70),
        Part(_rect(split, h - 0.3, width * 0.94, 2.42, 0.15), paint, engine),
        Part(np.vstack([_rect(-h, split - 0.3, width, 0.9), _rect(-h, split - 0.3, width, height)]),
             _shade(box, 0.62), body - 20),
        Part(_rect(-h, split - 0.3, width, height), box, body),
        *(Part(_rect(x, x + 0.12, width * 0.96, height + 0.01), _shade(box, 0.86), body - 10)
          for x in np.arange(-h + 1.2, split - 0.6, 1.3)),
    ]  # fmt: skip
    return Body(OTHER_VEHICLE, tuple(parts), length, width, height)


def bus(rng: np.random.Generator) -> Body:
    """A city bus."""
    paint: Colour = ((206, 60, 44), (60, 150, 90), (228, 226, 216), (226, 176, 40))[
        int(rng.integers(4))
    ]
    length, width, height = 11.2, 2.5, 3.0
    h, body = length / 2, int(rng.integers(90, 150))
    unit = (200, 200, 198)
    parts = [
        Part(np.vstack([_rect(-h, h, width, 0.3, 0.2), _rect(-h, h, width, 1.3, 0.2)]),
             _shade(paint, 0.7), body),
        Part(np.vstack([_rect(-h, h, width, 1.3, 0.2), _rect(-h, h, width, 2.5, 0.2)]),
             (36, 42, 52), 70),
        Part(np.vstack([_rect(-h, h, width, 2.5, 0.2), _rect(-h, h, width, height, 0.3)]),
             _shade(paint, 0.75), body),
        Part(_rect(-h, h, width, height, 0.3), paint, body + 10),
        Part(_rect(-h * 0.75, -h * 0.45, 1.6, height + 0.2), unit, 220),
        Part(_rect(h * 0.1, h * 0.35, 1.6, height + 0.2), unit, 190),
        Part(_rect(-h * 0.3, -h * 0.15, 1.0, height + 0.05), _shade(paint, 0.8), body),
        Part(_rect(h * 0.6, h * 0.72, 1.0, height + 0.05), _shade(paint, 0.8), body),
    ]  # fmt: skip
    return Body(OTHER_VEHICLE, tuple(parts), length, width, height)


def walker(rng: np.random.Generator) -> list[Body]:
    """A person in four phases of a stride."""
    top = _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    legs = _CLOTHES[int(rng.choice([0, 1, 7, 2, 4]))]
    hair: Colour = ((40, 30, 24), (96, 70, 44), (190, 160, 110), (228, 226, 220))[
        int(rng.integers(4))
    ]
    s = float(rng.uniform(1.05, 1.3))
    heat = int(rng.integers(212, 250))
    bodies = []
    for swing in (0.0, 0.32, 0.0, -0.32):
        parts = []
        for side in (-1, 1):
            foot = _disc(side * swing * s, side * 0.12 * s, 0, 0.15 * s, 0.09 * s, 6)
            hip = _disc(0, side * 0.1 * s, 0.85 * s, 0.1 * s, 0.1 * s, 6)
            parts.append(Part(np.vstack([foot, hip]), legs, heat - 30))
            hand = _disc(-side * swing * s * 0.9, side * 0.32 * s, 0.8 * s, 0.07 * s, 0.07 * s, 4)
            arm = _disc(0, side * 0.26 * s, 1.36 * s, 0.08 * s, 0.08 * s, 4)
            parts.append(Part(np.vstack([hand, arm]), _shade(top, 0.85), heat - 12))
        trunk = [_disc(0, 0, 0.85 * s, 0.14 * s, 0.2 * s), _disc(0, 0, 1.4 * s, 0.15 * s, 0.3 * s)]
        parts.append(Part(np.vstack(trunk), top, heat))
        head = [
            _disc(0.03, 0, 1.5 * s, 0.11 * s, 0.1 * s),
            _disc(0.03, 0, 1.72 * s, 0.11 * s, 0.1 * s),
        ]
        parts.append(Part(np.vstack(head), hair, min(255, heat + 14)))
        bodies.append(Body(PERSON, tuple(parts), 0.7 * s, 0.7 * s, 1.75 * s))
    return bodies


def rider(rng: np.random.Generator) -> list[Body]:
    """A bicycle with its rider, in two phases of pedalling."""
    top = _CLOTHES[int(rng.integers(len(_CLOTHES)))]
    s = float(rng.uniform(1.1, 1.3))
    heat = int(rng.integers(205, 245))
    bodies = []
    for swing in (-0.16, 0.16):
        wheel_y = 0.05 * s
        parts = []
        for x in (-0.52, 0.52):
            a = np.linspace(0, 2 * np.pi, 10, endpoint=False)
            ring = [(x * s + 0.34 * s * np.cos(b), y, 0.34 * s + 0.34 * s * np.sin(b))
                    for b in a for y in (-wheel_y, wheel_y)]  # fmt: skip
            parts.append(Part(np.array(ring), (30, 30, 32), 96))
        frame = [
            (x * s, y * s, z * s) for x, z in ((-0.5, 0.5), (0.5, 0.75)) for y in (-0.05, 0.05)
        ]
        parts.append(Part(np.array(frame), (120, 34, 34), 110))
        bar = np.array([(0.4 * s, y * s, 0.95 * s) for y in (-0.3, 0.3)]
                       + [(0.48 * s, y * s, 0.97 * s) for y in (-0.3, 0.3)])  # fmt: skip
        parts.append(Part(bar, (40, 40, 44), 110))
        for side in (-1, 1):
            foot = _disc(side * swing * s, side * 0.13 * s, 0.3 * s, 0.12 * s, 0.07 * s, 6)
            hip = _disc(-0.2 * s, side * 0.1 * s, 0.95 * s, 0.1 * s, 0.1 * s, 6)
            parts.append(Part(np.vstack([foot, hip]), (40, 44, 60), heat - 30))
            hand = _disc(0.42 * s, side * 0.26 * s, 1.0 * s, 0.06 * s, 0.06 * s, 4)
            arm = _disc(0.08 * s, side * 0.2 * s, 1.4 * s, 0.08 * s, 0.08 * s, 4)
            parts.append(Part(np.vstack([hand, arm]), _shade(top, 0.85), heat - 12))
        trunk = [_disc(-0.22 * s, 0, 0.95 * s, 0.15 * s, 0.18 * s),
                 _disc(0.08 * s, 0, 1.45 * s, 0.15 * s, 0.26 * s)]  # fmt: skip
        parts.append(Part(np.vstack(trunk), top, heat))
        head = [_disc(0.2 * s, 0, z * s, 0.13 * s, 0.11 * s) for z in (1.5, 1.72)]
        helmet: Colour = ((230, 230, 226), (180, 40, 36), (40, 40, 44))[int(rng.integers(3))]
        parts.append(Part(np.vstack(head), helmet, min(255, heat + 8)))
        bodies.append(Body(BICYCLE, tuple(parts), 1.75 * s, 0.6 * s, 1.72 * s))
    return bodies


def vehicle(rng: np.random.Generator, parked: bool = False) -> Body:
    """Any motor vehicle, mostly cars; the large ones only where there is room (moving)."""
    odds = (0.86, 0.14, 0.0, 0.0) if parked else (0.66, 0.14, 0.12, 0.08)
    make = (car, van, truck, bus)[int(rng.choice(4, p=odds))]
    return make(rng)
