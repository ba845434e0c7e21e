# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a queue that others keep full."""

from __future__ import annotations

import math
from collections import deque

PATIENCE_S = 2.0
WINDOW_S = 1.0
_ABOVE_S = 0.02
_STAYS = 0.6


class ForeignQueue:
    """Tells our own queueing delay from one that does not go away when we send less.

    A queue of our own drains once the target has been cut. One that stands for two seconds all the
    same belongs to a TCP flow, or is no queue at all but a longer route. It is then taken as
    given, as SCReAM does with its delay target (RFC 8298, section 4.1.2.3), until it shrinks.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        """What is taken as given, seconds."""
        self._above_s: float | None = None
        self._first_s = 0.0
        self._recent: deque[tuple[float, float]] = deque()

    def own(self, queue_s: float, set_point_s: float, now_s: float) -> float:
        """Our part of a queueing delay, seconds."""
        self.delay_s = min(self.delay_s, queue_s)
        self._remember(queue_s, now_s)
        own_s = queue_s - self.delay_s
        if own_s <= set_point_s + _ABOVE_S or (self._above_s is not None and now_s < self._above_s):
            self._above_s = None
            return own_s
        if self._above_s is None:
            self._above_s, self._first_s = now_s, own_s
        elif now_s - self._above_s > PATIENCE_S:
            least_s = min(delay_s for _, delay_s in self._recent)
            if least_s - self.delay_s > _STAYS * self._first_s:
                self.delay_s = max(self.delay_s, least_s - set_point_s / 2)
            self._above_s, self._first_s = now_s, queue_s - self.delay_s
        return queue_s - self.delay_s

    def _remember(self, queue_s: float, now_s: float) -> None:
        recent = self._recent
        while recent and not 0 <= now_s - recent[0][0] <= WINDOW_S:
            recent.popleft()
        while recent and recent[-1][1] >= queue_s and math.isfinite(queue_s):
            recent.pop()
        recent.append((now_s, queue_s))
