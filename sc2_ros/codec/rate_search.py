# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The highest rate that fits a budget, from as few prices as possible."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.plan import FramePrice

_CODES_PER_DOUBLING = 16.0
"""First guess of how many rate codes double a frame; the search learns the frame's own."""
_THRESHOLDS = (0.5, 1.5)

PriceOf = Callable[[int], FramePrice]


def highest_code(
    price_of: PriceOf,
    budget_bytes: float,
    low: int,
    high: int,
    near: int | None = None,
) -> int | None:
    """The highest code in low .. high whose frame fits the budget.

    A bisection that aims where the logarithm of the size should cross the budget, which takes about
    four prices; started `near` the code of the frame before, about three.

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
        else:
            above = middle
        size = math.log2(price.size_bytes)
        if last is not None and (size - last[1]) * (middle - last[0]) > 0:
            slope = (size - last[1]) / (middle - last[0])
        last = (middle, size)
        guess = math.floor(middle + min(max((target - size) / slope, -64.0), 64.0))
    return below if below >= low else None


class GuidedSearch:
    """The same where prices are dear: the number of symbols that are not zero tells where to look.

    What a frame costs per such symbol hardly differs from the frame before, so that one price is
    often enough.
    """

    def __init__(self, gains: npt.NDArray[np.float32]) -> None:
        """gains: (65, n), of the channels that are coded."""
        self._limits = [(threshold / gains)[:, :, None] for threshold in _THRESHOLDS]
        self._bytes_per_symbol: dict[bool, float] = {}

    def highest_code(
        self,
        price_of: PriceOf,
        magnitude: npt.NDArray[np.float32],
        budget_bytes: float,
        low: int,
        high: int,
        *,
        near: int | None = None,
        predicted: bool = False,
        slack: float = 0.0,
    ) -> int | None:
        """The highest code in low .. high whose frame fits the budget; None if not even `low` does.

        Args:
            price_of: the price at a code.
            magnitude: (n, P) float32, of the latent, channels that are coded.
            budget_bytes: of the frame.
            low: lowest code.
            high: highest code.
            near: where to begin with the very first frame.
            predicted: whether the frame is predicted, which costs less per symbol.
            slack: share of the budget that may be left unused, to save prices.
        """
        counts: dict[int, float] = {}

        def count(code: int) -> float:
            if code not in counts:
                found = [np.count_nonzero(magnitude > limit[code]) for limit in self._limits]
                counts[code] = float(sum(found)) + 4.0
            return counts[code]

        below, above = low - 1, high + 1
        prices = 0
        while above - below > 1:
            each = self._bytes_per_symbol.get(predicted)
            if prices >= 4:
                middle = (below + above) // 2
            elif each is None:
                middle = (low + high) // 2 if near is None else near
            else:
                middle = _last_within(count, budget_bytes / each, below, above)
            middle = min(max(middle, below + 1), above - 1)
            price = price_of(middle)
            prices += 1
            self._bytes_per_symbol[predicted] = price.size_bytes / count(middle)
            if price.fits and price.size_bytes <= budget_bytes:
                below = middle
                if price.size_bytes >= (1.0 - slack) * budget_bytes:
                    break
            else:
                above = middle
        return below if below >= low else None


def _last_within(size_of: Callable[[int], float], budget: float, below: int, above: int) -> int:
    """The last code between below and above whose size is within the budget; below if none is."""
    while above - below > 1:
        middle = (below + above) // 2
        if size_of(middle) <= budget:
            below = middle
        else:
            above = middle
    return below
