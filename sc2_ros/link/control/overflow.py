# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss that came with the rate: queues too short to be seen, and radios beyond use."""

from __future__ import annotations

import math

from sc2_ros.link.control.loss import RandomLoss
from sc2_ros.link.sender_log import LinkEstimate

MARGIN, SIGMAS, LEAST_PACKETS = 0.03, 2.5, 20
"""Over the last second."""
HOPELESS_LOSS = 0.35
"""Loss that is heeded even where there is no queue: a policer, or a radio beyond use."""
LEAST_KEPT, CLEARED = 0.7, 0.94
"""Of the target, at one cut; of the rate at which the queue overflowed, after it."""
EVERY_S, LASTS_S, OVERFLOWING_S = 0.5, 0.7, 2.0
"""How often a cut follows from loss; from when it is no burst; how long it is remembered."""
OVERFLOW_SHARE, LEAST_QUEUE_S, FORGET_S = 0.4, 0.004, 60.0
"""A queue that overflowed is kept to so much of its length; how soon that is forgotten."""
SEEN_S, SHORT_S = 0.008, 0.06
"""A queue that overflows is at least so long; a longer one than this is seen by its delay before it
overflows again."""
NEAR, BEYOND, CREEP, HASTE = 0.93, 1.3, 0.01, 0.5
"""Around the rate of the last overflow the target creeps, per second, faster the further beyond."""


class Overflow:
    """Tells loss by overflow from the radio's, and remembers where the link overflowed."""

    def __init__(self) -> None:
        self.radio = RandomLoss()
        self.longest_queue_s = 1.0
        """The longest queue that does not overflow, as far as is known, seconds."""
        self._cut_s = -math.inf
        self._fair_s = math.inf
        self._lost_since = 0
        self._ceiling_bps = 0.0
        self._ceiling_s = -math.inf

    def is_recent(self, now_s: float) -> bool:
        """Whether the queue has overflowed in the last two seconds."""
        return 0 <= now_s - self._cut_s < OVERFLOWING_S

    def add(self, estimate: LinkEstimate, clean: bool, elapsed_s: float) -> None:
        """Enter a feedback; ``clean``: there is no queue."""
        self.radio.add(estimate, clean)
        self.longest_queue_s = min(1.0, self.longest_queue_s * math.exp(elapsed_s / FORGET_S))
        self._lost_since += max(0, estimate.new_lost)

    def heed(self, estimate: LinkEstimate, target_bps: float, now_s: float) -> float | None:
        """The target after a cut; ``None`` if there is no reason for one."""
        excess = self._excess(estimate)
        if excess <= 0 or now_s < self._fair_s:
            self._fair_s = now_s
        if excess <= 0 or 0 <= now_s - self._cut_s < EVERY_S or not self._lost_since:
            return None
        self._cut_s, self._lost_since = now_s, 0
        if now_s - self._fair_s > LASTS_S:
            longest_s = max(estimate.peak_s * OVERFLOW_SHARE, LEAST_QUEUE_S)
            self.longest_queue_s = min(self.longest_queue_s, longest_s)
        radio = min(self.radio.share, HOPELESS_LOSS)
        self._ceiling_bps = target_bps * (1 - max(0.0, min(estimate.loss, 0.3) - radio))
        if SEEN_S < estimate.peak_s < SHORT_S:
            self._ceiling_s = now_s
        wanted_bps = self._ceiling_bps * CLEARED
        if estimate.received_bps is not None:
            wanted_bps = min(wanted_bps, estimate.received_bps)
        return max(wanted_bps, target_bps * LEAST_KEPT)

    def most_growth(self, target_bps: float, growth: float, now_s: float) -> float:
        """Growth per second that is careful near the rate at which the link overflowed."""
        if not 0 <= now_s - self._ceiling_s < FORGET_S or target_bps > BEYOND * self._ceiling_bps:
            self._ceiling_s = -math.inf
            return growth
        if target_bps < NEAR * self._ceiling_bps:
            return growth
        return min(growth, CREEP + HASTE * max(0.0, target_bps / self._ceiling_bps - 1))

    def _excess(self, estimate: LinkEstimate) -> float:
        """Loss of the last second beyond what is lost without a queue and beyond chance."""
        count, loss, radio = estimate.loss_packets, estimate.loss, self.radio
        if count < LEAST_PACKETS:
            return 0.0
        spread = max(loss * (1 - loss), 0.01) * (1 / count + 1 / max(radio.packets, 1.0))
        excess = loss - radio.share - SIGMAS * math.sqrt(spread) - MARGIN
        return max(excess, loss - HOPELESS_LOSS)
