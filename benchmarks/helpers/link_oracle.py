# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Who knows the link to come: what a controller on a recorded link is measured against.

It flies like any controller, through the same simulator, ground station and figures, but sees what
the link will carry and every packet that waits before its own.
"""

from __future__ import annotations

import math

import numpy as np

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.rate import RateDecision
from sc2_ros.link.sim.content import Content
from sc2_ros.link.sim.emulator import LinkModel
from sc2_ros.link.sim.scenarios import uplink
from sc2_ros.link.sim.simulator import GROUND_S
from sc2_ros.link.sim.spec import LinkSpec
from sc2_ros.link.sim.summary import ONBOARD_S

LATENCY_S = 0.25
"""From capture to result, of every frame of the oracle: the floor of the recorded uplinks."""
HORIZON_S = 1.0
"""So far ahead it spreads what the link will carry."""
_GRID_S = 0.001


class OracleRate:
    """Every frame as large as it and all later ones can be and still come in time.

    With C(t) bytes carried up to t, q of them of packets that wait now, D the time that a frame has
    at the bottleneck and n(h) the frames taken within h,

        bytes = min over h of (C(now + h + D) - C(now) - q) / n(h)

    the largest size that may stay the same, which is best for a value that saturates; h ends where
    the link will carry no frame at all. Where that is less than the cheapest frame, the cheapest is
    sent as long as it comes in time itself. Losses after the bottleneck it does not foresee.
    """

    def __init__(
        self, spec: LinkSpec, seed: int, content: Content, fps: float, seconds: float
    ) -> None:
        """``seed`` is that of the run; it is over after ``seconds``."""
        self._link: LinkModel = uplink(spec, seed)
        self._content, self._fps = content, fps
        self._frame = 0
        deadline_s = max(LATENCY_S - ONBOARD_S - GROUND_S - spec.delay_s, 1 / fps)
        self._deadline = round(deadline_s / _GRID_S)
        count = math.ceil((seconds + HORIZON_S + deadline_s) / _GRID_S) + 2
        self._carried = np.array(
            [self._link.capacity_bytes(0.0, number * _GRID_S) for number in range(count)]
        )
        ahead = np.arange(math.ceil(HORIZON_S * fps))
        self._ahead = np.rint(ahead / fps / _GRID_S).astype(np.int64)
        self._frames = ahead + 1

    def allowance(self, now_s: float) -> RateDecision:
        """Called once per frame, of which it knows the price."""
        self._frame += 1
        cheapest = self._content.price(self._frame, 0)
        now = min(math.ceil(now_s / _GRID_S), len(self._carried) - self._ahead[-1] - 1)
        starts = now + self._ahead
        ends = np.minimum(starts + self._deadline, len(self._carried) - 1)
        waiting = self._link.queued_bytes(now_s)
        room = self._carried[ends] - self._carried[now] - waiting
        barren = np.flatnonzero(self._carried[ends] - self._carried[starts] < cheapest)
        possible = barren[0] if len(barren) else len(room)
        if room[0] < cheapest or possible == 0:
            return RateDecision(0, None)
        share = float(np.min(room[:possible] / self._frames[:possible]))
        return RateDecision(math.floor(min(max(share, cheapest), room[0])), None)

    def on_sent(self, size_bytes: int, now_s: float) -> None:
        """It counts packets."""

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """The queue is known exactly."""
        self._link.send(size_bytes, now_s)

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """It knows."""
