# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate follows the link: delay- and loss-based control with an in-flight limit.

    feedback -> SenderLog -> queue, rate passed, loss -> TargetLaw -> target (bit/s)
    frame ----> allowance: min(credit of the target, what still arrives in time) -> bytes

Where the parts come from, and what they do on each kind of link: docs/link.md.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sc2_ros.link.control.in_flight import expected_queue_s
from sc2_ros.link.control.law import START_BPS, TargetLaw
from sc2_ros.link.control.stall import Stall
from sc2_ros.link.control.value_curve import LATE_S, Shortage, Worth
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import RateDecision
from sc2_ros.link.sender_log import LinkEstimate, SenderLog

PREFERENCES = ("accuracy", "latency")

FLOOR_BPS = 24e3
MOST_WAIT_S, LATENCY_WAIT_S = 0.08, 0.05
"""A frame that would queue for longer is not sent."""
LEAST_PART = 0.25
"""Of its share, that a frame may be reduced to when there is no more room."""
_FIRST_SECONDS = 0.6
"""Of the first target, that may be in flight before anything is heard."""
_DEFAULT_RTT_S = 0.2
_MAX_GAP_S = 1.0
_DEFAULT_GAP_S = 1 / 30
_SAVED_S = 2.0
SILENT_ON, MOST_SILENT_S = 0.3, 1.0
"""A link that has carried nothing for a second is expected to for so much longer; what is overdue
for longer was lost, or is the stall's business."""


@dataclass(frozen=True)
class AutoConfig:
    """What may be set.

    Attributes:
        max_kbps: never more than this, kbit/s.
        prefer: "accuracy" uses what the link carries, "latency" keeps the queue shorter and gives
            up throughput for it.
        worth: what bytes are worth.
    """

    max_kbps: float = 4000.0
    prefer: str = "accuracy"
    worth: Worth = field(default_factory=Worth)


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
        self._floor_bps = min(FLOOR_BPS, max_bps)
        in_haste = self.config.prefer == "latency"
        self._worth = self.config.worth
        self._low_code = self._worth.least_code
        self._most_wait_s = LATENCY_WAIT_S if in_haste else MOST_WAIT_S
        self._shortage = Shortage()
        self._is_asked = False
        self._law = TargetLaw(self._floor_bps, max_bps, in_haste)
        self._stall = Stall()
        self._estimate: LinkEstimate | None = None
        self._frame_s: float | None = None
        self._sent_s = -math.inf
        self._credit_bytes = 0.0
        self._pending_bytes = 0.0
        self._heard_s: float | None = None
        self._fair_s: float | None = None
        self._interval_s = 1 / 15

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

    def allowance(self, now_s: float) -> RateDecision:
        """Bytes for the frame about to be coded; 0 if it cannot leave in time."""
        gap_s = self._gap(now_s)
        if self._estimate is not None and not self._stall.is_on:
            self._shortage.add(self._is_asked or self._is_late(), gap_s)
        self._is_asked = True
        rate_bps = self._law.target_bps * self._law.dip.share(now_s)
        share = rate_bps * gap_s / 8
        saved = self._credit_bytes + share
        self._credit_bytes = min(saved, max(share, rate_bps * _SAVED_S / 8))
        rtt_s = self._estimate.rtt_s if self._estimate else _DEFAULT_RTT_S
        unheard_s = self._log.oldest_unheard_s
        if self._stall.check(unheard_s, self._fair_s, rtt_s, self._interval_s, now_s):
            self._credit_bytes = 0.0
            self._is_asked = False
            return RateDecision(None if self._stall.may_knock(self._sent_s, now_s) else 0, 0)
        room = self._room(share, now_s)
        if room < LEAST_PART * min(share, self._credit_bytes):
            self._credit_bytes = min(self._credit_bytes, share)
            return RateDecision(0, None)
        budget = math.floor(min(self._credit_bytes, room) + 1e-3)
        # In debt a frame may be coded for nothing, and is dropped for want of a rate that fits.
        most_code = self._worth.most_code(self._shortage.share * self._law.capacity.unsteadiness)
        return RateDecision(max(budget, 1), most_code, min(self._low_code, most_code))

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """A frame was coded; what it left is carried over, up to half a frame's share."""
        self._is_asked = False
        gap_s = min(_DEFAULT_GAP_S, max(0.0, now_s - self._sent_s))
        target_bps = self._law.target_bps
        self._credit_bytes = min(self._credit_bytes - size_bytes, target_bps * gap_s / 16)
        self._credit_bytes = max(self._credit_bytes, -target_bps * _MAX_GAP_S / 8)
        self._pending_bytes = float(size_bytes)
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
        is_fair = estimate.queue_s < LATE_S and estimate.overdue_s < self._interval_s
        self._fair_s = now_s if is_fair else None
        if estimate.progress and self._stall.progress(now_s):
            self._law.resume(now_s)
            self._log.restart(now_s)
        elif not self._stall.is_on:
            self._law.follow(estimate, elapsed_s, self._interval_s, now_s)

    def _elapsed(self, now_s: float) -> float:
        """Seconds since the last feedback, within reason; learns the ground's interval."""
        elapsed_s = 0.0 if self._heard_s is None else now_s - self._heard_s
        self._heard_s = now_s
        if not 0 <= elapsed_s <= _MAX_GAP_S * 1.5:
            return 0.0
        self._interval_s += 0.1 * (elapsed_s - self._interval_s)
        return min(elapsed_s, 2 * self._interval_s)

    def _gap(self, now_s: float) -> float:
        """Seconds since the frame before; a clock that jumps counts as one frame."""
        last_s, self._frame_s = self._frame_s, now_s
        if last_s is None or now_s < last_s:
            return _DEFAULT_GAP_S
        return min(now_s - last_s, _MAX_GAP_S)

    def _is_late(self) -> bool:
        """Whether frames queue for too long behind our own."""
        foreign, estimate = self._law.foreign, self._estimate
        if estimate is None or foreign.is_competing:
            return False
        return estimate.queue_s - foreign.route_s > LATE_S

    def _room(self, share: float, now_s: float) -> float:
        """Bytes that may join those in flight and would still not queue for too long."""
        estimate = self._estimate
        waiting = self._log.in_flight_bytes + self._pending_bytes
        if estimate is None:
            return START_BPS / 8 * _FIRST_SECONDS - waiting
        if waiting <= 0:
            return math.inf
        capacity_bps = self._forecast_bps(estimate)
        wait_s = expected_queue_s(estimate.clear_s, waiting, capacity_bps, now_s)
        silent_s = estimate.overdue_s - estimate.queue_s
        if 0 < silent_s < MOST_SILENT_S:
            wait_s += SILENT_ON * silent_s
        most_s = self._law.tolerated_wait_s(self._most_wait_s, estimate)
        return (most_s - wait_s) * capacity_bps / 8 + share

    def _forecast_bps(self, estimate: LinkEstimate) -> float:
        """What is expected to pass: on an unsteady link no more than passed last.

        Sprout's cautious forecast (Winstein et al., NSDI 2013, section 3.3), without its model.
        """
        target_bps = self._law.target_bps
        if not estimate.passed_bps or self._law.foreign.is_competing:
            return target_bps
        cautious_bps = min(target_bps, max(estimate.passed_bps, self._floor_bps))
        return target_bps + self._law.capacity.unsteadiness * (cautious_bps - target_bps)
