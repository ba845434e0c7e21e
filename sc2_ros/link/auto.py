# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The rate follows the link: delay- and loss-based control with an in-flight limit.

    feedback -> LinkEstimator -> queue, rate passed, loss -> law -> target (bit/s)
    frame ----> allowance: min(credit of the target, in-flight limit - in flight) -> bytes

The law has one idea: while packets queue, the rate at which they pass *is* the capacity C, so the
target is C less what drains the queue q to its set point q_ref within the time T,

    target = C (1 - (q - q_ref) / T)                          with a queue
    target grows by g per second, at most 1.5 C               without one

See docs/link.md for where each part comes from and what it does on each kind of link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sc2_ros.link.estimator import LinkEstimate, LinkEstimator
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.foreign import ForeignQueue
from sc2_ros.link.loss import RandomLoss
from sc2_ros.link.rate import RateDecision

PREFERENCES = ("accuracy", "smooth", "latency")

START_BPS = 200e3
FLOOR_BPS = 24e3
KEEPALIVE_S, MOST_KEEPALIVE_S = 0.25, 0.5
SILENCE_S = 2.0
"""Without feedback for so long the target is the floor."""

START_GROWTH, LEAST_GROWTH, MOST_GROWTH = 1.2, 0.1, 0.5
"""Of the target per second: before the first queue, right after one, and some time after."""
ACCELERATE_S = 1.5
BUSY_SHARE = 0.6
"""Share of the set point from which a queue counts as one."""
KNOWN_SHARE, KNOWN_S = 0.7, 4.0
LEAST_PASSING, RESTORED = 0.75, 0.5
"""Of the target: what passes at least beside other traffic; what cuts in vain leave of it."""
RECOVERY = 0.7
"""Share of the target with which a stream goes on after a stall."""
MOST_CUT = 0.6
QUEUE_S, QUEUE_PACKETS, MOST_QUEUE_S = 0.010, 2.0, 0.04
PACKET_BITS = 1200 * 8
LEAST_DRAIN_S = 0.35
MOST_JITTER_S, NOISE_SHARE = 0.04, 0.5
LOSS_MARGIN, LOSS_SIGMAS, LEAST_LOSS_PACKETS = 0.03, 2.5, 20
HOPELESS_LOSS = 0.35
"""Loss that is heeded even where there is no queue: a policer, or a radio beyond use."""
LEAST_KEPT, OVERFLOWING_S = 0.7, 2.0
LOSS_EVERY_S, LOSS_LASTS_S = 0.5, 0.7
"""How often a cut follows from loss; from when it is no burst."""
OVERFLOW_SHARE, LEAST_QUEUE_S, FORGET_S = 0.4, 0.004, 60.0
"""A queue that overflowed is kept to so much of its length; how soon that is forgotten."""
CLEAN_QUEUE = 0.3
"""Share of the set point below which the queue counts as empty."""
CLEAN_PEAK = 0.75
"""The same for its longest moment."""
CLEAN_EVERY_S, CLEAN_FOR_S, CLEAN_SHARE = 8.0, 0.4, 0.7
_MAX_GAP_S = 1.0
_DEFAULT_GAP_S = 1 / 30
_SAVED_S = 2.0


@dataclass(frozen=True)
class AutoConfig:
    """What may be set.

    Attributes:
        max_kbps: never more than this, kbit/s.
        prefer: "accuracy" skips frames rather than send one below ``useful_code``, "smooth" sends
            every frame that fits at all, "latency" moreover keeps the queue shorter.
        useful_code: the rate code with the most accuracy per byte.
    """

    max_kbps: float = 4000.0
    prefer: str = "accuracy"
    useful_code: int = 0


@dataclass(frozen=True)
class RateState:
    """What the controller knows and wants, for topics and diagnostics.

    Attributes:
        target_bps: bit/s that it allows itself.
        capacity_bps: bit/s that passed the link last; ``None`` while unknown.
        queue_delay_s: queueing delay, seconds; ``None`` while unknown.
        loss: share of the packets of the last second that were lost.
        random_loss: the part of it that has nothing to do with the rate.
        rtt_s: round trip, seconds.
        stalled: whether the link carries nothing at present.
    """

    target_bps: float
    capacity_bps: float | None = None
    queue_delay_s: float | None = None
    loss: float | None = None
    random_loss: float | None = None
    rtt_s: float | None = None
    stalled: bool = False


class AutoRate:
    """Chooses every frame's bytes so that the link is full and its queue is not."""

    def __init__(self, config: AutoConfig | None = None) -> None:
        self.config = config or AutoConfig()
        self._max_bps = self.config.max_kbps * 1e3
        self._floor_bps = min(FLOOR_BPS, self._max_bps)
        self._low_code = self.config.useful_code if self.config.prefer == "accuracy" else 0
        self._slack_s = 0.06 if self.config.prefer == "latency" else 0.1
        self._begin()

    def _begin(self) -> None:
        self._estimator = LinkEstimator()
        self._foreign = ForeignQueue()
        self._estimate: LinkEstimate | None = None
        self._target_bps = min(START_BPS, self._max_bps)
        self._starting = True
        self._busy_s: float | None = None
        self._last_s: float | None = None
        self._frame_s: float | None = None
        self._sent_s = -math.inf
        self._credit_bytes = 0.0
        self._pending_bytes = 0.0
        self._heard_s: float | None = None
        self._progress_s = -math.inf
        self._interval_s = 1 / 15
        self._loss_cut_s = -math.inf
        self._clean_s: float | None = None
        self._cleaning_s: float | None = None
        self._stalled = False
        self._keepalive_s = KEEPALIVE_S
        self._random_loss = RandomLoss()
        self._shortest_s = 1.0
        self._fair_s = math.inf
        self._before_bps = self._target_bps
        self._known_bps = 0.0
        """What the link has carried lately: up to it, growth is no risk."""

    @property
    def state(self) -> RateState:
        """The latest figures."""
        estimate = self._estimate
        if estimate is None:
            return RateState(self._target_bps, stalled=self._stalled)
        return RateState(
            self._floor_bps if self._stalled else self._target_bps,
            estimate.passed_bps,
            estimate.queue_s,
            estimate.loss,
            min(self._random_loss.share, estimate.loss),
            estimate.rtt_s,
            self._stalled,
        )

    def allowance(self, now_s: float) -> RateDecision:
        """Bytes for the frame about to be coded; 0 if it cannot leave in time."""
        gap_s = self._gap(now_s)
        rate_bps = self._target_bps * (CLEAN_SHARE if self._cleaning(now_s) else 1.0)
        share = rate_bps * gap_s / 8
        saved = self._credit_bytes + share
        self._credit_bytes = min(saved, max(share, rate_bps * _SAVED_S / 8))
        if self._stall(now_s):
            return self._keepalive(now_s)
        room = self._room(share)
        if room < min(share, self._credit_bytes):
            self._credit_bytes = min(self._credit_bytes, share)
            return RateDecision(0, None)
        return RateDecision(math.floor(min(self._credit_bytes, room) + 1e-3), None, self._low_code)

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """A frame was coded; what it left is carried over, up to half a frame's share."""
        gap_s = min(_DEFAULT_GAP_S, max(0.0, now_s - self._sent_s))
        carry = self._target_bps * gap_s / 16
        self._credit_bytes = min(self._credit_bytes - size_bytes, carry)
        self._credit_bytes = max(self._credit_bytes, -self._target_bps * _MAX_GAP_S / 8)
        self._pending_bytes = float(size_bytes)
        self._sent_s = now_s

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """A packet has left the pacer."""
        self._estimator.on_packet(frame, slice_number, size_bytes, now_s)
        self._pending_bytes = max(0.0, self._pending_bytes - size_bytes)

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """The ground has reported."""
        estimate = self._estimator.on_feedback(feedback, now_s)
        if estimate is None:
            return
        elapsed_s = self._elapsed(now_s)
        self._estimate = estimate
        if estimate.progress:
            self._progress_s = now_s
            if self._stalled:
                self._resume(now_s)
                return
        if not self._stalled:
            self._follow(estimate, elapsed_s, now_s)

    def _elapsed(self, now_s: float) -> float:
        """Seconds since the last feedback, within reason; learns the ground's interval."""
        elapsed_s = 0.0 if self._heard_s is None else now_s - self._heard_s
        self._heard_s = now_s
        if not 0 <= elapsed_s <= _MAX_GAP_S * 1.5:
            return 0.0
        self._interval_s += 0.1 * (elapsed_s - self._interval_s)
        return min(elapsed_s, 2 * self._interval_s)

    def _follow(self, estimate: LinkEstimate, elapsed_s: float, now_s: float) -> None:
        """The control law, once per feedback."""
        set_point_s = self._set_point()
        queue_s = max(estimate.queue_s, estimate.overdue_s - self._interval_s)
        queue_s = self._share_queue(queue_s, set_point_s, estimate, now_s)
        clean = queue_s < set_point_s * CLEAN_QUEUE and estimate.peak_s < set_point_s * CLEAN_PEAK
        self._random_loss.add(estimate, clean)
        self._shortest_s = min(1.0, self._shortest_s * math.exp(elapsed_s / FORGET_S))
        self._note_clean(queue_s, set_point_s, now_s)
        drain_s = max(LEAST_DRAIN_S, 1.5 * (estimate.rtt_s + self._interval_s))
        passed_bps = estimate.passed_bps
        noise_s = min(estimate.jitter_s, MOST_JITTER_S)
        set_point_s += NOISE_SHARE * noise_s
        if queue_s > max(set_point_s * BUSY_SHARE, noise_s) and passed_bps is not None:
            self._busy_s = now_s
            self._know(passed_bps, elapsed_s)
            overflowing = 0 <= now_s - self._loss_cut_s < OVERFLOWING_S
            if estimate.received_bps is not None and overflowing:
                passed_bps = estimate.received_bps
            cut = min((queue_s - set_point_s) / drain_s, MOST_CUT)
            if cut > 0:
                self._starting = False
            if self._foreign.delay_s > 0:
                self._compete(cut, elapsed_s)
            elif not self._starting:
                self._set(passed_bps * (1 - cut))
        else:
            self._grow(passed_bps, elapsed_s, now_s)
        self._heed_loss(estimate, now_s)

    def _share_queue(
        self, queue_s: float, set_point_s: float, estimate: LinkEstimate, now_s: float
    ) -> float:
        """Our part of a queue that others may keep full."""
        taken_s = self._foreign.delay_s
        if taken_s > 0 and (estimate.passed_bps or 0.0) < LEAST_PASSING * self._target_bps:
            # What we send does not even pass: it is the capacity that is gone.
            self._foreign = ForeignQueue()
            return queue_s
        own_s = self._foreign.own(queue_s, set_point_s, estimate.rtt_s, now_s)
        if not self._foreign.is_watching:
            self._before_bps = self._target_bps
        if taken_s == 0 and self._foreign.delay_s > 0:
            self._set(max(self._target_bps, RESTORED * self._before_bps))
        return own_s

    def _compete(self, cut: float, elapsed_s: float) -> None:
        """Beside a TCP flow only loss makes way, as with NADA (RFC 8698, section 4.2)."""
        if cut < 0:
            self._set(self._target_bps * math.exp(LEAST_GROWTH * elapsed_s))

    def _know(self, passed_bps: float, elapsed_s: float) -> None:
        """Remember for some seconds what a queue showed the link to carry."""
        self._known_bps *= math.exp(-elapsed_s / KNOWN_S)
        self._known_bps = max(self._known_bps, passed_bps)

    def _grow(self, passed_bps: float | None, elapsed_s: float, now_s: float) -> None:
        """Without a queue: faster the longer there is none, never far beyond what has passed."""
        since_s = math.inf if self._busy_s is None else max(0.0, now_s - self._busy_s)
        growth = LEAST_GROWTH + (MOST_GROWTH - LEAST_GROWTH) * min(1.0, since_s / ACCELERATE_S)
        if self._starting or self._target_bps < KNOWN_SHARE * self._known_bps:
            growth = START_GROWTH
        wanted_bps = self._target_bps * math.exp(growth * elapsed_s)
        if passed_bps is not None:
            wanted_bps = min(wanted_bps, max(self._target_bps, 1.5 * passed_bps + START_BPS / 4))
        self._set(wanted_bps)

    def _excess_loss(self, estimate: LinkEstimate) -> float:
        """Loss beyond what is lost without a queue and beyond chance."""
        count, loss, radio = estimate.loss_packets, estimate.loss, self._random_loss
        if count < LEAST_LOSS_PACKETS:
            return 0.0
        spread = max(loss * (1 - loss), 0.01) * (1 / count + 1 / max(radio.packets, 1.0))
        excess = loss - radio.share - LOSS_SIGMAS * math.sqrt(spread) - LOSS_MARGIN
        return max(excess, loss - HOPELESS_LOSS)

    def _heed_loss(self, estimate: LinkEstimate, now_s: float) -> None:
        """Loss that came with the rate: a link whose queue is too short to be seen."""
        excess = self._excess_loss(estimate)
        if excess <= 0 or now_s < self._fair_s:
            self._fair_s = now_s
        if excess > 0 and not 0 <= now_s - self._loss_cut_s < LOSS_EVERY_S:
            self._loss_cut_s = now_s
            self._starting = False
            self._busy_s = now_s
            if now_s - self._fair_s > LOSS_LASTS_S:
                longest_s = max(estimate.peak_s * OVERFLOW_SHARE, LEAST_QUEUE_S)
                self._shortest_s = min(self._shortest_s, longest_s)
            cut = 0.5 * (estimate.loss - min(self._random_loss.share, HOPELESS_LOSS))
            wanted_bps = self._target_bps * (1 - max(cut, 0.0))
            if estimate.received_bps is not None:
                wanted_bps = min(wanted_bps, estimate.received_bps)
            self._set(max(wanted_bps, self._target_bps * LEAST_KEPT))

    def _set_point(self) -> float:
        """Queue to keep: the slower stream tolerates more and so gains (RFC 8698, section 4.3)."""
        if self.config.prefer == "latency":
            return min(QUEUE_S, self._shortest_s)
        tolerated_s = QUEUE_S + QUEUE_PACKETS * PACKET_BITS / self._target_bps
        return min(tolerated_s, MOST_QUEUE_S, self._shortest_s)

    def _set(self, target_bps: float) -> None:
        self._target_bps = min(max(target_bps, self._floor_bps), self._max_bps)

    def _note_clean(self, queue_s: float, set_point_s: float, now_s: float) -> None:
        """See the empty queue now and then, else its base would be lost."""
        if queue_s < set_point_s * CLEAN_QUEUE or self._clean_s is None or now_s < self._clean_s:
            self._clean_s = now_s
            self._cleaning_s = None
        elif now_s - self._clean_s > CLEAN_EVERY_S and self._cleaning_s is None:
            self._cleaning_s = now_s

    def _cleaning(self, now_s: float) -> bool:
        if self._cleaning_s is None:
            return False
        if not 0 <= now_s - self._cleaning_s < CLEAN_FOR_S:
            self._cleaning_s, self._clean_s = None, now_s
        return self._cleaning_s is not None

    def _gap(self, now_s: float) -> float:
        """Seconds since the frame before; a clock that jumps counts as one frame."""
        last_s, self._frame_s = self._frame_s, now_s
        if last_s is None or now_s < last_s:
            return _DEFAULT_GAP_S
        return min(now_s - last_s, _MAX_GAP_S)

    def _room(self, share: float) -> float:
        """Bytes that may join those in flight (RFC 8298, SCReAM, section 4.1.2.1)."""
        estimate = self._estimate
        if estimate is None:
            return START_BPS / 8 * 0.6 - self._estimator.in_flight_bytes - self._pending_bytes
        own_s = max(0.0, estimate.queue_s - self._foreign.delay_s)
        way_s = max(0.0, estimate.rtt_s - own_s) + self._interval_s + self._slack_s
        limit = self._target_bps * way_s / 8 + share
        waiting = self._estimator.in_flight_bytes + self._pending_bytes
        return limit - waiting if waiting > 0 else math.inf

    def _stall(self, now_s: float) -> bool:
        """Whether packets have been under way for too long without any news of one."""
        if self._stalled:
            return True
        sent_s = self._estimator.oldest_unheard_s
        if sent_s is None or now_s < sent_s:
            return False
        rtt_s = self._estimate.rtt_s if self._estimate else 0.2
        patience_s = min(0.3 + rtt_s + 2 * self._interval_s, SILENCE_S)
        progress_s = self._progress_s if self._progress_s <= now_s else -math.inf
        self._stalled = now_s - max(sent_s, progress_s) > patience_s
        return self._stalled

    def _keepalive(self, now_s: float) -> RateDecision:
        """A cheapest frame now and then, so that the link's return is noticed."""
        self._credit_bytes = 0.0
        if 0 <= now_s - self._sent_s < self._keepalive_s:
            return RateDecision(0, None)
        self._keepalive_s = min(2 * self._keepalive_s, MOST_KEEPALIVE_S)
        return RateDecision(None, 0)

    def _resume(self, now_s: float) -> None:
        """The link is back."""
        self._stalled = False
        self._keepalive_s = KEEPALIVE_S
        self._starting = True
        self._busy_s = None
        self._clean_s = now_s
        self._foreign = ForeignQueue()
        self._estimator.restart(now_s)
        self._set(self._target_bps * RECOVERY)
