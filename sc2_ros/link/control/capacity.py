# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the link carries on average, and how much that changes by itself."""

from __future__ import annotations

import math

QUICK_S, SLOW_S = 0.3, 2.0
"""How soon the mean follows on a link that is steady, and on one that changes all the time. What
passes without a queue is certain, and is followed at once on either."""
DEVIATION_S = 4.0
LEAST_VARIATION, FULL_VARIATION = 0.08, 0.3
"""Mean deviation over mean, below which a link is steady and from which it is wholly unsteady."""
KNOWN_S = 8.0


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
        self._deviation_bps = 0.0

    @property
    def unsteadiness(self) -> float:
        """0 for a steady link to 1 for one that changes by a third and more all the time."""
        if self.mean_bps <= 0:
            return 0.0
        above = self._deviation_bps / self.mean_bps - LEAST_VARIATION
        return min(max(above / (FULL_VARIATION - LEAST_VARIATION), 0.0), 1.0)

    def measured(self, passed_bps: float, elapsed_s: float) -> None:
        """Enter the rate at which packets passed while there was a queue."""
        self.known_bps *= math.exp(-elapsed_s / KNOWN_S)
        self.known_bps = max(self.known_bps, passed_bps)
        if self.mean_bps <= 0:
            self.mean_bps = passed_bps
            return
        off_bps = passed_bps - self.mean_bps
        self._deviation_bps += (abs(off_bps) - self._deviation_bps) * _share(elapsed_s, DEVIATION_S)
        self.mean_bps += off_bps * _share(elapsed_s, self._memory_s())

    def at_least(self, passed_bps: float, elapsed_s: float) -> None:
        """Enter a rate that passed without a queue: the link carries no less."""
        if 0 < self.mean_bps < passed_bps:
            self.mean_bps += (passed_bps - self.mean_bps) * _share(elapsed_s, QUICK_S)

    def _memory_s(self) -> float:
        return QUICK_S + (SLOW_S - QUICK_S) * self.unsteadiness


def _share(elapsed_s: float, memory_s: float) -> float:
    return 1.0 - math.exp(-elapsed_s / memory_s)
