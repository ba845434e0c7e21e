# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The control law: what the link is and how long the queue is decide on the target.

While packets queue, the rate at which they pass *is* the capacity C, so the target is C less what
drains the queue q to its set point q_ref within the time T,

    target = C (1 - (q - q_ref) / T)                          with a queue
    target grows by g per second, at most 1.5 C               without one
    target as a TCP flow's                                    beside competing traffic
    target is cut                                             where packets are lost by overflow

docs/link.md says what each part does on each kind of link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sc2_ros.link.control.capacity import Capacity
from sc2_ros.link.control.competing_traffic import PACKET_BITS, AimdShare, CompetingTraffic
from sc2_ros.link.control.drain_probe import QueueDrainProbe
from sc2_ros.link.control.loss import LOSS, Overflow
from sc2_ros.link.sender_log import LinkEstimate


@dataclass(frozen=True)
class LawConstants:
    """Growth, set point and draining. Growth is of the target, per second."""

    start_bps: float = 200e3
    """bit/s. Target before the first feedback (NADA's RMIN is 150 kbit/s, RFC 8698, section 6)."""
    start_growth: float = 1.2
    """Before the first queue, and up to what was carried lately."""
    least_growth: float = 0.1
    """Right after a queue (RFC 8298, section 4.1.2.2, SCReAM, is slow there, too)."""
    most_growth: float = 0.5
    """``accelerate_s`` after the last queue (NADA's accelerated ramp-up, RFC 8698, section 4.3)."""
    accelerate_s: float = 1.5
    """Seconds. Longer: a rise of the capacity is used later; shorter: more overshoot."""
    known_share: float = 0.85
    """Of what the link has carried lately: below it, growth is fast (chosen on recorded uplinks at
    200 kbit/s, seeds 0 to 2)."""
    start_round: float = 0.35
    """Of the target per round trip, at most, in fast growth: what grows meanwhile is not seen
    before it is too late (NADA's gamma_max is 0.5)."""
    most_round: float = 0.15
    """The same otherwise."""
    most_ahead: float = 1.5
    """Of what has passed, beyond which the target does not grow (GCC, draft-ietf-rmcat-gcc-02,
    section 5.5), so that content that does not fill it does not let it run away."""
    ahead_bps: float = 50e3
    """bit/s that are added to that, for a start from nearly nothing."""
    recovery: float = 0.7
    """Of the target, and of what was carried lately, to go on with after a stall."""
    queue_s: float = 0.010
    """Seconds. Set point at a high rate."""
    queue_packets: float = 2.0
    """Packets at the target that are added to it: the slower flow tolerates more queue and so gains
    on the faster one (the effect of NADA's reference, RFC 8698, section 4.3)."""
    most_queue_s: float = 0.04
    """Seconds. Set point at most, and most that an unsteady link adds to it."""
    most_stay_s: float = 0.09
    """Seconds that a full packet may spend at the bottleneck of a steady link, its own bits
    included: on a scarce link these take so long that the set point is ``queue_s``."""
    steady_s: float = 1.0
    """Seconds for which the capacity has not changed by itself, from which on that holds."""
    unsteady_packets: float = 1.0
    """Packets that are added on a wholly unsteady link: its queue is not empty when it slows."""
    busy_share: float = 0.6
    """Of the set point, from which a queue counts as one."""
    clean_queue: float = 0.3
    """Of the set point, below which the queue counts as empty."""
    clean_peak: float = 0.75
    """Of the set point, below which its longest moment has to be, too."""
    jitter_share: float = 0.5
    """Of the jitter, that is added to the set point: less, and on RFC 8867's path, with 30 ms of
    jitter, the target grows late and little."""
    most_jitter_s: float = 0.04
    """Seconds of jitter that count at most."""
    least_drain_s: float = 0.35
    """Seconds. Time constant T of draining: the window in which the capacity is measured."""
    unsteady_drain_s: float = 0.45
    """Seconds that are added to T on a wholly unsteady link: its next tenth of a second may drain
    the queue by itself (chosen on recorded uplinks at 200 kbit/s, seeds 0 to 2)."""
    drain_rounds: float = 1.5
    """Round trips that T is at least: faster than the loop would oscillate."""
    most_cut: float = 0.8
    """Of the target, at one feedback."""
    restored: float = 0.5
    """Of the target before cuts that were in vain, since the queue was another's."""


LAW = LawConstants()


class TargetLaw:
    """Follows the link from feedback to feedback; ``target_bps`` is what may be sent."""

    def __init__(self, floor_bps: float, max_bps: float, prefers_latency: bool) -> None:
        self._floor_bps, self._max_bps = floor_bps, max_bps
        self._prefers_latency = prefers_latency
        self.target_bps = 0.0
        self._set(LAW.start_bps)
        self.overflow = Overflow()
        self.competing = CompetingTraffic()
        self.capacity = Capacity()
        self.drain_probe = QueueDrainProbe()
        self._aimd = AimdShare()
        self._starting = True
        self._busy_s: float | None = None
        self._before_bps = self.target_bps

    def limit(self, floor_bps: float, max_bps: float) -> None:
        """Other bounds of the target."""
        self._floor_bps, self._max_bps = floor_bps, max_bps
        self._set(self.target_bps)

    def resume(self, now_s: float) -> None:
        """The link is back after a stall."""
        self._starting = True
        self._busy_s = None
        self.drain_probe.restart(now_s)
        self.competing = CompetingTraffic()
        self._set(LAW.recovery * max(self.target_bps, self.capacity.known_bps))

    def follow(
        self, estimate: LinkEstimate, elapsed_s: float, interval_s: float, now_s: float
    ) -> None:
        """Take a feedback; ``interval_s``: the time between two."""
        set_point_s = self._set_point()
        queue_s = max(estimate.queue_s, estimate.overdue_s - interval_s)
        had_company = self.competing.is_there
        self.competing.note(queue_s, set_point_s, estimate.rtt_s, now_s)
        is_empty = queue_s < set_point_s * LAW.clean_queue
        is_clean = is_empty and estimate.peak_s < set_point_s * LAW.clean_peak
        self.overflow.add(estimate, is_clean, elapsed_s)
        packet_s = PACKET_BITS / self.target_bps
        if self.capacity.steady_s > LAW.steady_s:
            set_point_s = min(set_point_s, max(LAW.queue_s, LAW.most_stay_s - packet_s))
        self.drain_probe.note(queue_s < set_point_s * LAW.clean_queue, now_s)
        if self.competing.is_there:
            self._compete(estimate, not had_company, elapsed_s, now_s)
            return
        if not self.competing.is_watching:
            self._before_bps = self.target_bps
        if not self.capacity.unsteadiness:  # else the scatter of the delay is that of its queue
            set_point_s += LAW.jitter_share * min(estimate.jitter_s, LAW.most_jitter_s)
        round_s = max(0.0, estimate.rtt_s - queue_s) + interval_s
        if queue_s > set_point_s * LAW.busy_share and estimate.passed_bps is not None:
            self._busy_s = now_s
            self.capacity.measured(estimate.passed_bps, self._carried_bps(estimate), elapsed_s)
            self._drain(estimate.passed_bps, queue_s - set_point_s, round_s, elapsed_s)
        else:
            self._grow(estimate.passed_bps, round_s, elapsed_s, now_s)
        cut_bps = self.overflow.cut(estimate, self.target_bps, now_s)
        if cut_bps is not None:
            self._starting = False
            self._busy_s = now_s
            self._set(cut_bps)

    def _drain(self, passed_bps: float, above_s: float, round_s: float, elapsed_s: float) -> None:
        """With a queue: the capacity, less what takes the queue to its set point."""
        unsteady = self.capacity.unsteadiness
        least_s = LAW.least_drain_s + LAW.unsteady_drain_s * unsteady
        cut = min(above_s / max(least_s, LAW.drain_rounds * round_s), LAW.most_cut)
        if cut > 0:
            self._starting = False
        if not self._starting:
            mean_bps = unsteady * self.capacity.mean_bps + (1 - unsteady) * passed_bps
            self._set(mean_bps * (1 - cut))

    def _carried_bps(self, estimate: LinkEstimate) -> float:
        """What the link carries, by what came and what the radio loses."""
        if estimate.received_bps is None:
            return math.inf
        return estimate.received_bps / (1 - min(self.overflow.radio.share, LOSS.hopeless))

    def _grow(
        self, passed_bps: float | None, round_s: float, elapsed_s: float, now_s: float
    ) -> None:
        """Without a queue: faster the longer there is none, never far beyond what has passed."""
        capacity, target_bps = self.capacity, self.target_bps
        since_s = math.inf if self._busy_s is None else max(0.0, now_s - self._busy_s)
        faster = min(1.0, since_s / LAW.accelerate_s)
        growth = LAW.least_growth + (LAW.most_growth - LAW.least_growth) * faster
        growth = min(growth, LAW.most_round / round_s)
        if self._starting or target_bps < LAW.known_share * capacity.known_bps:
            growth = min(LAW.start_growth, LAW.start_round / round_s)
        growth = self.overflow.most_growth(target_bps, growth, now_s)
        wanted_bps = target_bps * math.exp(growth * elapsed_s)
        if passed_bps is not None:
            capacity.at_least(passed_bps, elapsed_s)
            most_bps = LAW.most_ahead * passed_bps + LAW.ahead_bps
            wanted_bps = min(wanted_bps, max(target_bps, most_bps))
        self._set(wanted_bps)

    def _compete(
        self, estimate: LinkEstimate, begins: bool, elapsed_s: float, now_s: float
    ) -> None:
        """In a queue that others keep full delay says nothing: take what TCP would."""
        if begins:
            self._starting = False
            self._busy_s = now_s
            self._aimd = AimdShare()
            self._set(max(self.target_bps, LAW.restored * self._before_bps))
        self._set(
            self._aimd.follow(
                self.target_bps,
                estimate.new_packets,
                estimate.new_lost + estimate.new_marked,
                self.overflow.radio.share,
                estimate.rtt_s,
                elapsed_s,
                now_s,
            )
        )

    def _set_point(self) -> float:
        """Queue to keep, seconds."""
        longest_s = self.overflow.longest_queue_s
        if self._prefers_latency:
            return min(LAW.queue_s, longest_s)
        packet_s = PACKET_BITS / self.target_bps
        tolerated_s = min(LAW.queue_s + LAW.queue_packets * packet_s, LAW.most_queue_s)
        unsteady_s = min(LAW.unsteady_packets * packet_s, LAW.most_queue_s)
        return min(tolerated_s + unsteady_s * self.capacity.unsteadiness, longest_s)

    def _set(self, target_bps: float) -> None:
        self.target_bps = min(max(target_bps, self._floor_bps), self._max_bps)

    def tolerated_wait_s(self, most_s: float, estimate: LinkEstimate) -> float:
        """How long a frame may queue, ``most_s`` of it behind our own."""
        return most_s + estimate.queue_s if self.competing.is_there else most_s
