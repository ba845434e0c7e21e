# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a queue that others keep full."""

from __future__ import annotations

import math
from collections import deque

PATIENCE_S, PATIENCE_ROUNDS = 1.2, 3.0
CREEP = 0.05
"""Seconds per second by which a foreign queue may grow; TCP grows a queue about as fast."""
WINDOW_S = 1.0
_ABOVE_S = 0.02
_STAYS = 0.6


class ForeignQueue:
    """Tells our own queueing delay from one that does not go away when we send less.

    A queue of our own drains once the target has been cut. One that stands all the same, for 1.2 s
    and three round trips, belongs to a TCP flow, or is no queue at all but a longer route. It is
    then taken as given until it shrinks, as SCReAM does by raising its delay target (RFC 8298,
    section 4.1.2.3).
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        """What is taken as given, seconds."""
        self._above_s: float | None = None
        self._first_s = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self._last_s: float | None = None

    @property
    def is_watching(self) -> bool:
        """Whether a queue stands that may prove foreign."""
        return self._above_s is not None

    def own(self, queue_s: float, set_point_s: float, rtt_s: float, now_s: float) -> float:
        """Our part of a queueing delay, seconds."""
        elapsed_s = 0.0 if self._last_s is None else min(max(0.0, now_s - self._last_s), 0.2)
        self._last_s = now_s
        if self.delay_s > 0 and queue_s - self.delay_s > set_point_s:
            self.delay_s += CREEP * elapsed_s
        self.delay_s = max(0.0, min(self.delay_s, queue_s - set_point_s / 2))
        self._remember(queue_s, now_s)
        own_s = queue_s - self.delay_s
        if own_s <= set_point_s + _ABOVE_S or (self._above_s is not None and now_s < self._above_s):
            self._above_s = None
            return own_s
        if self._above_s is None:
            self._above_s, self._first_s = now_s, own_s
        elif now_s - self._above_s > PATIENCE_S + PATIENCE_ROUNDS * rtt_s:
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
