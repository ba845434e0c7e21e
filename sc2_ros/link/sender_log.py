# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's log of its packets: what was sent, what came, round trip, queue and loss.

on_packet (frame, slice, bytes, time) --> packets sent --+
                                                         +--> one-way times --> DelayFilter
on_feedback (arrivals, cumulative counts) ---------------+--> marks --> rate passed, loss
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sc2_ros.link.delay import ClockFilter, DelayFilter, Least, Rates
from sc2_ros.link.feedback import MARKED_WRAP, Feedback, FrameReport
from sc2_ros.link.sequence import wrapped_difference


@dataclass(frozen=True)
class LogConstants:
    """Windows of the sender log."""

    rate_window_s: float = 0.35
    """Seconds. The rate passed is taken over so long: five reports (chosen on the RFC 8867
    scenarios). Longer follows a drop later, shorter is noisier."""
    scarce_bps: float = 250e3
    """bit/s. Below it, what was lost does not count as carried: there a start overflows a queue,
    and what it dropped would take 20 ms too little off for the bits of the base delay's packet."""
    loss_window_s: float = 1.0
    """Seconds. Loss is of the packets sent in so long (GCC, draft-ietf-rmcat-gcc-02, section 6,
    takes that between reports, 1 s in RTCP's default)."""
    most_s: float = 30.0
    """Seconds. Time constant with which the most that the link has carried is forgotten: the window
    of the base delay, which it belongs to."""
    old_s: float = 2.0
    """Seconds. After so long with nothing but old numbers they are no stragglers: the ground counts
    anew."""
    clock_s: float = 0.05
    """Seconds by which arrivals may lie outside of what their round trips allow: scheduling of the
    two computers."""
    most_shown: int = 32
    """Frames by which the shown ones may grow from report to report beyond the packets that left
    meanwhile: those that waited."""
    late_s: float = 0.5
    """Seconds by which a report has waited for the way back, from which on it is of the past: it
    tells nothing of whether the link carries anything now."""
    jump_back_s: float = 1.0
    """Seconds. The ground's clock was set back if arrivals go back by more."""


LOG = LogConstants()
REMEMBERED_PACKETS = 4096
_LONGEST_AGE_S = 6.5
_BITMAP_SLICES = 16
_SAMPLED_FRAMES = 64


class LinkEstimate(NamedTuple):
    """The link at one feedback.

    Attributes:
        queue_s: queueing delay of the packets that came last, seconds.
        overdue_s: at least so long has a packet waited that has not come yet, seconds; 0 if none.
        jitter_s: scatter of the delay, seconds.
        peak_s: largest delay above the base in the last 0.4 s, jitter included.
        passed_bps: bits per second that entered the link, of the packets that came last, lost ones
            included; ``None`` while unknown.
        received_bps: the same without what was lost.
        clear_s: when, were there no propagation delay, the newest packet that came had passed the
            link; if the next one is overdue, when that was last seen.
        loss: share of the packets of the last second that were lost.
        loss_packets: packets on which ``loss`` rests.
        new_packets: packets sent between the newest one of the feedback before and of this one.
        new_lost: how many of them have not come (negative where stragglers came).
        rtt_s: round trip of the newest packet, without the time the ground held it.
        one_way_s: delay of that packet from drone to ground, seconds.
        uncertainty_s: bound on the error of ``one_way_s``, seconds.
        progress: whether a packet came since the feedback before, and lately.
        new_marked: packets with a congestion mark since the feedback before.
    """

    queue_s: float
    overdue_s: float
    jitter_s: float
    peak_s: float
    passed_bps: float | None
    received_bps: float | None
    clear_s: float
    loss: float
    loss_packets: int
    new_packets: int
    new_lost: int
    rtt_s: float
    one_way_s: float
    uncertainty_s: float
    progress: bool
    new_marked: int = 0


class _Sent(NamedTuple):
    """A packet that left: when, how many had left with it, their bytes, its own bytes."""

    time_s: float
    number: int
    total_bytes: int
    size_bytes: int


class _Mark(NamedTuple):
    """Cumulative counts up to the newest packet, at its arrival (ground clock, unwrapped)."""

    arrival_s: float
    sent: int
    sent_bytes: int
    received: int
    received_bytes: int


class SenderLog:
    """Matches feedback with the packets that left; only the caller's clock is trusted.

    Rates and loss are differences of cumulative counts, so lost, doubled or reordered feedback
    costs nothing but time. A new session of the ground begins the counts afresh.
    """

    def __init__(self) -> None:
        self.latest: LinkEstimate | None = None
        """Of the last feedback that was understood."""
        self.is_late = False
        """Whether the last report has waited for the way back."""
        self.overhead_bytes = 0
        """What a packet takes on air beyond its own bytes, in the sizes of `on_packet`."""
        self._count = self._total_bytes = self._payload_bytes = 0
        self._packets: dict[int, _Sent] = {}
        self._times: deque[float] = deque(maxlen=REMEMBERED_PACKETS)
        self._session: int | None = None
        self._number = 0
        self._heard_s: float | None = None
        """When a report was last believed; before the first, when the first packet left."""
        self._ahead = (0, 0)
        self._old = 0
        """Number of the last packet that left before the last restart."""
        self._begin(None, 0)

    @property
    def in_flight_bytes(self) -> int:
        """Bytes sent after the newest packet that is known to have come."""
        return self._total_bytes - (self._last.sent_bytes if self._last else 0)

    @property
    def oldest_unheard_s(self) -> float | None:
        """When the packet after the newest one that came was sent; ``None`` if none was."""
        return self._time_of((self._last.sent if self._last else 0) + 1)

    def restart(self) -> None:
        """Measure anew from here: packets sent before say nothing about the link to come."""
        self._old = self._count
        self._rate_marks.clear()
        self._loss_marks.clear()
        self._delay.restart()

    @property
    def is_restarting(self) -> bool:
        """Whether no packet that left after the last restart is known to have come."""
        return self._old > 0 and (self._last is None or self._last.sent <= self._old)

    def on_packet(self, frame: int, slice_number: int, size_bytes: int, now_s: float) -> None:
        """Enter that a packet left at ``now_s``."""
        if self._heard_s is None:
            self._heard_s = now_s
        self._count += 1
        self._payload_bytes += size_bytes - self.overhead_bytes
        self._total_bytes += size_bytes
        key, packets = frame << 8 | slice_number, self._packets
        if key in packets:
            del packets[key]  # frame numbers wrap: the newest comes last
        packets[key] = _Sent(now_s, self._count, self._total_bytes, size_bytes)
        self._times.append(now_s)
        if len(packets) > REMEMBERED_PACKETS:
            del packets[next(iter(packets))]

    def is_possible(self, feedback: Feedback, now_s: float) -> bool:
        """Whether a report can be true: it is about packets that left, and within what they allow.

        What the last report says is held against it for two seconds, and so is that the ground
        cannot have counted more than was sent: if it still does then, it has not noticed that this
        log began anew.
        """
        newest = self._packets.get(feedback.newest_frame << 8 | feedback.newest_slice)
        if newest is None or newest.time_s > now_s:
            return False
        rtt_s = now_s - newest.time_s - feedback.hold_s
        if rtt_s < -LOG.clock_s:
            return False
        if self._is_unheard(now_s):
            return True
        packets, size_bytes = self._ahead
        if self._payload_bytes < 1 << 32 and (
            feedback.packets > self._count + packets
            or feedback.size_bytes > self._payload_bytes + size_bytes
        ):
            return False
        if feedback.session != self._session:
            return True
        if wrapped_difference(feedback.number, self._number) > 0:
            came, came_bytes = (
                wrapped_difference(count, before, bits=32)
                for count, before in zip(
                    (feedback.packets, feedback.size_bytes), self._came, strict=True
                )
            )
            if came < 0 or came_bytes < 0:
                return False
        shown = wrapped_difference(feedback.frames_decoded, self._shown)
        if not 0 <= shown <= self._count - self._last_sent + LOG.most_shown:
            return False
        # Both packets were under way for at least nothing and at most their round trip.
        later_s = self._raw_s(feedback.arrival_us, newest.time_s) - self._newest_raw_s
        return -self._newest_rtt_s - LOG.clock_s <= later_s <= rtt_s + LOG.clock_s

    def on_feedback(self, feedback: Feedback, now_s: float) -> LinkEstimate | None:
        """Enter feedback; ``None`` if it is old, a double, or not about packets in the log."""
        newest = self._packets.get(feedback.newest_frame << 8 | feedback.newest_slice)
        if newest is None or newest.time_s > now_s:
            return None
        is_old = wrapped_difference(feedback.number, self._number) <= 0
        if self._session is None or self._is_unheard(now_s):
            self._ahead = self._uncounted(feedback, newest)
        if feedback.session != self._session or (is_old and self._is_unheard(now_s)):
            self._begin(feedback.session, feedback.arrival_us - round(newest.time_s * 1e6))
        elif is_old:
            return None
        self._number, self._heard_s = feedback.number, now_s
        self.latest = self._read(feedback, newest, now_s)
        return self.latest

    def _is_unheard(self, now_s: float) -> bool:
        return self._heard_s is not None and now_s - self._heard_s > LOG.old_s

    def _uncounted(self, feedback: Feedback, newest: _Sent) -> tuple[int, int]:
        """Packets and bytes that the ground has counted and this log, which is younger, has not."""
        under_way_bytes = self._total_bytes - newest.total_bytes
        return (
            max(0, feedback.packets - newest.number),
            max(0, feedback.size_bytes + under_way_bytes - self._payload_bytes),
        )

    def _begin(self, session: int | None, reference_us: int) -> None:
        """The ground counts anew, or is heard for the first time."""
        self._session = session
        self._reference_us = reference_us & 0xFFFFFFFF
        self._newest_raw_s = self._newest_rtt_s = 0.0
        self._shown = self._last_sent = 0
        self._marked: int | None = None
        self._came = (0, 0)
        """Packets and their bytes, by the last report."""
        self._delay, self._clock = DelayFilter(), ClockFilter()
        self._back = Least()
        self._sampled: dict[int, int] = {}
        self._rate_marks: deque[_Mark] = deque()
        self._loss_marks: deque[_Mark] = deque()
        self._last: _Mark | None = None
        self._passed_bps: float | None = None
        self._received_bps: float | None = None
        self._most_bps = 0.0

    def _read(self, feedback: Feedback, newest: _Sent, now_s: float) -> LinkEstimate:
        raw_s = self._raw_s(feedback.arrival_us, newest.time_s)
        # Where the network swaps two packets, the last to come is not the last that was sent.
        entered = newest.number, newest.total_bytes
        if self._last is not None:
            entered = max(entered, (self._last.sent, self._last.sent_bytes))
        mark = _Mark(
            newest.time_s + raw_s,
            *entered,
            feedback.packets,
            feedback.size_bytes + feedback.packets * self.overhead_bytes & 0xFFFFFFFF,
        )
        rtt_s = max(0.0, now_s - newest.time_s - feedback.hold_s)
        is_new = self._last is None or mark.sent > self._last.sent
        self.is_late = self._is_late(rtt_s - raw_s, rtt_s, now_s)
        progress = is_new and not self.is_late
        before = mark if self._last is None or self._last.sent <= self._old else self._last
        new_packets, new_lost = _difference(before, mark)
        before_marked, self._marked = self._marked, feedback.marked
        new_marked = 0 if before_marked is None else (self._marked - before_marked) % MARKED_WRAP
        sent, lost = self._enter(mark)
        self._sample(feedback, now_s)
        queue_s, base_s = self._delay.queue_s, self._delay.base_s
        overdue_s = self._overdue_s(mark, feedback.hold_s)
        clear_s = newest.time_s + queue_s + (feedback.hold_s if overdue_s > 0 else 0.0)
        if newest.number <= self._old and base_s is not None:
            # What waited through a stall passes now: its own delay tells when.
            clear_s = mark.arrival_s - base_s + feedback.hold_s
        self._newest_raw_s, self._newest_rtt_s = raw_s, rtt_s
        self._shown, self._last_sent = feedback.frames_decoded, newest.number
        self._came = feedback.packets, feedback.size_bytes
        one_way_s, uncertainty_s = self._clock.one_way(raw_s, rtt_s, now_s)
        return LinkEstimate(
            queue_s=queue_s,
            overdue_s=overdue_s,
            jitter_s=self._delay.jitter_s,
            peak_s=self._delay.peak_s,
            passed_bps=self._passed_bps,
            received_bps=self._received_bps,
            clear_s=clear_s,
            loss=min(1.0, max(0.0, lost / sent)) if sent > 0 else 0.0,
            loss_packets=max(sent, 0),
            new_packets=new_packets,
            new_lost=new_lost,
            rtt_s=rtt_s,
            one_way_s=one_way_s,
            uncertainty_s=uncertainty_s,
            progress=progress,
            new_marked=new_marked,
        )

    def _is_late(self, back_s: float, rtt_s: float, now_s: float) -> bool:
        """Whether a report has waited for the way back.

        ``back_s`` is how long it was under way, less the offset of the clocks: should the ground's
        be set back, the round trip says that there was no wait.
        """
        self._back.add((back_s, 0.0), now_s)
        least = self._back.value
        assert least is not None
        return min(back_s - least[0], rtt_s) > LOG.late_s

    def _time_of(self, number: int) -> float | None:
        """When the packet with that number left, if it did and is remembered."""
        behind = self._count - number
        return self._times[-1 - behind] if 0 <= behind < len(self._times) else None

    def _raw_s(self, arrival_us: int, sent_s: float) -> float:
        """Arrival on the ground's clock less departure, less the first such difference."""
        difference_us = (arrival_us - round(sent_s * 1e6)) & 0xFFFFFFFF
        return wrapped_difference(difference_us, self._reference_us, bits=32) / 1e6

    def _enter(self, mark: _Mark) -> tuple[int, int]:
        """Take the rates over the window that ends here; returns packets sent and lost in one."""
        last, self._last = self._last, mark
        if last is not None and mark.arrival_s < last.arrival_s - LOG.jump_back_s:
            self._rate_marks.clear()
            self._delay.restart()
        since_s = max(0.0, mark.arrival_s - last.arrival_s) if last else 0.0
        first = _first(self._rate_marks, mark, LOG.rate_window_s)
        seconds = mark.arrival_s - first.arrival_s
        if seconds >= LOG.rate_window_s / 2:
            received = wrapped_difference(mark.received_bytes, first.received_bytes, bits=32)
            self._received_bps = max(0, received) * 8 / seconds
            self._passed_bps = max(0, mark.sent_bytes - first.sent_bytes) * 8 / seconds
            if first.sent <= self._old:
                self._passed_bps = self._received_bps
            kept_bps = self._most_bps * math.exp(-since_s / LOG.most_s)
            is_scarce = self._passed_bps < LOG.scarce_bps
            carried_bps = self._received_bps if is_scarce else self._passed_bps
            self._most_bps = max(carried_bps, kept_bps)
        if mark.sent <= self._old:
            return 0, 0
        return _difference(_first(self._loss_marks, mark, LOG.loss_window_s), mark)

    def _sample(self, feedback: Feedback, now_s: float) -> None:
        """One-way times of the last packets of the frames that have news."""
        rates = None
        if self._passed_bps and self._most_bps:
            rates = Rates(self._passed_bps, self._most_bps)
        for report in reversed(feedback.frames):
            packet = self._last_of(report)
            if packet is None or report.age_s > _LONGEST_AGE_S:
                continue
            if self._sampled.get(report.frame, 0) >= packet.number:
                continue
            if packet.number <= self._old or packet.time_s > now_s:
                continue
            self._sampled[report.frame] = packet.number
            while len(self._sampled) > _SAMPLED_FRAMES:
                del self._sampled[next(iter(self._sampled))]
            arrival_us = (feedback.arrival_us - round(report.age_s * 1e6)) & 0xFFFFFFFF
            raw_s = self._raw_s(arrival_us, packet.time_s)
            self._delay.add(raw_s, packet.time_s + raw_s, packet.size_bytes, rates, now_s)

    def _last_of(self, report: FrameReport) -> _Sent | None:
        """The packet of a frame that came last, if they come as they left; None: not to be told."""
        slices: Sequence[int] = range(report.expected)
        if report.received < report.expected:
            if report.expected > _BITMAP_SLICES:
                return None
            slices = [number for number in slices if report.bitmap >> number & 1]
        keys = (report.frame << 8 | number for number in slices)
        found = [self._packets[key] for key in keys if key in self._packets]
        return max(found, key=lambda packet: packet.number, default=None)

    def _overdue_s(self, mark: _Mark, hold_s: float) -> float:
        """How long the second packet after the newest one has waited beyond the base delay.

        The second, since the first may simply be lost. What was sent before a stall ended does not
        count: it tells of the stall.
        """
        base_s, sent_s = self._delay.base_s, self._time_of(mark.sent + 2)
        if base_s is None or sent_s is None or mark.sent + 2 <= self._old:
            return 0.0
        return max(0.0, mark.arrival_s + hold_s - sent_s - base_s)


def _first(marks: deque[_Mark], mark: _Mark, seconds: float) -> _Mark:
    """Enter a mark; returns the first one of the window that ends with it, or the mark itself."""
    marks.append(mark)
    while len(marks) > 2 and marks[1].arrival_s <= mark.arrival_s - seconds:
        marks.popleft()
    return marks[0]


def _difference(first: _Mark, last: _Mark) -> tuple[int, int]:
    """Packets sent between two marks, and how many of them were lost."""
    sent = last.sent - first.sent
    return sent, sent - wrapped_difference(last.received, first.received, bits=32)
