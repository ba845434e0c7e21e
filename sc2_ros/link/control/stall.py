# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Notices that the link carries nothing, and knocks until it does."""

from __future__ import annotations

import math

KEEPALIVE_S, MOST_KEEPALIVE_S = 0.25, 0.5
SILENCE_S = 2.0
"""Patience at most."""
PATIENCE_S, PATIENCE_INTERVALS = 0.3, 2.0
SILENT_INTERVALS = 2.5
"""So long without feedback is silence of the way back, not news of a stop of the way there."""


class Stall:
    """Packets under way and no news of any for too long: a stall, until there is some."""

    def __init__(self) -> None:
        self.is_on = False
        self._progress_s = -math.inf
        self._keepalive_s = KEEPALIVE_S

    def progress(self, now_s: float) -> bool:
        """A packet has come; True if that ends a stall."""
        self._progress_s = now_s
        ended, self.is_on = self.is_on, False
        if ended:
            self._keepalive_s = KEEPALIVE_S
        return ended

    def check(
        self,
        unheard_s: float | None,
        fair_s: float | None,
        rtt_s: float,
        interval_s: float,
        now_s: float,
    ) -> bool:
        """Whether there is a stall.

        Args:
            unheard_s: when the oldest packet without news left; ``None`` if there is none.
            fair_s: when the last feedback came, if it told of no trouble. Silence after it is more
                likely feedback that was lost than a link that stopped; so is patience then.
            rtt_s: round trip.
            interval_s: time between two feedbacks.
            now_s: the time.
        """
        if self.is_on:
            return True
        if unheard_s is None or now_s < unheard_s:
            return False
        patience_s = min(PATIENCE_S + rtt_s + PATIENCE_INTERVALS * interval_s, SILENCE_S)
        if fair_s is not None and now_s - fair_s > SILENT_INTERVALS * interval_s:
            patience_s = SILENCE_S
        progress_s = self._progress_s if self._progress_s <= now_s else -math.inf
        self.is_on = now_s - max(unheard_s, progress_s) > patience_s
        return self.is_on

    def may_knock(self, sent_s: float, now_s: float) -> bool:
        """Whether a cheapest frame is due, the last one having left at ``sent_s``."""
        if 0 <= now_s - sent_s < self._keepalive_s:
            return False
        self._keepalive_s = min(2 * self._keepalive_s, MOST_KEEPALIVE_S)
        return True
