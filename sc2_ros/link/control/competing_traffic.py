# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queues that others keep full: how they are told from our own, and what share is taken beside TCP.

A queue of our own drains once the target has been cut. One that stands all the same belongs to a
TCP flow, or is no queue at all but a longer route. The first is competed with until the queue is
seen nearly empty (the mode switch of Copa, Arun and Balakrishnan, NSDI 2018, section 4; NADA's
loss-based mode, RFC 8698, section 4.2); the second is taken off the delay.
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
    overload: float = 0.75
    """Passing below which our own packets make the queue: they leave it slower than they came."""
    collapse: float = 0.55
    """Passing below which, beside TCP, the capacity is gone and competition ends."""
    flat_s: float = 0.02
    """Seconds. A delay that changes by no more in ``flat_window_s`` is a route, not TCP."""
    flat_window_s: float = 4.0
    """Seconds; see ``flat_s``."""
    decrease: float = 0.7
    """Of the target upon loss (CUBIC's beta, RFC 9438, section 4.6)."""
    increase: float = 3 * (1 - 0.7) / (1 + 0.7)
    """Packets per round trip and round trip: as much as Reno takes (RFC 9438, section 4.3)."""
    least_round_s: float = 0.02
    """Seconds. A shorter round trip counts as this."""
    loss_window_s: float = 1.0
    """Seconds. Loss is looked for in so long."""
    sigmas: float = 2.0
    """Standard deviations of the radio's loss, beyond which a loss is the queue's."""


COMPETING = CompetingConstants()
PACKET_BITS = 1200 * 8


class CompetingTraffic:
    """Tells our own queueing delay from one that does not go away when we send less."""

    def __init__(self) -> None:
        self.route_s = 0.0
        """What a longer route adds to the delay, seconds."""
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

    def own(
        self, queue_s: float, set_point_s: float, passing: float, rtt_s: float, now_s: float
    ) -> float:
        """Our part of a queueing delay, seconds.

        ``passing`` is the rate at which the last packets came over the rate at which they left.
        """
        self._remember(queue_s, now_s)
        self.route_s = max(0.0, min(self.route_s, queue_s))
        own_s = queue_s - self.route_s
        if self.is_there:
            self._look_for_the_end(own_s, set_point_s, passing, now_s)
            return own_s
        if self._above_s is not None and now_s < self._above_s:
            self._above_s = None
        if own_s <= set_point_s + COMPETING.above_s:
            self._above_s = None
        elif self._above_s is None:
            self._above_s, self._first_s = now_s, own_s
        elif now_s - self._above_s > self._patience_s(rtt_s, now_s):
            since_s = now_s - COMPETING.least_window_s
            least_s = min(delay_s for time_s, delay_s in self._recent if time_s > since_s)
            stands = least_s - self.route_s > COMPETING.stays * self._first_s
            self._above_s, self._first_s = now_s, own_s
            self.is_there = stands and passing > COMPETING.overload
        return own_s

    def _look_for_the_end(
        self, own_s: float, set_point_s: float, passing: float, now_s: float
    ) -> None:
        """End the competition where the queue is empty, or is none, or grows too fast for TCP's."""
        if passing < COMPETING.collapse:
            self.is_there, self._above_s, self._ended_s = False, now_s, -math.inf
            return
        if own_s <= set_point_s + COMPETING.above_s:
            self.is_there, self._above_s, self._ended_s = False, None, now_s
            return
        delays = [delay_s for _, delay_s in self._recent]
        is_long = now_s - self._recent[0][0] > 0.9 * COMPETING.flat_window_s
        if is_long and max(delays) - min(delays) < COMPETING.flat_s:
            self.is_there, self._above_s = False, None
            self.route_s = min(delays)

    def _patience_s(self, rtt_s: float, now_s: float) -> float:
        if 0 <= now_s - self._ended_s < COMPETING.memory_s:
            return COMPETING.again_s + COMPETING.again_rounds * rtt_s
        return COMPETING.patience_s + COMPETING.patience_rounds * rtt_s

    def _remember(self, queue_s: float, now_s: float) -> None:
        recent = self._recent
        while recent and not 0 <= now_s - recent[0][0] <= COMPETING.flat_window_s:
            recent.popleft()
        recent.append((now_s, queue_s))


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
        chance = random_share * packets
        if lost > chance + COMPETING.sigmas * math.sqrt(max(chance, 0.0)):
            recent.clear()
            if not 0 <= now_s - self._cut_s < rtt_s:
                self._cut_s = now_s
                return target_bps * COMPETING.decrease
        round_s = max(rtt_s, COMPETING.least_round_s)
        return target_bps + COMPETING.increase * PACKET_BITS / round_s**2 * elapsed_s
