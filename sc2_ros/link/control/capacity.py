# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the link carries on average, and how much that changes by itself."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class CapacityConstants:
    """How soon the mean follows, and from when a link counts as unsteady."""

    quick_s: float = 0.3
    """Seconds. Time constant of the mean on a steady link: a drop is followed at once."""
    slow_s: float = 2.0
    """Seconds. The same on an unsteady link (chosen on recorded uplinks, seeds 0 to 2)."""
    deviation_s: float = 4.0
    """Seconds. Time constant of the mean deviation: long enough for one step of RFC 8867 to be
    forgotten, not for a link that changes all the time."""
    least_variation: float = 0.08
    """Mean deviation over mean, below which a link is steady: more than the noise of a fixed
    capacity measured over 0.35 s."""
    steady_variation: float = 0.04
    """Mean deviation over mean, up to which a link may be one of a fixed capacity."""
    full_variation: float = 0.3
    """Mean deviation over mean, from which a link is wholly unsteady (recorded uplinks are)."""
    known_s: float = 15.0
    """Seconds. Time constant with which the most that was carried lately is forgotten (chosen on
    recorded uplinks at 200 kbit/s, seeds 0 to 2)."""


CAPACITY = CapacityConstants()


class Capacity:
    """Mean and mean deviation of the rate at which packets pass a link with a queue.

    Mean and deviation as of the round trip in TCP (RFC 6298, section 2). A cellular link carries
    another rate in every tenth of a second: to follow each would leave it empty half of the time.
    """

    def __init__(self) -> None:
        self.mean_bps = 0.0
        """0 while unknown."""
        self.known_bps = 0.0
        """The most that a queue showed the link to carry in the last seconds."""
        self.steady_s = 0.0
        """Seconds with a queue since the capacity last changed by itself."""
        self._deviation_bps = 0.0

    @property
    def unsteadiness(self) -> float:
        """0 for a steady link to 1 for one that changes by a third and more all the time."""
        if self.mean_bps <= 0:
            return 0.0
        above = self._deviation_bps / self.mean_bps - CAPACITY.least_variation
        range_ = CAPACITY.full_variation - CAPACITY.least_variation
        return min(max(above / range_, 0.0), 1.0)

    def measured(self, passed_bps: float, carried_bps: float, elapsed_s: float) -> None:
        """Enter the rate at which packets passed while there was a queue.

        ``carried_bps``: without those that the queue has dropped.
        """
        self.known_bps *= math.exp(-elapsed_s / CAPACITY.known_s)
        self.known_bps = max(self.known_bps, min(passed_bps, carried_bps))
        if self.mean_bps <= 0:
            self.mean_bps = passed_bps
            return
        off_bps = passed_bps - self.mean_bps
        change = _share(elapsed_s, CAPACITY.deviation_s)
        self._deviation_bps += (abs(off_bps) - self._deviation_bps) * change
        self.steady_s += elapsed_s
        if self._deviation_bps > CAPACITY.steady_variation * self.mean_bps:
            self.steady_s = 0.0
        memory_s = CAPACITY.quick_s + (CAPACITY.slow_s - CAPACITY.quick_s) * self.unsteadiness
        self.mean_bps += off_bps * _share(elapsed_s, memory_s)

    def at_least(self, passed_bps: float, elapsed_s: float) -> None:
        """Enter a rate that passed without a queue: the link carries no less."""
        if 0 < self.mean_bps < passed_bps:
            self.mean_bps += (passed_bps - self.mean_bps) * _share(elapsed_s, CAPACITY.quick_s)


def _share(elapsed_s: float, memory_s: float) -> float:
    return 1.0 - math.exp(-elapsed_s / memory_s)
