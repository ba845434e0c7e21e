# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate follows the link: delay- and loss-based control with an in-flight limit.

    feedback -> SenderLog -> queue, rate passed, loss -> TargetLaw -> target (bit/s)
    frame ----> allowance: min(credit of the target, what still arrives in time) -> bytes

Where the parts come from, and what they do on each kind of link: docs/link.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

from sc2_ros.link.control.in_flight import IN_FLIGHT, cautious_bps, room_bytes
from sc2_ros.link.control.law import LAW, TargetLaw
from sc2_ros.link.control.stall import StallProbe
from sc2_ros.link.control.value_curve import Price, ValueCurve
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import RateDecision
from sc2_ros.link.sender_log import LinkEstimate, SenderLog

PREFERENCES = ("accuracy", "latency")


@dataclass(frozen=True)
class AutoConstants:
    """What surrounds the law."""

    floor_bps: float = 24e3
    """bit/s. Lowest target: ten frames of 300 bytes per second."""
    rtt_s: float = 0.2
    """Seconds. Round trip that is assumed before the first feedback."""
    gap_s: float = 1 / 30
    """Seconds. Time between frames that is assumed for the first one."""
    most_gap_s: float = 1.0
    """Seconds. A longer pause between frames gives no more bytes than this."""
    saved_s: float = 2.0
    """Seconds of the target that skipped frames may leave to the next."""
    interval_s: float = 1 / 15
    """Seconds between reports that are assumed at first."""
    interval_weight: float = 0.1
    """Weight of a new interval in the mean."""
    fair_queue_s: float = 0.1
    """Seconds. A link with less queue is as it should be."""


AUTO = AutoConstants()


@dataclass(frozen=True)
class AutoConfig:
    """What may be set.

    Attributes:
        max_kbps: never more than this, kbit/s.
        prefer: "accuracy" uses what the link carries, "latency" keeps the queue shorter and gives
            up throughput for it.
        value_curve: the marginal value of bytes.
    """

    max_kbps: float = 4000.0
    prefer: str = "accuracy"
    value_curve: ValueCurve = field(default_factory=ValueCurve)


@dataclass(frozen=True)
class RateState:
    """What the controller knows and wants, for topics and diagnostics.

    Attributes:
        target_bps: bit/s that it allows itself.
        queue_delay_s: queueing delay, seconds; ``None`` while unknown.
        loss: share of the packets of the last second that were lost.
        random_loss: the part of it that has nothing to do with the rate.
        rtt_s: round trip, seconds.
        stalled: whether the link carries nothing at present.
    """

    target_bps: float
    queue_delay_s: float | None = None
    loss: float | None = None
    random_loss: float | None = None
    rtt_s: float | None = None
    stalled: bool = False


class AutoRate:
    """Chooses every frame's bytes so that the link is full and its queue is not."""

    def __init__(self, config: AutoConfig | None = None, log: SenderLog | None = None) -> None:
        self.config = config or AutoConfig()
        self._log = log or SenderLog()
        max_bps = self.config.max_kbps * 1e3
        self._floor_bps = min(AUTO.floor_bps, max_bps)
        prefers_latency = self.config.prefer == "latency"
        self._curve = self.config.value_curve
        self._most_wait_s = IN_FLIGHT.latency_wait_s if prefers_latency else IN_FLIGHT.most_wait_s
        self._price = Price()
        self._law = TargetLaw(self._floor_bps, max_bps, prefers_latency)
        self._stall = StallProbe()
        self._estimate: LinkEstimate | None = None
        self._frame_s: float | None = None
        self._sent_s = -math.inf
        self._credit_bytes = 0.0
        self._pending_bytes = 0.0
        self._heard_s: float | None = None
        self._was_silent = False
        """Whether the way back had (nearly) stopped, too, and nothing sent since has come."""
        self._fair_s: float | None = None
        self._interval_s = AUTO.interval_s

    @property
    def state(self) -> RateState:
        """The latest figures."""
        estimate, stalled = self._estimate, self._stall.is_on
        if estimate is None:
            return RateState(self._law.target_bps, stalled=stalled)
        return RateState(
            self._floor_bps if stalled else self._law.target_bps,
            estimate.queue_s,
            estimate.loss,
            min(self._law.overflow.radio.share, estimate.loss),
            estimate.rtt_s,
            stalled,
        )

    def limit(self, max_kbps: float) -> None:
        """Never more than this, kbit/s, from now on; what is known of the link stays."""
        self.config = replace(self.config, max_kbps=max_kbps)
        self._floor_bps = min(AUTO.floor_bps, max_kbps * 1e3)
        self._law.limit(self._floor_bps, max_kbps * 1e3)

    def allowance(self, now_s: float) -> RateDecision:
        """Bytes for the frame about to be coded; 0 if it cannot leave in time."""
        gap_s = self._gap(now_s)
        if self._estimate is not None and not self._stall.is_on and not self._log.is_restarting:
            self._price.add(self._own_queue_s(self._estimate), gap_s)
        rate_bps = self._law.target_bps * self._law.drain_probe.share(now_s)
        share = rate_bps * gap_s / 8
        self._credit_bytes += share
        if now_s - self._sent_s <= AUTO.saved_s:  # else saved up for a frame that takes longer
            most = max(share, rate_bps * AUTO.saved_s / 8)
            self._credit_bytes = min(self._credit_bytes, most)
        rtt_s = AUTO.rtt_s if self._estimate is None else self._estimate.rtt_s
        unheard_s = self._log.oldest_unheard_s
        if self._stall.check(unheard_s, self._fair_s, rtt_s, self._interval_s, now_s):
            self._credit_bytes = 0.0
            return RateDecision(None if self._stall.is_due(self._sent_s, now_s) else 0, 0)
        room = self._room(share, now_s)
        if room < 0:
            self._credit_bytes = min(self._credit_bytes, share)
            # What the queue has dropped in an outage looks as if it were under way until a later
            # packet has come.
            if self._was_silent and self._stall.is_vain(self._sent_s, now_s):
                return RateDecision(None, 0)
            return RateDecision(0, None)
        # The small term undoes the rounding of times such as 1/30 s.
        budget = math.floor(min(self._credit_bytes, room) + 1e-3)
        # In debt a frame may be coded for nothing, and is dropped for want of a rate that fits.
        most_code = self._curve.most_code(self._price.now)
        return RateDecision(max(budget, 1), most_code, min(self._curve.least_code, most_code))

    def on_sent(self, size_bytes: int, now_s: float, unlogged_bytes: int = 0) -> None:
        """A frame was coded; what it left is carried over, up to half a frame's share."""
        gap_s = min(AUTO.gap_s, max(0.0, now_s - self._sent_s))
        target_bps = self._law.target_bps
        self._credit_bytes = min(self._credit_bytes - size_bytes, target_bps * gap_s / 16)
        self._credit_bytes = max(self._credit_bytes, -target_bps * AUTO.most_gap_s / 8)
        self._pending_bytes = float(size_bytes - unlogged_bytes)
        self._sent_s = now_s

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """A packet has left the pacer."""
        self._log.on_packet(frame, slice_number, size_bytes, now_s)
        self._pending_bytes = max(0.0, self._pending_bytes - size_bytes)

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """The ground has reported."""
        estimate = self._log.on_feedback(feedback, now_s)
        if estimate is None:
            return
        elapsed_s = self._elapsed(now_s)
        self._estimate = estimate
        is_fair = estimate.queue_s < AUTO.fair_queue_s and estimate.overdue_s < self._interval_s
        self._fair_s = now_s if is_fair else None
        if not self._stall.is_on and not self._log.is_restarting:
            self._was_silent = False
        self._was_silent = self._was_silent or self._log.is_late
        if estimate.progress and self._stall.progress(now_s):
            self._law.resume(now_s)
            self._log.restart()
        elif not self._stall.is_on:
            self._law.follow(estimate, elapsed_s, self._interval_s, now_s)

    def _elapsed(self, now_s: float) -> float:
        """Seconds since the last feedback, within reason; learns the ground's interval."""
        elapsed_s = 0.0 if self._heard_s is None else now_s - self._heard_s
        self._heard_s = now_s
        self._was_silent = self._was_silent or elapsed_s > AUTO.most_gap_s
        if not 0 <= elapsed_s <= AUTO.most_gap_s * 1.5:
            return 0.0
        self._interval_s += AUTO.interval_weight * (elapsed_s - self._interval_s)
        return min(elapsed_s, 2 * self._interval_s)

    def _gap(self, now_s: float) -> float:
        """Seconds since the frame before; a clock that jumps counts as one frame."""
        last_s, self._frame_s = self._frame_s, now_s
        if last_s is None or now_s < last_s:
            return AUTO.gap_s
        return min(now_s - last_s, AUTO.most_gap_s)

    def _own_queue_s(self, estimate: LinkEstimate) -> float:
        """The queue behind our own packets, by which bytes are dear.

        On a steady link without what jitter makes look like one; on an unsteady one the scatter of
        the delay is that of its queue.
        """
        if self._law.competing.is_there:
            return 0.0
        jitter_s = (1 - self._law.capacity.unsteadiness) * estimate.jitter_s
        return max(0.0, estimate.queue_s - jitter_s)

    def _room(self, share: float, now_s: float) -> float:
        """Bytes that may join those in flight, a frame's share included."""
        estimate, law = self._estimate, self._law
        waiting = self._log.in_flight_bytes + self._pending_bytes
        if waiting <= 0:
            return math.inf  # also where even the smallest frame is larger than what is allowed
        if estimate is None:
            return LAW.start_bps / 8 * IN_FLIGHT.first_s - waiting
        capacity_bps = law.target_bps
        if not law.competing.is_there:
            unsteadiness = law.capacity.unsteadiness
            capacity_bps = cautious_bps(
                capacity_bps, estimate.passed_bps, unsteadiness, self._floor_bps
            )
        most_s = law.tolerated_wait_s(self._most_wait_s, estimate)
        return room_bytes(estimate, waiting, capacity_bps, most_s, now_s) + share
