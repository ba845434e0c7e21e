# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The marginal value of bytes: from a checkpoint's value curve to the rate codes that pay.

On a link that changes all the time bytes do not only make a frame better, they also take the room
of the frames after it. If a share p of the value comes from times in which bytes run short, a frame
of 1 % more bytes costs p % of the value and gains e %, with the elasticity of the curve

    e = d ln(accuracy) / d ln(bytes)

So no frame should be larger than where e = p, and none smaller than where e = 1: below that, fewer
frames of more bytes have a higher value.

Bytes also cost time where nothing is short: a frame that takes t seconds to pass the link comes t
later, and a result loses its value with a time constant T. The same argument gives e = t / T.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from sc2_ros.link.rate import RATE_CODES


@dataclass(frozen=True)
class ValueConstants:
    """How shortage is measured."""

    memory_s: float = 4.0
    """Seconds. Time constant of the share of frames that were short (chosen on recorded uplinks at
    200 kbit/s, seeds 0 to 2)."""
    late_s: float = 0.1
    """Seconds. A frame that queues for longer was short of bytes, as one that was skipped."""
    gain: float = 8.0
    """A skipped frame stands for others beside it that were kept small or waited (chosen on
    recorded uplinks, for 95 % of the frames within 250 ms)."""
    chance: float = 0.02
    """Share. So much shortage is chance and does not count."""
    stale_s: float = 4.0
    """Seconds. Time constant with which a result loses its value: 1 % per 40 ms (chosen on the
    demo: the last quarter of the bytes that a link of 500 kbit/s takes brings a hundredth of the
    accuracy and 50 ms)."""
    most_pass_s: float = 0.05
    """Seconds that a frame is thought to take to pass the link at most: while few frames come, the
    target is low because little is sent, and says nothing of the link."""
    most_gap_s: float = 1 / 30
    """Seconds. What a frame of a slow camera counts for at most, so that one alone is chance."""


VALUE = ValueConstants()


class ValueCurve:
    """A checkpoint's value curve, as the codes from which and up to which bytes pay."""

    def __init__(self, curve: object = ()) -> None:
        """Read a card's curve, (rate code, bytes per frame, accuracy) rows.

        What is no such row does not count, and without rows every code pays.
        """
        rows = [row for row in curve if _is_point(row)] if isinstance(curve, Sequence) else []
        points = [(math.log(row[1]), math.log(row[2]), row[0]) for row in rows]
        hull = _upper_hull(sorted(points, key=lambda point: (point[0], -point[1])))
        self._elasticities: list[float] = [0.0]
        self._codes: list[float] = [RATE_CODES]
        slopes = [
            ((b[1] - a[1]) / (b[0] - a[0]), (a[2] + b[2]) / 2, b[2])
            for a, b in itertools.pairwise(hull)
        ]
        steep = [high for slope, _, high in slopes if slope > 1]
        self.least_code = steep[-1] if steep else hull[0][2] if hull else 0
        """The code with the most accuracy per byte: fewer frames at it have a higher value than all
        of them below it."""
        for slope, middle, _ in reversed(slopes):
            if slope > self._elasticities[-1]:
                self._elasticities.append(slope)
                self._codes.append(middle)

    def most_code(self, shortage: float) -> int:
        """The highest code that pays where a share ``shortage`` of the value is short of bytes."""
        number = bisect_left(self._elasticities, shortage)
        if number == 0:
            return RATE_CODES
        if number == len(self._elasticities):
            return self.least_code if len(self._codes) > 1 else RATE_CODES
        left, right = self._elasticities[number - 1], self._elasticities[number]
        part = (shortage - left) / (right - left)
        code = self._codes[number - 1] + part * (self._codes[number] - self._codes[number - 1])
        return max(round(code), self.least_code)


class Shortage:
    """The share of the value that is short of bytes: frames that were skipped or late, lately.

    Not those of a stall, in which no byte would have gone through.
    """

    def __init__(self) -> None:
        self._share = 0.0

    @property
    def share(self) -> float:
        """0 to 1; a few frames are chance."""
        return min(max(0.0, VALUE.gain * self._share - VALUE.chance), 1.0)

    def add(self, is_short: bool, gap_s: float) -> None:
        """Enter a frame, ``gap_s`` after the one before."""
        weight = 1 - math.exp(-min(gap_s, VALUE.most_gap_s) / VALUE.memory_s)
        self._share += (is_short - self._share) * weight


def _upper_hull(points: Sequence[tuple[float, float, int]]) -> list[tuple[float, float, int]]:
    """The points that no line between two others passes above (Andrew's monotone chain)."""
    hull: list[tuple[float, float, int]] = []
    for point in points:
        if hull and point[0] <= hull[-1][0]:
            continue
        while len(hull) > 1 and _turns_left(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_left(
    a: tuple[float, float, int], b: tuple[float, float, int], c: tuple[float, float, int]
) -> bool:
    return (b[0] - a[0]) * (c[1] - a[1]) >= (b[1] - a[1]) * (c[0] - a[0])


def _is_point(row: object) -> bool:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 3:
        return False
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in row):
        return False
    return isinstance(row[0], int) and 0 <= row[0] <= RATE_CODES and row[1] > 0 and row[2] > 0
