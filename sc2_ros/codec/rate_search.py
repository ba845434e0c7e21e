# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The highest rate that fits a budget, from as few prices as possible."""

from __future__ import annotations

import math
from collections.abc import Callable

from sc2_ros.codec.pricing import FramePrice

_CODES_PER_DOUBLING = 16.0
"""First guess of how many rate codes double a frame; the search learns the frame's own."""


def highest_code(
    price_of: Callable[[int], FramePrice],
    budget_bytes: float,
    low: int,
    high: int,
    near: int | None = None,
    slack: float = 0.0,
) -> int | None:
    """The highest code in low .. high whose frame fits the budget.

    A bisection that aims where the logarithm of the size should cross the budget, which takes about
    four prices; started `near` the code of the frame before, about three. It ends early, below the
    highest, with a frame that leaves less than the share `slack` of the budget: then often one or
    two are enough.

    Returns:
        The code, or None if not even `low` fits.
    """
    below, above = low - 1, high + 1
    target = math.log2(max(budget_bytes, 1.0))
    guess = (low + high) // 2 if near is None else near
    slope = 1.0 / _CODES_PER_DOUBLING
    last: tuple[int, float] | None = None
    prices = 0
    while above - below > 1:
        # Should the frame defy the guesses, plain bisection bounds their number.
        middle = (below + above) // 2 if prices >= 4 else guess
        middle = min(max(middle, below + 1), above - 1)
        price = price_of(middle)
        prices += 1
        if price.fits and price.size_bytes <= budget_bytes:
            below = middle
            if price.size_bytes >= (1.0 - slack) * budget_bytes:
                break
        else:
            above = middle
        size = math.log2(price.size_bytes)
        if last is not None and (size - last[1]) * (middle - last[0]) > 0:
            slope = (size - last[1]) / (middle - last[0])
        last = (middle, size)
        guess = math.floor(middle + min(max((target - size) / slope, -64.0), 64.0))
    return below if below >= low else None
