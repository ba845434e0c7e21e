# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's view of its link: loss, delay and round trip from what it sent and what it hears."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sc2_ros.link.clock import ClockFilter
from sc2_ros.link.feedback import Feedback
from sc2_ros.link.sequence import wrapped_difference

WINDOW_S = 2.0
_REMEMBERED_PACKETS = 4096


@dataclass(frozen=True)
class LinkStats:
    """Link quality as the drone knows it; ``None`` where nothing has been heard yet.

    Attributes:
        loss: share of the packets of the last two seconds that did not arrive.
        delay_s: one-way delay to the ground, seconds.
        rtt_s: round trip, seconds, without the time that the ground held the echo.
        uncertainty_s: bound on the error of ``delay_s``.
        frames_decoded: frames that the ground decoded whole, in its present session.
        received_kbps: what the ground received over the last two seconds, kbit/s.
    """

    loss: float | None = None
    delay_s: float | None = None
    rtt_s: float | None = None
    uncertainty_s: float | None = None
    frames_decoded: int = 0
    received_kbps: float | None = None


@dataclass(frozen=True)
class _Mark:
    """Cumulative counts at one feedback: sent up to its newest packet, and received."""

    time_s: float
    sent: int
    received: int
    received_bytes: int


class LinkMonitor:
    """Matches feedback with the packets that left; needs no clock but the caller's.

    Loss is the difference of two cumulative counts, so that lost, doubled or reordered feedback
    does not disturb it. A new session of the ground, or feedback on packets that this sender does
    not know (it has itself just started), begins the counts afresh.
    """

    def __init__(self) -> None:
        self.stats = LinkStats()
        self._sent: dict[tuple[int, int], tuple[float, int]] = {}
        self._sent_count = 0
        self._marks: deque[_Mark] = deque()
        self._clock = ClockFilter()
        self._session: int | None = None
        self._number = 0

    def on_sent(self, frame: int, slice_number: int, now_s: float) -> None:
        """Enter that a packet left at ``now_s``."""
        self._sent_count += 1
        key = (frame, slice_number)
        self._sent.pop(key, None)
        self._sent[key] = (now_s, self._sent_count)
        while len(self._sent) > _REMEMBERED_PACKETS:
            del self._sent[next(iter(self._sent))]

    def on_feedback(self, feedback: Feedback, now_s: float) -> bool:
        """Enter a feedback message; False if it is old, a double, or not about our packets."""
        known = self._sent.get((feedback.newest_frame, feedback.newest_slice))
        if known is None or known[0] > now_s:
            return False
        if feedback.session != self._session:
            self._session = feedback.session
            self._marks.clear()
            self._clock = ClockFilter()
        elif wrapped_difference(feedback.number, self._number) <= 0:
            return False
        self._number = feedback.number
        sent_s, sent_count = known
        clock = self._clock.update(sent_s, feedback.arrival_us, feedback.hold_s, now_s)
        mark = _Mark(now_s, sent_count, feedback.packets, feedback.size_bytes)
        # Times that run backwards (a new clock) make the older marks worthless.
        while self._marks and self._marks[-1].time_s > now_s:
            self._marks.pop()
        while len(self._marks) > 1 and self._marks[1].time_s <= now_s - WINDOW_S:
            self._marks.popleft()
        self._marks.append(mark)
        self.stats = LinkStats(
            loss=self._loss(),
            delay_s=clock.delay_s,
            rtt_s=clock.rtt_s,
            uncertainty_s=clock.uncertainty_s,
            frames_decoded=feedback.frames_decoded,
            received_kbps=self._received_kbps(),
        )
        return True

    def _loss(self) -> float | None:
        first, last = self._marks[0], self._marks[-1]
        sent = last.sent - first.sent
        if sent <= 0:
            return self.stats.loss
        received = wrapped_difference(last.received, first.received, bits=32)
        return min(1.0, max(0.0, 1.0 - received / sent))

    def _received_kbps(self) -> float | None:
        first, last = self._marks[0], self._marks[-1]
        seconds = last.time_s - first.time_s
        if seconds <= 0:
            return self.stats.received_kbps
        size_bytes = wrapped_difference(last.received_bytes, first.received_bytes, bits=32)
        return max(0, size_bytes) * 8 / 1000 / seconds
