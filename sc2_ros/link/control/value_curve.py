# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The marginal value of bytes: from a checkpoint's value curve to the rate codes that pay.

Bytes do not only make a frame better, they also take the room of others and make all that follows
wait. What a link's room is worth its queue tells: in the optimisation that congestion control
solves (Kelly, Maulloo and Tan 1998; Low, Peterson and Wang 2002 for TCP Vegas) the queueing delay
is the price of a byte, and a sender takes as many as are worth it. Here what they are worth is the
accuracy, so a frame has as many bytes as make the elasticity of the curve the price,

    e = d ln(accuracy) / d ln(bytes) = q / T

with q the mean queueing delay behind our own packets. Nor is a frame smaller than where e = 1:
below that, fewer frames of more bytes have a higher value.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

from sc2_ros.link.rate import RATE_CODES


@dataclass(frozen=True)
class PriceConstants:
    """How dear a queue makes bytes."""

    price_s: float = 0.1
    """Seconds of queue at which 1 % more bytes have to bring 1 % more accuracy: T (chosen on
    recorded uplinks, seeds 0 to 5, for 95 % of the frames within 250 ms, and on the demo)."""
    memory_s: float = 4.0
    """Seconds. Time constant of the mean queue: over shorter ones the target is what follows."""


PRICE = PriceConstants()


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

    def most_code(self, price: float) -> int:
        """The highest code that pays where 1 % more bytes have to bring ``price`` % of accuracy."""
        number = bisect_left(self._elasticities, price)
        if number == 0:
            return RATE_CODES
        if number == len(self._elasticities):
            return self.least_code if len(self._codes) > 1 else RATE_CODES
        left, right = self._elasticities[number - 1], self._elasticities[number]
        part = (price - left) / (right - left)
        code = self._codes[number - 1] + part * (self._codes[number] - self._codes[number - 1])
        return max(round(code), self.least_code)


class Price:
    """What 1 % more bytes have to bring, as a share of the accuracy: the mean queue over T."""

    def __init__(self) -> None:
        self._queue_s = 0.0

    @property
    def now(self) -> float:
        """0 without a queue, to 1."""
        return self._queue_s / PRICE.price_s

    def add(self, queue_s: float, gap_s: float) -> None:
        """Enter the queueing delay of a moment, ``gap_s`` after the one before.

        What is longer than T says no more, and would be remembered for longer: what waited through
        a stall, or a clock that was set.
        """
        queue_s = min(queue_s, PRICE.price_s)
        self._queue_s += (queue_s - self._queue_s) * (1 - math.exp(-gap_s / PRICE.memory_s))


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
