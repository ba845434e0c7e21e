# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drains the queue now and then to see the base delay, which would else drift up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DrainConstants:
    """PROBE_RTT of BBR (draft-cardwell-iccrg-bbr-congestion-control, section 4.3.4), gentler."""

    every_s: float = 8.0
    """Seconds without an empty queue, after which a probe begins (BBR: 5 to 10 s). Must be well
    below the 20 to 30 s after which a base delay is forgotten."""
    for_s: float = 0.4
    """Seconds that it lasts at most: time to drain a queue of 0.3 x 0.4 s."""
    share: float = 0.7
    """Of the target during the probe."""


DRAIN = DrainConstants()


class QueueDrainProbe:
    """After some seconds without an empty queue, lowers the rate until it is empty."""

    def __init__(self) -> None:
        self._seen_s: float | None = None
        self._since_s: float | None = None

    def restart(self, now_s: float) -> None:
        """The queue is empty."""
        self._seen_s, self._since_s = now_s, None

    def note(self, is_empty: bool, now_s: float) -> None:
        """Enter at every feedback whether the queue is empty."""
        if is_empty or self._seen_s is None or now_s < self._seen_s:
            self.restart(now_s)
        elif now_s - self._seen_s > DRAIN.every_s and self._since_s is None:
            self._since_s = now_s

    def share(self, now_s: float) -> float:
        """Of the target that may be used now."""
        if self._since_s is not None and not 0 <= now_s - self._since_s < DRAIN.for_s:
            self.restart(now_s)
        return 1.0 if self._since_s is None else DRAIN.share
