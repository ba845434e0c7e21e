# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""At which rate a frame is coded, and with how much protection.

::

    controller (link) -> bytes or code --+
    radio's signal    -> share of it   --+-> codec's prices -> rate code, repair packets
    radio's loss      -> RepairPolicy  --+
"""

from __future__ import annotations

from collections.abc import Sequence

from sc2_ros.codec.frame.encoder import EncodedPacket, FrameEncoder
from sc2_ros.codec.frame.plan import UNPROTECTED, FramePlan, Protection, SourceFrame
from sc2_ros.codec.wire import MAX_PACKET_BYTES
from sc2_ros.link.control.auto import AutoConfig, AutoRate, RateState
from sc2_ros.link.control.radio import RadioHint
from sc2_ros.link.control.value_curve import ValueCurve
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import BudgetRate, FixedRate, RateController, RateDecision
from sc2_ros.link.repair_policy import RepairPolicy
from sc2_ros.link.sender_log import LinkEstimate, SenderLog
from sc2_ros.onboard.config import OnboardConfig

_SLACK = 0.05
"""Share of its budget that a frame may leave unused: a step of the rate code is 3 % of a frame, and
each price not asked for saves some 2 ms."""


class RateChoice:
    """The controller that a configuration asks for, and what else has a say in the rate."""

    def __init__(self, encoder: FrameEncoder, value_curve: ValueCurve) -> None:
        """value_curve: the checkpoint's."""
        self._encoder = encoder
        self._value_curve = value_curve
        self._log = SenderLog()
        self._overhead_bytes = 0
        self._controller: RateController = FixedRate(0.0, self._log)
        self._repair = RepairPolicy()
        self._repairs = True
        self._radio = RadioHint()
        self._part: tuple[object, ...] | None = None
        self._near: int | None = None  # the last frame's code: where the search begins

    def configure(self, config: OnboardConfig) -> None:
        """Take a configuration; a controller goes on unless it is to be another one.

        Auto mode keeps what it has learned of the link when it gets another limit.
        """
        self._log.overhead_bytes = self._overhead_bytes = config.overhead_bytes
        self._repairs = config.rate_repair != "off"
        part: tuple[object, ...] = {
            "fixed": ("fixed", config.rate_index),
            "budget": ("budget", config.rate_max_kbps, config.frame_max_fps),
            "auto": ("auto", config.rate_prefer),
        }[config.rate_mode]
        if part != self._part:
            self._part = part
            self._controller = self._controller_for(config)
            self._repair = RepairPolicy()
        elif isinstance(self._controller, AutoRate):
            self._controller.limit(config.rate_max_kbps)

    @property
    def state(self) -> RateState | None:
        """What the controller of auto mode knows and wants; None in the other modes."""
        return self._controller.state if isinstance(self._controller, AutoRate) else None

    def allowance(self, now_s: float) -> RateDecision:
        """What the next frame may be: less than the controller says where the signal just fell."""
        decision = self._controller.allowance(now_s)
        state = self.state
        if state is None or decision.budget_bytes is None:
            return decision
        share = self._radio.share(state.target_bps, now_s)
        return decision._replace(budget_bytes=int(decision.budget_bytes * share))

    def choose(
        self, frame: SourceFrame, extra: Sequence[bytes], decision: RateDecision, now_s: float
    ) -> FramePlan | None:
        """The plan at the decision's code, or at the highest within its budget; None if none fits.

        Where a protected frame does not fit, one without repair packets is tried.

        Args:
            frame: of which only the rate is open.
            extra: packets that have to leave with it.
            decision: of the controller.
            now_s: the time.

        Raises:
            FrameTooBigError: it does not fit into the packets of a frame at any rate.
        """
        if decision.budget_bytes is None:
            return None if decision.code is None else self._encoder.plan(frame, decision.code)
        high = 64 if decision.code is None else decision.code
        budget_bytes = decision.budget_bytes - self.on_air(extra)
        # What its own headers take; its packets are counted when it is coded.
        packets = -(-budget_bytes // (MAX_PACKET_BYTES + self._overhead_bytes))
        budget_bytes -= packets * self._overhead_bytes
        for protection in self._protections(budget_bytes, frame.latent[0].size, now_s):
            plan = self._encoder.search(
                frame,
                budget_bytes,
                min(decision.low, high),
                high,
                near=self._near,
                slack=_SLACK,
                protection=protection,
            )
            if plan is not None:
                return plan
        return None

    def on_air(self, packets: Sequence[bytes]) -> int:
        """Bytes that packets take, with what the transport and the link add to each."""
        return sum(map(len, packets)) + len(packets) * self._overhead_bytes

    def on_encoded(self, code: int, packets: Sequence[bytes], now_s: float) -> None:
        """A frame has been coded at a rate code into these packets."""
        self._near = code
        others = [packet for packet in packets if not isinstance(packet, EncodedPacket)]
        self._controller.on_sent(self.on_air(packets), now_s, self.on_air(others))

    def on_packet(self, frame: int, place: int, size_bytes: int, now_s: float) -> None:
        """A packet of a frame has left."""
        self._controller.on_packet(frame, place, size_bytes + self._overhead_bytes, now_s)

    def on_radio(self, signal_db: float, now_s: float) -> None:
        """The radio has reported its signal."""
        self._radio.on_signal(signal_db, now_s)

    def is_possible(self, feedback: Feedback, now_s: float) -> bool:
        """Whether a report can be true, by what was sent."""
        return self._log.is_possible(feedback, now_s)

    def on_feedback(self, feedback: Feedback, now_s: float) -> LinkEstimate | None:
        """The ground has reported; returns what it tells of the link, None if it is nothing new."""
        before = self._log.latest
        self._controller.on_feedback(feedback, now_s)
        return self._log.latest if self._log.latest is not before else None

    def _protections(
        self, budget_bytes: int, positions: int, now_s: float
    ) -> tuple[Protection, ...]:
        """What a frame may be given against the radio's loss, the best first."""
        state = self.state
        if state is None or not self._repairs:
            return (UNPROTECTED,)
        self._repair.update(state.loss, state.queue_delay_s, now_s)
        return tuple(Protection(*plan) for plan in self._repair.plans(budget_bytes, positions))

    def _controller_for(self, config: OnboardConfig) -> RateController:
        if config.rate_mode == "fixed":
            return FixedRate(config.rate_index, self._log)
        if config.rate_mode == "budget":
            return BudgetRate(config.rate_max_kbps, config.frame_max_fps, self._log)
        auto = AutoConfig(config.rate_max_kbps, config.rate_prefer, self._value_curve)
        return AutoRate(auto, self._log)
