# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss: what the radio loses, and what a queue drops that is too short to be seen by its delay.

A congestion mark (ECN) is what a queue says instead of dropping a packet, so it is answered as loss
by overflow is (RFC 3168, section 6.1.2), save that the rate falls by less (RFC 8511).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sc2_ros.link.sender_log import LinkEstimate


@dataclass(frozen=True)
class LossConstants:
    """When loss counts as overflow, and what follows."""

    memory_packets: float = 300.0
    """Packets. The radio's loss is a mean over so many that passed without a queue: 1 % of loss is
    then known to 0.6 %."""
    margin: float = 0.03
    """Share. Loss beyond the radio's counts from here on (GCC, draft-ietf-rmcat-gcc-02, section 6,
    ignores less than 2 %; NADA, RFC 8698, likewise). Lower: chance cuts the rate."""
    sigmas: float = 2.5
    """Standard errors that are added to the margin (chosen on RFC 8868's grid: 20 % loss)."""
    least_packets: int = 20
    """Packets in the last second below which their loss tells nothing."""
    hopeless: float = 0.35
    """Share. Loss from which the rate is cut even if there never was a queue: a policer, or a radio
    beyond use (chosen above the 20 % of RFC 8868's grid)."""
    least_kept: float = 0.7
    """Of the target, at one cut (CUBIC's decrease, RFC 9438, section 4.6)."""
    cleared: float = 0.94
    """Of the rate that passed when the queue overflowed, after a cut: room to drain it."""
    marked: float = 0.85
    """Of the target, after a cut for a congestion mark (RFC 8511, section 4.1)."""
    every_s: float = 0.5
    """Seconds between cuts. Shorter: one loss is answered twice on a path of 300 ms each way."""
    lasts_s: float = 0.7
    """Seconds. Loss that lasts so long is no burst: the set point is lowered (chosen on short-queue
    and bursts)."""
    queue_share: float = 0.4
    """Of the length of a queue that overflows, that is kept as set point."""
    least_queue_s: float = 0.004
    """Seconds. A set point is never lowered below this."""
    forget_s: float = 60.0
    """Seconds. Time constant with which that set point, and duration for which the rate of the
    overflow, are remembered."""
    seen_s: float = 0.008
    """Seconds. A queue that overflows is at least so long: below it is a policer or the radio."""
    short_s: float = 0.06
    """Seconds. A longer queue shows in its delay before it overflows again, so the rate at which it
    overflowed need not be remembered."""
    near: float = 0.93
    """Of the rate of the overflow, from which the target creeps (the plateau of CUBIC, RFC 9438,
    section 4.1)."""
    beyond: float = 1.3
    """Of that rate, from which it is forgotten: the link has become better."""
    creep: float = 0.01
    """Of the target per second, near that rate."""
    haste: float = 0.5
    """What is added to ``creep`` per share beyond it (CUBIC's convex region)."""


LOSS = LossConstants()


class RandomLoss:
    """Share of the packets that are lost while no queue stands.

    A queue that overflows was there before; what is lost without one, the radio loses.
    """

    def __init__(self) -> None:
        self.packets = 0.0
        """How many packets it rests on."""
        self._lost = 0.0

    @property
    def share(self) -> float:
        """0 to 1; 0 while unknown."""
        return self._lost / self.packets if self.packets else 0.0

    def add(self, estimate: LinkEstimate, is_clean: bool) -> None:
        """Enter what has come since the feedback before, if the queue was empty."""
        if not is_clean or estimate.new_packets <= 0:
            return
        keep = max(0.0, 1.0 - estimate.new_packets / LOSS.memory_packets)
        self.packets = self.packets * keep + estimate.new_packets
        self._lost = self._lost * keep + max(0, estimate.new_lost)


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

    def add(self, estimate: LinkEstimate, is_clean: bool, elapsed_s: float) -> None:
        """Enter a feedback; ``is_clean``: there is no queue."""
        self.radio.add(estimate, is_clean)
        longest_s = self.longest_queue_s * math.exp(elapsed_s / LOSS.forget_s)
        self.longest_queue_s = min(1.0, longest_s)
        self._lost_since += max(0, estimate.new_lost) + estimate.new_marked

    def cut(self, estimate: LinkEstimate, target_bps: float, now_s: float) -> float | None:
        """The target after a cut; ``None`` if there is no reason for one."""
        is_over = self._excess(estimate) > 0 or estimate.new_marked > 0
        if not is_over or now_s < self._fair_s:
            self._fair_s = now_s
        if not is_over or 0 <= now_s - self._cut_s < LOSS.every_s or not self._lost_since:
            return None
        self._cut_s, self._lost_since = now_s, 0
        if now_s - self._fair_s > LOSS.lasts_s:
            longest_s = max(estimate.peak_s * LOSS.queue_share, LOSS.least_queue_s)
            self.longest_queue_s = min(self.longest_queue_s, longest_s)
        radio = min(self.radio.share, LOSS.hopeless)
        lost = max(0.0, min(estimate.loss, 1 - LOSS.least_kept) - radio)
        self._ceiling_bps = target_bps * (1 - lost)
        if LOSS.seen_s < estimate.peak_s < LOSS.short_s:
            self._ceiling_s = now_s
        wanted_bps = self._ceiling_bps * (LOSS.marked if estimate.new_marked else LOSS.cleared)
        if estimate.received_bps is not None:
            wanted_bps = min(wanted_bps, estimate.received_bps)
        return max(wanted_bps, target_bps * LOSS.least_kept)

    def most_growth(self, target_bps: float, growth: float, now_s: float) -> float:
        """Growth per second that is careful near the rate at which the link overflowed."""
        is_known = 0 <= now_s - self._ceiling_s < LOSS.forget_s
        if not is_known or target_bps > LOSS.beyond * self._ceiling_bps:
            self._ceiling_s = -math.inf
            return growth
        if target_bps < LOSS.near * self._ceiling_bps:
            return growth
        beyond = max(0.0, target_bps / self._ceiling_bps - 1)
        return min(growth, LOSS.creep + LOSS.haste * beyond)

    def _excess(self, estimate: LinkEstimate) -> float:
        """Loss of the last second beyond what is lost without a queue and beyond chance."""
        count, loss, radio = estimate.loss_packets, estimate.loss, self.radio
        if count < LOSS.least_packets:
            return 0.0
        spread = max(loss * (1 - loss), 0.01) * (1 / count + 1 / max(radio.packets, 1.0))
        excess = loss - radio.share - LOSS.sigmas * math.sqrt(spread) - LOSS.margin
        return max(excess, loss - LOSS.hopeless)
