# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The part of a queue that others keep full."""

from __future__ import annotations

from collections import deque

PATIENCE_S, PATIENCE_ROUNDS = 1.2, 3.0
AGAIN_S, AGAIN_ROUNDS = 0.6, 1.0
"""Patience within ``MEMORY_S`` of the last time."""
MEMORY_S = 20.0
WINDOW_S = 1.0
FLAT_S, FLAT_WINDOW_S = 0.02, 4.0
"""A delay that changes by no more than this in so long is no queue: TCP never holds one still."""
ABOVE_S = 0.02
STAYS = 0.6
OVERLOAD, COLLAPSE = 0.75, 0.55
"""Packets that leave the queue so much slower than they were sent make it themselves; beside TCP,
so much slower means that it is the capacity that is gone."""


class ForeignQueue:
    """Tells our own queueing delay from one that does not go away when we send less.

    A queue of our own drains once the target has been cut. One that stands all the same, for 1.2 s
    and three round trips, belongs to a TCP flow, or is no queue at all but a longer route. The
    first is competed with until the queue is seen nearly empty (the mode switch of Copa, Arun and
    Balakrishnan, NSDI 2018, section 4); the second is taken off the delay.
    """

    def __init__(self) -> None:
        self.route_s = 0.0
        """What a longer route adds to the delay, seconds."""
        self.is_competing = False
        """Whether others keep the queue full."""
        self._above_s: float | None = None
        self._first_s = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self._ended_s = float("-inf")

    @property
    def is_watching(self) -> bool:
        """Whether a queue stands that may prove foreign."""
        return self._above_s is not None

    def own(
        self, queue_s: float, set_point_s: float, passing: float, rtt_s: float, now_s: float
    ) -> float:
        """Our part of a queueing delay, seconds.

        ``passing`` is the rate at which the last packets came over the rate at which they left.
        """
        self._remember(queue_s, now_s)
        self.route_s = max(0.0, min(self.route_s, queue_s))
        own_s = queue_s - self.route_s
        if self.is_competing:
            self._watch_company(own_s, set_point_s, passing, now_s)
            return own_s
        if self._above_s is not None and now_s < self._above_s:
            self._above_s = None
        if own_s <= set_point_s + ABOVE_S:
            self._above_s = None
        elif self._above_s is None:
            self._above_s, self._first_s = now_s, own_s
        elif now_s - self._above_s > self._patience_s(rtt_s, now_s):
            least_s = min(delay_s for time_s, delay_s in self._recent if time_s > now_s - WINDOW_S)
            stands = least_s - self.route_s > STAYS * self._first_s
            self._above_s, self._first_s = now_s, own_s
            self.is_competing = stands and passing > OVERLOAD
        return own_s

    def _watch_company(
        self, own_s: float, set_point_s: float, passing: float, now_s: float
    ) -> None:
        """End the competition where the queue is empty, or is none, or grows too fast for TCP's."""
        if passing < COLLAPSE:
            self.is_competing, self._above_s, self._ended_s = False, now_s, float("-inf")
            return
        if own_s <= set_point_s + ABOVE_S:
            self.is_competing, self._above_s, self._ended_s = False, None, now_s
            return
        delays = [delay_s for _, delay_s in self._recent]
        lasts = now_s - self._recent[0][0] > 0.9 * FLAT_WINDOW_S
        if lasts and max(delays) - min(delays) < FLAT_S:
            self.is_competing, self._above_s = False, None
            self.route_s = min(delays)

    def _patience_s(self, rtt_s: float, now_s: float) -> float:
        if 0 <= now_s - self._ended_s < MEMORY_S:
            return AGAIN_S + AGAIN_ROUNDS * rtt_s
        return PATIENCE_S + PATIENCE_ROUNDS * rtt_s

    def _remember(self, queue_s: float, now_s: float) -> None:
        recent = self._recent
        while recent and not 0 <= now_s - recent[0][0] <= FLAT_WINDOW_S:
            recent.popleft()
        recent.append((now_s, queue_s))
