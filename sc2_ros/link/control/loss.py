# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss that has nothing to do with our rate."""

from __future__ import annotations

from sc2_ros.link.sender_log import LinkEstimate

MEMORY_PACKETS = 300.0


class RandomLoss:
    """Share of the packets that are lost while no queue stands.

    A queue that overflows was there before; what is lost without one, the radio loses. The share is
    a mean over about the last 300 such packets.
    """

    def __init__(self) -> None:
        self.packets = 0.0
        """How many packets it rests on."""
        self._lost = 0.0

    @property
    def share(self) -> float:
        """0 to 1; 0 while unknown."""
        return self._lost / self.packets if self.packets else 0.0

    def add(self, estimate: LinkEstimate, clean: bool) -> None:
        """Enter what has come since the feedback before, if the queue was empty."""
        if not clean or estimate.new_packets <= 0:
            return
        keep = max(0.0, 1.0 - estimate.new_packets / MEMORY_PACKETS)
        self.packets = self.packets * keep + estimate.new_packets
        self._lost = self._lost * keep + max(0, estimate.new_lost)
