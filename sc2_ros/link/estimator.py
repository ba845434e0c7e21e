# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the link does, from what was sent and what the ground reports.

on_packet (frame, slice, bytes, time) -> SentLog --+
                                                   +-> one-way times -> DelayFilter
on_feedback (arrivals, cumulative counts) ---------+-> marks -> rate passed, loss
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

from sc2_ros.link.delay import DelayFilter, Rates
from sc2_ros.link.feedback import Feedback, FrameReport
from sc2_ros.link.sent import SentLog
from sc2_ros.link.sequence import wrapped_difference

RATE_WINDOW_S = 0.35
LOSS_WINDOW_S = 1.0
MOST_S = 30.0
"""How soon the most that the link has carried is forgotten."""

_OLDEST_AGE_S = 6.5
_JUMP_BACK_S = 1.0
_OLD_S = 2.0
"""After so long with nothing but old numbers they are no stragglers: the ground counts anew."""
_BITMAP_SLICES = 16
_SAMPLED_FRAMES = 64


class LinkEstimate(NamedTuple):
    """The link at one feedback.

    Attributes:
        queue_s: queueing delay of the packets that came last, seconds.
        overdue_s: at least so long has a packet waited that has not come yet, seconds; 0 if none.
        gradient: slope of the queueing delay, s/s.
        jitter_s: scatter of the delay around that slope, seconds.
        peak_s: largest delay above the base in the last 0.4 s, jitter included.
        passed_bps: bits per second that entered the link, of the packets that came last, lost ones
            included; ``None`` while unknown.
        received_bps: the same without what was lost.
        passing: ``passed_bps`` over the rate at which the same packets left; 1 while unknown.
        clear_s: when, were there no propagation delay, the newest packet that came had passed the
            link; if the next one is overdue, when that was last seen.
        loss: share of the packets of the last second that were lost.
        loss_packets: packets on which ``loss`` rests.
        new_packets: packets sent between the newest one of the feedback before and of this one.
        new_lost: how many of them have not come (negative where stragglers came).
        rtt_s: round trip of the newest packet, without the time the ground held it.
        in_flight_bytes: bytes sent after the newest packet that has come.
        progress: whether a packet came since the feedback before.
    """

    queue_s: float
    overdue_s: float
    gradient: float
    jitter_s: float
    peak_s: float
    passed_bps: float | None
    received_bps: float | None
    passing: float
    clear_s: float
    loss: float
    loss_packets: int
    new_packets: int
    new_lost: int
    rtt_s: float
    in_flight_bytes: int
    progress: bool


class _Mark(NamedTuple):
    """Cumulative counts up to the newest packet, at its arrival (ground clock, unwrapped)."""

    arrival_s: float
    sent_s: float
    sent: int
    sent_bytes: int
    received: int
    received_bytes: int


class _Window:
    """The marks of the last seconds, of which only the first and the last count."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._marks: deque[_Mark] = deque()

    def add(self, mark: _Mark) -> _Mark:
        """Enter a mark; returns the first one of the window, which may be the mark itself."""
        marks = self._marks
        marks.append(mark)
        while len(marks) > 2 and marks[1].arrival_s <= mark.arrival_s - self._seconds:
            marks.popleft()
        return marks[0]

    def clear(self) -> None:
        self._marks.clear()


class LinkEstimator:
    """Reads feedback against what was sent; nothing but the caller's clock is trusted."""

    def __init__(self) -> None:
        self._sent = SentLog()
        self._delay = DelayFilter()
        self._rate_window = _Window(RATE_WINDOW_S)
        self._loss_window = _Window(LOSS_WINDOW_S)
        self._sampled: dict[int, int] = {}
        self._session: int | None = None
        self._number = 0
        self._heard_s = -math.inf
        self._reference_us = 0
        self._last: _Mark | None = None
        self._passed_bps: float | None = None
        self._received_bps: float | None = None
        self._passing = 1.0
        self._most_bps = 0.0
        self._fresh_s = -math.inf

    @property
    def in_flight_bytes(self) -> int:
        """Bytes sent after the newest packet that is known to have come."""
        return self._sent.total_bytes - (self._last.sent_bytes if self._last else 0)

    @property
    def oldest_unheard_s(self) -> float | None:
        """When the packet after the newest one that came was sent; ``None`` if none was."""
        return self._sent.time_of((self._last.sent if self._last else 0) + 1)

    def restart(self, now_s: float) -> None:
        """Measure anew from here: packets sent before say nothing about the queue to come."""
        self._fresh_s = now_s
        self._rate_window.clear()
        self._delay.restart()

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Enter that a packet left at ``now_s``."""
        self._sent.add(frame, slice_number, size_bytes, now_s)

    def on_feedback(self, feedback: Feedback, now_s: float) -> LinkEstimate | None:
        """Enter feedback; ``None`` if it is old, a double, or not about our packets."""
        newest = self._sent.get(feedback.newest_frame, feedback.newest_slice)
        if newest is None or newest.time_s > now_s:
            return None
        is_old = wrapped_difference(feedback.number, self._number) <= 0
        if feedback.session != self._session or (is_old and now_s - self._heard_s > _OLD_S):
            self._begin(feedback, newest.time_s)
        elif is_old:
            return None
        self._number, self._heard_s = feedback.number, now_s
        arrival_s = newest.time_s + self._raw_s(feedback.arrival_us, newest.time_s)
        mark = _Mark(
            arrival_s,
            newest.time_s,
            newest.number,
            newest.total_bytes,
            feedback.packets,
            feedback.size_bytes,
        )
        progress = self._last is None or mark.sent > self._last.sent
        new_packets, new_lost = _difference(self._last or mark, mark)
        self._enter(mark)
        self._sample(feedback, now_s)
        first = self._loss_window.add(mark)
        loss, packets = _loss(first, mark)
        gradient, jitter_s = self._delay.trend()
        queue_s = self._delay.queue_s or 0.0
        overdue_s = self._overdue_s(mark, feedback.hold_s)
        clear_s = newest.time_s + queue_s + (feedback.hold_s if overdue_s > 0 else 0.0)
        base_s = self._delay.base_s
        if newest.time_s < self._fresh_s and base_s is not None:
            # What waited through a stall passes now: its own delay tells when.
            clear_s = mark.arrival_s - base_s + feedback.hold_s
        return LinkEstimate(
            queue_s=queue_s,
            overdue_s=overdue_s,
            gradient=gradient,
            jitter_s=jitter_s,
            peak_s=self._delay.peak_s,
            passed_bps=self._passed_bps,
            received_bps=self._received_bps,
            passing=self._passing,
            clear_s=clear_s,
            loss=loss,
            loss_packets=packets,
            new_packets=new_packets,
            new_lost=new_lost,
            rtt_s=max(0.0, now_s - newest.time_s - feedback.hold_s),
            in_flight_bytes=self.in_flight_bytes,
            progress=progress,
        )

    def _begin(self, feedback: Feedback, sent_s: float) -> None:
        """The ground counts anew, or is heard for the first time."""
        self._session = feedback.session
        self._reference_us = (feedback.arrival_us - round(sent_s * 1e6)) & 0xFFFFFFFF
        self._delay = DelayFilter()
        self._sampled.clear()
        self._loss_window.clear()
        self._rate_window.clear()
        self._last = None
        self._passed_bps = self._received_bps = None
        self._passing = 1.0
        self._most_bps = 0.0

    def _raw_s(self, arrival_us: int, sent_s: float) -> float:
        difference_us = (arrival_us - round(sent_s * 1e6)) & 0xFFFFFFFF
        return wrapped_difference(difference_us, self._reference_us, bits=32) / 1e6

    def _enter(self, mark: _Mark) -> None:
        """Take the rates over the window that ends here."""
        if self._last is not None and mark.arrival_s < self._last.arrival_s - _JUMP_BACK_S:
            self._rate_window.clear()
            self._delay.restart()
        since_s = max(0.0, mark.arrival_s - self._last.arrival_s) if self._last else 0.0
        self._last = mark
        first = self._rate_window.add(mark)
        seconds = mark.arrival_s - first.arrival_s
        if seconds >= RATE_WINDOW_S / 2:
            received = wrapped_difference(mark.received_bytes, first.received_bytes, bits=32)
            self._passed_bps = max(0, mark.sent_bytes - first.sent_bytes) * 8 / seconds
            self._received_bps = max(0, received) * 8 / seconds
            self._passing = max(0.0, mark.sent_s - first.sent_s) / seconds
            self._most_bps = max(self._passed_bps, self._most_bps * math.exp(-since_s / MOST_S))

    def _sample(self, feedback: Feedback, now_s: float) -> None:
        """One-way times of the last packets of the frames that have news."""
        rates = self._rates()
        for report in reversed(feedback.frames):
            last = _last_slice(report)
            if last is None or report.age_s > _OLDEST_AGE_S:
                continue
            if self._sampled.get(report.frame, -1) >= last:
                continue
            packet = self._sent.get(report.frame, last)
            if packet is None or not self._fresh_s <= packet.time_s <= now_s:
                continue
            self._sampled[report.frame] = last
            while len(self._sampled) > _SAMPLED_FRAMES:
                del self._sampled[next(iter(self._sampled))]
            arrival_us = (feedback.arrival_us - round(report.age_s * 1e6)) & 0xFFFFFFFF
            raw_s = self._raw_s(arrival_us, packet.time_s)
            self._delay.add(raw_s, packet.time_s + raw_s, packet.size_bytes, rates, now_s)

    def _rates(self) -> Rates | None:
        if not self._passed_bps or not self._most_bps:
            return None
        return Rates(self._passed_bps, self._most_bps)

    def _overdue_s(self, mark: _Mark, hold_s: float) -> float:
        """How long the second packet after the newest one has waited beyond the base delay.

        The second, since the first may simply be lost. What was sent before a stall ended does not
        count: it tells of the stall.
        """
        base_s, sent_s = self._delay.base_s, self._sent.time_of(mark.sent + 2)
        if base_s is None or sent_s is None or sent_s < self._fresh_s:
            return 0.0
        return max(0.0, mark.arrival_s + hold_s - sent_s - base_s)


def _difference(first: _Mark, last: _Mark) -> tuple[int, int]:
    """Packets sent between two marks, and how many of them were lost."""
    sent = last.sent - first.sent
    return sent, sent - wrapped_difference(last.received, first.received, bits=32)


def _loss(first: _Mark, last: _Mark) -> tuple[float, int]:
    sent, lost = _difference(first, last)
    return (min(1.0, max(0.0, lost / sent)), sent) if sent > 0 else (0.0, 0)


def _last_slice(report: FrameReport) -> int | None:
    """The slice that came last, if slices come in order; ``None`` if it cannot be told."""
    if report.received == report.expected:
        return report.expected - 1
    if report.expected <= _BITMAP_SLICES and report.bitmap:
        return report.bitmap.bit_length() - 1
    return None
