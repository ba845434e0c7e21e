# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queues that others keep full: how they are told from our own, and what share is taken beside TCP.

A queue of our own drains once the target has been cut. One that stands all the same belongs to a
TCP flow: it is competed with until it is seen nearly empty (the mode switch of Copa, Arun and
Balakrishnan, NSDI 2018, section 4; NADA's loss-based mode, RFC 8698, section 4.2). A longer route
looks the same until the base delay of the shorter one is forgotten.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True)
class CompetingConstants:
    """When a queue is another's, and how hard it is competed with."""

    patience_s: float = 1.2
    """Seconds, with ``patience_rounds`` round trips, that a queue has to stand in spite of cuts
    (chosen on tcp and rfc8867-5.2). Shorter: a drop of the capacity is taken for TCP."""
    patience_rounds: float = 3.0
    """Round trips; see ``patience_s``."""
    again_s: float = 0.6
    """Seconds; the same within ``memory_s`` of the last competition."""
    again_rounds: float = 1.0
    """Round trips; see ``again_s``."""
    memory_s: float = 20.0
    """Seconds. TCP that was there so lately is expected back."""
    above_s: float = 0.02
    """Seconds above the set point from which a queue is watched: four times the jitter that the
    filters leave."""
    least_window_s: float = 1.0
    """Seconds. The least delay of so long tells whether a queue stands."""
    stays: float = 0.6
    """Of the delay when the watch began, that has to be left for the queue to count as standing."""
    decrease: float = 0.7
    """Of the target upon loss (CUBIC's beta, RFC 9438, section 4.6)."""
    increase: float = 3 * (1 - 0.7) / (1 + 0.7)
    """Packets per round trip and round trip: as much as Reno takes (RFC 9438, section 4.3)."""
    least_round_s: float = 0.02
    """Seconds. A shorter round trip counts as this."""
    loss_window_s: float = 1.0
    """Seconds. Loss beyond the radio's is looked for in so long."""


COMPETING = CompetingConstants()
PACKET_BITS = 1200 * 8


class CompetingTraffic:
    """Tells our own queueing delay from one that does not go away when we send less."""

    def __init__(self) -> None:
        self.is_there = False
        """Whether others keep the queue full."""
        self._above_s: float | None = None
        self._first_s = 0.0
        self._recent: deque[tuple[float, float]] = deque()
        self._ended_s = -math.inf

    @property
    def is_watching(self) -> bool:
        """Whether a queue stands that may prove another's."""
        return self._above_s is not None

    def note(self, queue_s: float, set_point_s: float, rtt_s: float, now_s: float) -> None:
        """Enter the queueing delay at a feedback, seconds."""
        recent = self._recent
        recent.append((now_s, queue_s))
        while not 0 <= now_s - recent[0][0] <= COMPETING.least_window_s:
            recent.popleft()
        is_low = queue_s <= set_point_s + COMPETING.above_s
        if self.is_there:
            if is_low:
                self.is_there, self._above_s, self._ended_s = False, None, now_s
            return
        if is_low or (self._above_s is not None and now_s < self._above_s):
            self._above_s = None
        elif self._above_s is None:
            self._above_s, self._first_s = now_s, queue_s
        elif now_s - self._above_s > self._patience_s(rtt_s, now_s):
            least_s = min(delay_s for _, delay_s in recent)
            self.is_there = least_s > COMPETING.stays * self._first_s
            self._above_s, self._first_s = now_s, queue_s

    def _patience_s(self, rtt_s: float, now_s: float) -> float:
        if 0 <= now_s - self._ended_s < COMPETING.memory_s:
            return COMPETING.again_s + COMPETING.again_rounds * rtt_s
        return COMPETING.patience_s + COMPETING.patience_rounds * rtt_s


class AimdShare:
    """What a TCP flow would take in our place: additive increase, multiplicative decrease."""

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
        """The next target, once per feedback: a cut at most once per round trip, else more."""
        recent = self._recent
        recent.append((now_s, new_packets, new_lost))
        while not 0 <= now_s - recent[0][0] <= COMPETING.loss_window_s:
            recent.popleft()
        packets, lost = sum(entry[1] for entry in recent), sum(entry[2] for entry in recent)
        if lost > random_share * packets:
            recent.clear()
            if not 0 <= now_s - self._cut_s < rtt_s:
                self._cut_s = now_s
                return target_bps * COMPETING.decrease
        round_s = max(rtt_s, COMPETING.least_round_s)
        return target_bps + COMPETING.increase * PACKET_BITS / round_s**2 * elapsed_s
