# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes and value of frames, without a network: for simulation."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from sc2_ros.link.rate import RATE_CODES

SLICE_BYTES = 1100
"""Mean bytes of a full packet."""


Curve = tuple[tuple[int, float, float], ...]
"""(rate code, mean bytes per frame, accuracy), by code: the value curve of a checkpoint's card."""


@dataclass(frozen=True)
class Content:
    """Frames whose price rises with the code and varies over time.

    Without a curve the price doubles every so many codes, from frames as small as those of 640x480
    up to 18 kB, so that it fills any link of a scenario at 30 frames per second.

    Attributes:
        smallest_bytes: mean price at code 0, headers included.
        codes_per_doubling: rate codes that double it.
        variation: standard deviation of the logarithm of the price over time.
        half_value_bytes: bytes at which a frame has half of the accuracy of an uncompressed one.
        curve: prices and values as measured, instead of those three; straight lines over the
            logarithm of the bytes between its points.
    """

    smallest_bytes: float = 600.0
    codes_per_doubling: float = 13.0
    variation: float = 0.1
    half_value_bytes: float = 500.0
    curve: Curve = ()

    @cached_property
    def mean_bytes(self) -> tuple[float, ...]:
        """Mean price at each rate code."""
        codes = range(RATE_CODES + 1)
        if not self.curve:
            return tuple(self.smallest_bytes * 2 ** (c / self.codes_per_doubling) for c in codes)
        known, logs = zip(*((row[0], math.log(row[1])) for row in self.curve), strict=True)
        return tuple(math.exp(np.interp(code, known, logs)) for code in codes)

    def change(self, frame: int) -> float:
        """By what a frame is dearer than the mean."""
        return _change(frame, self.variation)

    def price(self, frame: int, code: int) -> int:
        """Bytes of a frame at a rate code."""
        return round(self.mean_bytes[code] * self.change(frame))

    def highest_code(self, frame: int, budget_bytes: float, low: int, high: int) -> int | None:
        """The highest code that fits; ``None`` if ``low`` does not."""
        means, change = self.mean_bytes, self.change(frame)
        code = bisect_right(means, (budget_bytes + 0.5) / change, low, high + 1) - 1
        if code >= low and round(means[code] * change) > budget_bytes:
            code -= 1
        return code if code >= low else None

    def value(self, size_bytes: float) -> float:
        """Share of the accuracy of an uncompressed frame, 0 to 1: saturating with the bytes."""
        if not self.curve:
            return 1.0 - math.exp(-math.log(2) * size_bytes / self.half_value_bytes)
        place = np.interp(math.log(size_bytes), *self._values)
        return float(place)

    def points(self) -> Curve:
        """The value curve: as given, or at every fourth code of the model."""
        if self.curve:
            return self.curve
        sizes = self.mean_bytes
        return tuple((code, sizes[code], self.value(sizes[code])) for code in range(0, 65, 4))

    @cached_property
    def _values(self) -> tuple[list[float], list[float]]:
        most = max(row[2] for row in self.curve)
        return [math.log(row[1]) for row in self.curve], [row[2] / most for row in self.curve]


@lru_cache(maxsize=1 << 16)
def _change(frame: int, variation: float) -> float:
    # Slow and quick changes whose periods share no multiple: no two frames are quite alike.
    change = math.sin(frame / 41.0) + 0.6 * math.sin(frame / 7.3) + 0.5 * math.sin(frame * 1.7)
    return math.exp(variation * change)
