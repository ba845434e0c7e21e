# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How much of a frame's bytes goes into repair packets: what is expected to arrive decides.

With n slices and r repair packets of an erasure code, a slice is missing at the ground if it is
lost and r or more of the other n + r - 1 packets are, too. Of a budget of B bytes,

    expected value = A(data bytes) (1 - P(slice missing))       A(b) = b / (b + half)

More slices make a repair packet smaller, but each has a header of its own and its contexts begin
anew. With no loss, one slice and no repair packet win; with some, a better protected frame of fewer
bytes does, as long as accuracy saturates with the bytes.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

REPAIR_MODES = ("auto", "off")

HALF_BYTES_PER_POSITION = 0.015
"""Bytes per latent position at which a frame has half of its accuracy: the shipped checkpoint has
0.915, 0.954, 0.980 and 0.989 of it at 240, 400, 513 and 839 bytes of 640x512 (HIT-UAV val, mean
AP50), so between 0.007 and 0.017."""
SLICE_BYTES = 38
"""What another slice costs: its header, and contexts that begin anew (measured, HIT-UAV val)."""
UNEVEN = 0.15
"""How much longer than their mean the longest slice is, per doubling of their number (measured)."""
LARGEST_BYTES = 1190
MOST_REPAIRS, MOST_SLICES, EXTRA_SLICES = 6, 64, 6
LEAST_LOSS, MOST_LOSS = 0.005, 0.4
SHORT_QUEUE_S = 0.08
"""A queue that the controller keeps is shorter than this, one that overflows mostly longer."""
MEMORY_S = 6.0
"""Loss is averaged over so long: a share of the packets that jumps about is mostly chance."""
_STEPS_PER_DOUBLING = 4


class RepairPlan(NamedTuple):
    """Slices at least, and repair packets, of a frame."""

    slices: int = 1
    repairs: int = 0


NO_REPAIR = RepairPlan()


class RepairPolicy:
    """Follows the loss that the radio makes; what a queue drops is none of its business.

    A queue overflows when it is long, so what is lost while it is short the radio has lost. (The
    controller's own measure, loss while there is no queue at all, is stricter, since it must not
    take a very short queue for a bad radio; but with a full link it has seconds to wait for one.)
    """

    def __init__(self) -> None:
        self._loss: float | None = None
        self._since_s = 0.0
        self._heard_s = 0.0

    @property
    def loss(self) -> float:
        """The random loss that is reckoned with, 0 to 1."""
        return self._loss or 0.0

    def update(self, loss: float | None, queue_s: float | None, now_s: float) -> None:
        """Enter loss and queueing delay as the controller sees them; ``None``: nothing is known."""
        if loss is None or queue_s is None:
            self._loss = None
            return
        if queue_s > SHORT_QUEUE_S:
            return
        elapsed_s, self._heard_s = now_s - self._heard_s, now_s
        if self._loss is None or not 0 <= elapsed_s < MEMORY_S:
            self._loss, self._since_s = loss, now_s
        elif elapsed_s > 0:
            # A mean of all that was heard at first, then one that forgets.
            memory_s = min(MEMORY_S, now_s - self._since_s)
            self._loss += (1 - math.exp(-elapsed_s / memory_s)) * (loss - self._loss)

    def plans(self, budget_bytes: int, positions: int) -> tuple[RepairPlan, ...]:
        """What a frame of ``positions`` latent positions and so many bytes in all should have.

        The best plan comes first. One that leaves more bytes to the frame follows, for a frame that
        does not fit at any rate beside the best one, and then none.
        """
        if self.loss < LEAST_LOSS:
            return (NO_REPAIR,)
        steps = round(_STEPS_PER_DOUBLING * math.log2(max(budget_bytes, 1)))
        half_bytes = HALF_BYTES_PER_POSITION * positions
        best = best_plan(steps, round(min(self.loss, MOST_LOSS), 2), half_bytes)
        if best == NO_REPAIR:
            return (NO_REPAIR,)
        return tuple(dict.fromkeys((best, cheapest_plan(steps), NO_REPAIR)))


@lru_cache(maxsize=4096)
def best_plan(budget_steps: int, loss: float, half_bytes: float) -> RepairPlan:
    """The plan with the largest expected value.

    Args:
        budget_steps: bytes of the frame in all, as four times their binary logarithm.
        loss: probability that a packet is lost, each by itself.
        half_bytes: bytes at which a frame has half of its accuracy.
    """
    budget_bytes = 2 ** (budget_steps / _STEPS_PER_DOUBLING)
    best, most = NO_REPAIR, 0.0
    for repairs in range(MOST_REPAIRS + 1):
        fewest = max(1, math.ceil(budget_bytes / LARGEST_BYTES) - repairs)
        for slices in range(fewest, min(fewest + EXTRA_SLICES, MOST_SLICES) + 1):
            data_bytes = payload_bytes(budget_bytes, slices, repairs)
            if data_bytes <= 0:
                continue
            value = data_bytes / (data_bytes + half_bytes)
            value *= 1 - share_missing(loss, slices, repairs)
            if value > most:
                best, most = RepairPlan(slices if repairs else 1, repairs), value
    return best


@lru_cache(maxsize=256)
def cheapest_plan(budget_steps: int) -> RepairPlan:
    """One repair packet, with the slices that leave most bytes to the frame."""
    budget_bytes = 2 ** (budget_steps / _STEPS_PER_DOUBLING)
    slices = range(1, MOST_SLICES + 1)
    return RepairPlan(max(slices, key=lambda count: payload_bytes(budget_bytes, count, 1)), 1)


def payload_bytes(budget_bytes: float, slices: int, repairs: int) -> float:
    """What is left for the frame itself, as bytes that it would have in a single packet."""
    uneven = 1 + UNEVEN * math.log2(slices)
    return budget_bytes / (1 + repairs * uneven / slices) - (slices - 1) * SLICE_BYTES


@lru_cache(maxsize=65536)
def share_missing(loss: float, slices: int, repairs: int) -> float:
    """Share of the slices that is lost and does not come back."""
    others = slices + repairs - 1
    few = sum(
        math.comb(others, lost) * loss**lost * (1 - loss) ** (others - lost)
        for lost in range(repairs)
    )
    return loss * (1 - few)
