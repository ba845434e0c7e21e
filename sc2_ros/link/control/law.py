# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control law: what the link is and how long the queue is decide on the target.

While packets queue, the rate at which they pass *is* the capacity C, so the target is C less what
drains the queue q to its set point q_ref within the time T,

    target = C (1 - (q - q_ref) / T)                          with a queue
    target grows by g per second, at most 1.5 C               without one
    target as a TCP flow's                                    in a queue that others keep full
    target is cut                                             where packets are lost by overflow

See docs/link.md for where each part comes from and what it does on each kind of link.
"""

from __future__ import annotations

import math

from sc2_ros.link.control.aimd import PACKET_BITS, AimdShare
from sc2_ros.link.control.capacity import Capacity
from sc2_ros.link.control.competing_traffic import ForeignQueue
from sc2_ros.link.control.drain_probe import Dip
from sc2_ros.link.control.overflow import Overflow
from sc2_ros.link.sender_log import LinkEstimate

START_BPS = 200e3
START_GROWTH, LEAST_GROWTH, MOST_GROWTH, KNOWN_GROWTH = 1.2, 0.1, 0.5, 3.0
"""Of the target per second: before the first queue, right after one, some time after, and to what
the link has carried lately."""
START_ROUND, MOST_ROUND = 0.35, 0.15
"""Of the target per round trip: what grows meanwhile is not seen before it is too late."""
ACCELERATE_S = 1.5
BUSY_SHARE = 0.6
"""Share of the set point from which a queue counts as one."""
KNOWN_SHARE = 0.7
RESTORED = 0.5
"""What cuts in vain leave of the target."""
RECOVERY, KNOWN_RECOVERY = 0.7, 0.7
"""Shares of the target, and of what the link has carried lately, to go on with after a stall."""
MOST_CUT = 0.8
QUEUE_S, QUEUE_PACKETS, MOST_QUEUE_S = 0.010, 2.0, 0.04
UNSTEADY_PACKETS, UNSTEADY_QUEUE_S = 1.0, 0.04
LEAST_DRAIN_S, DRAIN_ROUNDS = 0.35, 1.5
MOST_JITTER_S, NOISE_SHARE = 0.04, 0.5
CLEAN_QUEUE, CLEAN_PEAK = 0.3, 0.75
"""Shares of the set point below which the queue, and its longest moment, count as empty."""


class TargetLaw:
    """Follows the link from feedback to feedback; ``target_bps`` is what may be sent."""

    def __init__(self, floor_bps: float, max_bps: float, short_queue: bool) -> None:
        self._floor_bps, self._max_bps, self._short_queue = floor_bps, max_bps, short_queue
        self.target_bps = 0.0
        self._set(START_BPS)
        self.overflow = Overflow()
        self.foreign = ForeignQueue()
        self.capacity = Capacity()
        self.dip = Dip()
        self._aimd = AimdShare()
        self._starting = True
        self._busy_s: float | None = None
        self._before_bps = self.target_bps

    def resume(self, now_s: float) -> None:
        """The link is back after a stall."""
        self._starting = True
        self._busy_s = None
        self.dip.restart(now_s)
        self.foreign = ForeignQueue()
        known_bps = KNOWN_RECOVERY * self.capacity.known_bps
        self._set(max(self.target_bps * RECOVERY, known_bps))

    def follow(
        self, estimate: LinkEstimate, elapsed_s: float, interval_s: float, now_s: float
    ) -> None:
        """Take a feedback; ``interval_s``: the time between two."""
        set_point_s = self._set_point()
        queue_s = max(estimate.queue_s, estimate.overdue_s - interval_s)
        competed = self.foreign.is_competing
        queue_s = self.foreign.own(queue_s, set_point_s, estimate.passing, estimate.rtt_s, now_s)
        clean = queue_s < set_point_s * CLEAN_QUEUE and estimate.peak_s < set_point_s * CLEAN_PEAK
        self.overflow.add(estimate, clean, elapsed_s)
        self.dip.note(queue_s < set_point_s * CLEAN_QUEUE, now_s)
        if self.foreign.is_competing:
            self._compete(estimate, not competed, elapsed_s, now_s)
            return
        if not self.foreign.is_watching:
            self._before_bps = self.target_bps
        noise_s = min(estimate.jitter_s, MOST_JITTER_S)
        set_point_s += NOISE_SHARE * noise_s
        round_s = max(0.0, estimate.rtt_s - queue_s) + interval_s
        if queue_s > max(set_point_s * BUSY_SHARE, noise_s) and estimate.passed_bps is not None:
            self._busy_s = now_s
            self._drain(estimate, queue_s - set_point_s, round_s, elapsed_s, now_s)
        else:
            self._grow(estimate.passed_bps, round_s, elapsed_s, now_s)
        cut_bps = self.overflow.heed(estimate, self.target_bps, now_s)
        if cut_bps is not None:
            self._starting = False
            self._busy_s = now_s
            self._set(cut_bps)

    def _drain(
        self,
        estimate: LinkEstimate,
        above_s: float,
        round_s: float,
        elapsed_s: float,
        now_s: float,
    ) -> None:
        """With a queue: the capacity, less what takes the queue to its set point."""
        passed_bps = estimate.passed_bps
        assert passed_bps is not None
        self.capacity.measured(passed_bps, elapsed_s)
        if estimate.received_bps is not None and self.overflow.is_recent(now_s):
            passed_bps = estimate.received_bps
        cut = min(above_s / max(LEAST_DRAIN_S, DRAIN_ROUNDS * round_s), MOST_CUT)
        if cut > 0:
            self._starting = False
        if not self._starting:
            unsteady = self.capacity.unsteadiness
            mean_bps = unsteady * self.capacity.mean_bps + (1 - unsteady) * passed_bps
            self._set(mean_bps * (1 - cut))

    def _grow(
        self, passed_bps: float | None, round_s: float, elapsed_s: float, now_s: float
    ) -> None:
        """Without a queue: faster the longer there is none, never far beyond what has passed."""
        capacity, target_bps = self.capacity, self.target_bps
        since_s = math.inf if self._busy_s is None else max(0.0, now_s - self._busy_s)
        growth = LEAST_GROWTH + (MOST_GROWTH - LEAST_GROWTH) * min(1.0, since_s / ACCELERATE_S)
        growth = min(growth, MOST_ROUND / round_s)
        if target_bps < KNOWN_SHARE * capacity.known_bps:
            extra = (KNOWN_GROWTH - START_GROWTH) * capacity.unsteadiness
            growth = min(START_GROWTH + extra, START_ROUND / round_s)
        elif self._starting:
            growth = min(START_GROWTH, START_ROUND / round_s)
        growth = self.overflow.most_growth(target_bps, growth, now_s)
        wanted_bps = target_bps * math.exp(growth * elapsed_s)
        if passed_bps is not None:
            capacity.at_least(passed_bps, elapsed_s)
            wanted_bps = min(wanted_bps, max(target_bps, 1.5 * passed_bps + START_BPS / 4))
        self._set(wanted_bps)

    def _compete(
        self, estimate: LinkEstimate, begins: bool, elapsed_s: float, now_s: float
    ) -> None:
        """In a queue that others keep full delay says nothing: take what TCP would."""
        if begins:
            self._starting = False
            self._busy_s = now_s
            self._aimd = AimdShare()
            self._set(max(self.target_bps, RESTORED * self._before_bps))
        self._set(
            self._aimd.follow(
                self.target_bps,
                estimate.new_packets,
                estimate.new_lost,
                self.overflow.radio.share,
                estimate.rtt_s,
                elapsed_s,
                now_s,
            )
        )

    def _set_point(self) -> float:
        """Queue to keep: the slower stream tolerates more and so gains (RFC 8698, section 4.3)."""
        longest_s = self.overflow.longest_queue_s
        if self._short_queue:
            return min(QUEUE_S, longest_s)
        tolerated_s = QUEUE_S + QUEUE_PACKETS * PACKET_BITS / self.target_bps
        tolerated_s = min(tolerated_s, MOST_QUEUE_S)
        unsteady_s = min(UNSTEADY_PACKETS * PACKET_BITS / self.target_bps, UNSTEADY_QUEUE_S)
        return min(tolerated_s + unsteady_s * self.capacity.unsteadiness, longest_s)

    def _set(self, target_bps: float) -> None:
        self.target_bps = min(max(target_bps, self._floor_bps), self._max_bps)

    def tolerated_wait_s(self, most_s: float, estimate: LinkEstimate) -> float:
        """How long a frame may queue, ``most_s`` of it behind our own."""
        if self.foreign.is_competing:
            return most_s + estimate.queue_s
        return most_s + self.foreign.route_s
