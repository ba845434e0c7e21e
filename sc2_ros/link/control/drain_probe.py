# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Sees the empty queue now and then, else its base delay would drift up with the set point."""

from __future__ import annotations

EVERY_S, FOR_S, SHARE = 8.0, 0.4, 0.7


class Dip:
    """After 8 s without an empty queue the rate falls by 30 % until it is seen, 0.4 s at most.

    PROBE_RTT of BBR (draft-cardwell-iccrg-bbr-congestion-control, section 4.3.4) does the same.
    """

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
        elif now_s - self._seen_s > EVERY_S and self._since_s is None:
            self._since_s = now_s

    def share(self, now_s: float) -> float:
        """Of the target that may be used now."""
        if self._since_s is not None and not 0 <= now_s - self._since_s < FOR_S:
            self.restart(now_s)
        return 1.0 if self._since_s is None else SHARE
