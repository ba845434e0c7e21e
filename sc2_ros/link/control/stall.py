# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Detects a stalled link and says when a probe frame is due, until the link recovers."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class StallConstants:
    """Patience and probes."""

    patience_s: float = 0.3
    """Seconds without news of packets under way, beyond a round trip and ``patience_intervals``
    reports, that make a stall (chosen on recorded uplinks). Longer: more is sent into the gap."""
    patience_intervals: float = 2.0
    """Intervals between reports; one may be lost."""
    silent_intervals: float = 2.5
    """Intervals without a report, after one that reported no trouble, that are silence of the way
    back and no news of a stop of the way there: patience is then ``silence_s`` (chosen on reports
    that are lost in bursts; without it such bursts take a fifth of the link)."""
    silence_s: float = 2.0
    """Seconds of patience at most (design: the lowest rate after 2 s without feedback)."""
    probe_s: float = 0.5
    """Seconds between probes. Shorter: what waits for the link to return delays the frames after
    it. Longer: results are not back within a second of it (design)."""

    vain_s: float = 0.3
    """Seconds without news after an outage of both ways, from which on what was sent into it has
    been dropped. Shorter: a link that comes back in jerks gets more than it carries. Where only the
    way there stops (recorded uplinks), such probes come late and are not sent."""


STALL = StallConstants()


class StallProbe:
    """Packets under way and no news of any for too long: a stall, until there is some."""

    def __init__(self) -> None:
        self.is_on = False
        self._progress_s = -math.inf

    def progress(self, now_s: float) -> bool:
        """A packet has come; True if that ends a stall."""
        self._progress_s = now_s
        ended, self.is_on = self.is_on, False
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
            fair_s: when the last report came, if it reported no trouble.
            rtt_s: round trip.
            interval_s: time between two feedbacks.
            now_s: the time.
        """
        if self.is_on:
            return True
        if unheard_s is None or now_s < unheard_s:
            return False
        intervals_s = STALL.patience_intervals * interval_s
        patience_s = min(STALL.patience_s + rtt_s + intervals_s, STALL.silence_s)
        if fair_s is not None and now_s - fair_s > STALL.silent_intervals * interval_s:
            patience_s = STALL.silence_s
        progress_s = self._progress_s if self._progress_s <= now_s else -math.inf
        self.is_on = now_s - max(unheard_s, progress_s) > patience_s
        return self.is_on

    def is_due(self, sent_s: float, now_s: float) -> bool:
        """Whether a probe frame is due, the last frame having left at ``sent_s``."""
        return not 0 <= now_s - sent_s < STALL.probe_s

    def is_vain(self, sent_s: float, now_s: float) -> bool:
        """Whether what waited through an outage has stopped coming, and a probe frame is due."""
        return now_s - self._progress_s > STALL.vain_s and self.is_due(sent_s, now_s)
