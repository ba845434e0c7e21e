# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many bytes the next frame may have: the seam between the pipeline and rate control.

A controller is asked once per frame, before it is coded, for ``allowance(now)``: a budget in bytes
or a rate code; a budget of 0 bytes means that the frame need not be looked at. It hears
``on_sent(bytes, now)`` unless the frame is dropped, ``on_packet(frame, slice, bytes, now)`` as its
packets leave, and ``on_feedback(feedback, now)``. Those that fly share a `SenderLog`, which is
handed on when the mode changes: round trip and loss are known in every mode.
"""

from __future__ import annotations

import math
from typing import NamedTuple, Protocol

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.sender_log import SenderLog

RATE_MODES = ("auto", "budget", "fixed")

RATE_CODES = 64
"""The highest rate code; the rate index r in [0, 1] is sent as round(64 r)."""

_MAX_GAP_S = 1.0
_DEFAULT_FPS = 30.0


class RateDecision(NamedTuple):
    """What the next frame may be.

    Attributes:
        budget_bytes: most bytes on the wire, headers included; ``None`` if there is no limit.
        code: the rate code to use; ``None`` to take the highest that fits the budget.
        low: no code below this one: rather no frame.
    """

    budget_bytes: int | None
    code: int | None
    low: int = 0


class RateController(Protocol):
    """Decides on every frame; a pure function of its inputs and the time."""

    def allowance(self, now_s: float) -> RateDecision:
        """What the frame that is about to be coded may be."""

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """The ground has reported."""

    def on_sent(self, size_bytes: int, now_s: float, unlogged_bytes: int = 0) -> None:
        """A frame of that many bytes has been coded and handed to the pacer.

        unlogged_bytes: those of them in packets of which `on_packet` does not tell.
        """

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """A packet has left the pacer."""


class _OpenLoop:
    """A controller that only logs what the link does."""

    def __init__(self, log: SenderLog | None = None) -> None:
        self._log = log or SenderLog()

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """A packet has left the pacer."""
        self._log.on_packet(frame, slice_number, size_bytes, now_s)

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """The ground has reported."""
        self._log.on_feedback(feedback, now_s)


class FixedRate(_OpenLoop):
    """Always the same rate index, whatever it costs."""

    def __init__(self, index: float, log: SenderLog | None = None) -> None:
        super().__init__(log)
        self._decision = RateDecision(None, code_of(index))

    def allowance(self, now_s: float) -> RateDecision:
        """The fixed code."""
        return self._decision

    def on_sent(self, size_bytes: int, now_s: float, unlogged_bytes: int = 0) -> None:
        """The cost does not matter here."""


class BudgetRate(_OpenLoop):
    """As good as ``max_kbps`` allows at the rate at which frames come.

    A frame may have the bytes that the budget yields in the time since the frame before, so the
    budget holds over any span of frames. If even the cheapest coding does not fit, the frame is
    dropped and its share goes to the next: then the frame rate falls, not the budget. ``fps``
    stands for that time before the first frame (0: not known).
    """

    def __init__(self, max_kbps: float, fps: float = 0.0, log: SenderLog | None = None) -> None:
        super().__init__(log)
        self._bytes_per_s = max_kbps * 1000 / 8
        self._first_gap_s = 1.0 / (fps if fps > 0 else _DEFAULT_FPS)
        self._last_s: float | None = None
        self._credit_bytes = 0.0

    def allowance(self, now_s: float) -> RateDecision:
        """The bytes saved up by now: those of a second at most, however long the pause."""
        if self._last_s is None or now_s < self._last_s:  # the first frame, or a new clock
            gap_s = self._first_gap_s
        else:
            gap_s = min(now_s - self._last_s, _MAX_GAP_S)
        self._last_s = now_s
        self._credit_bytes += self._bytes_per_s * gap_s
        # The small term undoes the rounding of times such as 1/30 s.
        return RateDecision(math.floor(self._credit_bytes + 1e-3), None)

    def on_sent(self, size_bytes: int, now_s: float, unlogged_bytes: int = 0) -> None:
        """What a frame leaves unused is not carried over; what it took too much is."""
        self._credit_bytes = min(self._credit_bytes - size_bytes, 0.0)


def code_of(index: float) -> int:
    """The rate code, 0 to 64, of a rate index in [0, 1]."""
    return round(min(max(index, 0.0), 1.0) * RATE_CODES)


def index_of(code: int) -> float:
    """The rate index in [0, 1] of a rate code."""
    return code / RATE_CODES
