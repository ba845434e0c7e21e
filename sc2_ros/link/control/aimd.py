# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A share of a queue that TCP keeps full: additive increase, multiplicative decrease."""

from __future__ import annotations

import math
from collections import deque

DECREASE = 0.7
INCREASE = 3 * (1 - DECREASE) / (1 + DECREASE)
"""Packets per round trip and round trip: as much as Reno takes (RFC 9438, CUBIC, section 4.3)."""
PACKET_BITS = 1200 * 8
LEAST_ROUND_S = 0.02
LOSS_WINDOW_S = 1.0
LEAST_SPREAD = 2.0
"""Standard deviations of the random loss, beyond which a loss is the queue's."""


class AimdShare:
    """What a TCP flow would take in our place, once per feedback."""

    def __init__(self) -> None:
        self._cut_s = -math.inf
        self._recent: deque[tuple[float, int, int]] = deque()

    def follow(
        self,
        target_bps: float,
        new_packets: int,
        new_lost: int,
        random_share: float,
        rtt_s: float,
        elapsed_s: float,
        now_s: float,
    ) -> float:
        """The next target: a cut at most once per round trip, else a little more."""
        recent = self._recent
        recent.append((now_s, new_packets, new_lost))
        while not 0 <= now_s - recent[0][0] <= LOSS_WINDOW_S:
            recent.popleft()
        packets, lost = sum(entry[1] for entry in recent), sum(entry[2] for entry in recent)
        chance = random_share * packets
        if lost > chance + LEAST_SPREAD * math.sqrt(max(chance, 0.0)):
            recent.clear()
            if not 0 <= now_s - self._cut_s < rtt_s:
                self._cut_s = now_s
                return target_bps * DECREASE
        round_s = max(rtt_s, LEAST_ROUND_S)
        return target_bps + INCREASE * PACKET_BITS / round_s**2 * elapsed_s
