# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What frames cost and are worth, without a network: for simulation and for skipping frames."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from sc2_ros.link.rate import RATE_CODES

SLICE_BYTES = 1100
"""Mean bytes of a full packet."""


@dataclass(frozen=True)
class Content:
    """Frames whose price doubles every so many codes and varies over time.

    Measured on the synthetic flight with trained tables, a frame of 640x480 takes about 0.6 kB at
    code 0 and doubles every 12 to 16 codes.

    Attributes:
        smallest_bytes: mean price at code 0, headers included.
        codes_per_doubling: rate codes that double it.
        variation: standard deviation of the logarithm of the price over time.
        half_value_bytes: bytes at which a frame has half of the accuracy of an uncompressed one.
    """

    smallest_bytes: float = 600.0
    codes_per_doubling: float = 13.0
    variation: float = 0.1
    half_value_bytes: float = 500.0

    def price(self, frame: int, code: int) -> int:
        """Bytes of a frame at a rate code."""
        # Slow and quick changes whose periods share no multiple: no two frames are quite alike.
        change = math.sin(frame / 41.0) + 0.6 * math.sin(frame / 7.3) + 0.5 * math.sin(frame * 1.7)
        factor = math.exp(self.variation * change)
        return round(self.smallest_bytes * factor * 2 ** (code / self.codes_per_doubling))

    def highest_code(self, frame: int, budget_bytes: float, low: int, high: int) -> int | None:
        """The highest code that fits; ``None`` if ``low`` does not."""
        lowest = self.price(frame, 0)
        if budget_bytes < lowest:
            return None
        code = math.floor(self.codes_per_doubling * math.log2(budget_bytes / lowest)) + 1
        code = min(code, high)
        while code >= low and self.price(frame, code) > budget_bytes:
            code -= 1
        return code if code >= low else None

    def value(self, size_bytes: float) -> float:
        """Share of the accuracy of an uncompressed frame, 0 to 1: saturating with the bytes."""
        return 1.0 - math.exp(-math.log(2) * size_bytes / self.half_value_bytes)


def useful_code(curve: object) -> int:
    """The code with the most accuracy per byte, of (code, bytes per frame, accuracy) rows.

    At rates that do not pay for every frame at this code, fewer frames at it are worth more than
    all of them below it: for any other point the line from the origin is less steep. Rows that are
    none, as a card may hold, do not count.
    """
    rows = [row for row in curve if _is_point(row)] if isinstance(curve, Sequence) else []
    return max(rows, key=lambda row: (row[2] / row[1], -row[0]))[0] if rows else 0


def _is_point(row: object) -> bool:
    if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != 3:
        return False
    if not all(isinstance(value, int | float) and math.isfinite(value) for value in row):
        return False
    return isinstance(row[0], int) and 0 <= row[0] <= RATE_CODES and row[1] > 0 and row[2] >= 0
