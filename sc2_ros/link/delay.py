# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queueing delay, jitter and one-way delay from times on two clocks that need not agree."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class DelayConstants:
    """What the delay filters use."""

    bucket_s: float = 10.0
    """Seconds. A least value is kept for each span of this length."""
    buckets: int = 3
    """How many such spans: least values are of the last 20 to 30 s (LEDBAT, RFC 6817, section
    3.4.2, base delay). Longer: a drifting clock counts as queue (50 ppm add 1.5 ms in 30 s)."""
    recent_s: float = 0.1
    """Seconds. The queue is the least delay of so long, free of jitter, which only ever adds (NADA,
    RFC 8698, section 5.1.1, takes a minimum of 15 samples)."""
    jitter_s: float = 0.4
    """Seconds. Window of the jitter and of the peak."""
    most_own_s: float = 0.15
    """Seconds. Most that is taken off a delay for the packet's own bits."""


DELAY = DelayConstants()
_LEAST_SAMPLES = 4
_MOST_SAMPLES = 256


class Least:
    """The least of the tuples entered in the last 20 to 30 s of entries."""

    def __init__(self) -> None:
        self._buckets: deque[tuple[float, float]] = deque(maxlen=DELAY.buckets)
        self._begun_s = 0.0

    def add(self, value: tuple[float, float], now_s: float) -> None:
        """Enter a value; a clock that jumps begins a new span."""
        if not self._buckets or not 0 <= now_s - self._begun_s < DELAY.bucket_s:
            self._buckets.append(value)
            self._begun_s = now_s
        self._buckets[-1] = min(self._buckets[-1], value)

    @property
    def value(self) -> tuple[float, float] | None:
        """The least; ``None`` before the first."""
        return min(self._buckets) if self._buckets else None


class ClockFilter:
    """Offset between the clocks from the echo with the shortest round trip of the last half minute.

    With the shortest round trip R, the offset is (arrival - sent) - R/2 and cannot be wrong by more
    than R/2 (the clock filter of NTP, RFC 5905, section 10). Neither clock is trusted to be right,
    only to run evenly over the window.
    """

    def __init__(self) -> None:
        self._shortest = Least()

    def one_way(self, raw_s: float, rtt_s: float, now_s: float) -> tuple[float, float]:
        """One-way delay of a packet and the bound of its error, both in seconds.

        ``raw_s``: its arrival on the other clock less its departure. ``rtt_s``: its round trip.
        """
        self._shortest.add((rtt_s, raw_s), now_s)
        least = self._shortest.value
        assert least is not None
        least_rtt_s, least_raw_s = least
        return max(0.0, raw_s - least_raw_s + least_rtt_s / 2), least_rtt_s / 2


class _Sample(NamedTuple):
    arrival_s: float
    raw_s: float


class Rates(NamedTuple):
    """What passes the link now, and the most that it has carried lately, bit/s, above zero."""

    passed_bps: float
    most_bps: float


class DelayFilter:
    """Delay above the least of the last half minute; the offset between the clocks cancels."""

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_MOST_SAMPLES)
        self._base = Least()

    def add(
        self, raw_s: float, arrival_s: float, size_bytes: int, rates: Rates | None, now_s: float
    ) -> None:
        """Enter a one-way time, offset included, of a packet that came at ``arrival_s``.

        On a slow link the packet's own bits take longer than those of the packet that made the
        base; with ``rates`` that difference is taken off, since it is no queue.
        """
        self._base.add((raw_s, size_bytes), now_s)
        base = self._base.value
        assert base is not None
        if rates is not None:
            base_s, base_bytes = base
            own_s = 8 * size_bytes / rates.passed_bps - 8 * base_bytes / rates.most_bps
            raw_s -= min(max(own_s, 0.0), DELAY.most_own_s, max(0.0, raw_s - base_s))
        while self._samples and self._samples[-1].arrival_s > arrival_s + 1.0:
            self._samples.pop()  # a clock was set back
        self._samples.append(_Sample(arrival_s, raw_s))

    def restart(self) -> None:
        """Forget the recent past but not the base."""
        self._samples.clear()

    @property
    def base_s(self) -> float | None:
        """Least one-way time of the window, offset included; ``None`` before the first."""
        base = self._base.value
        return base[0] if base else None

    @property
    def queue_s(self) -> float:
        """Queueing delay in seconds, free of jitter; 0 before the first sample."""
        base_s = self.base_s
        if not self._samples or base_s is None:
            return 0.0
        recent_s = self._samples[-1].arrival_s - DELAY.recent_s
        least = self._samples[-1].raw_s
        for number, sample in enumerate(reversed(self._samples)):
            if number > 1 and sample.arrival_s < recent_s:
                break
            least = min(least, sample.raw_s)
        return max(0.0, least - base_s)

    @property
    def peak_s(self) -> float:
        """Largest delay above the base in the last 0.4 s, seconds."""
        base_s = self.base_s
        if not self._samples or base_s is None:
            return 0.0
        first_s = self._samples[-1].arrival_s - DELAY.jitter_s
        peak = -math.inf
        for arrival_s, raw_s in reversed(self._samples):
            if arrival_s < first_s:
                break
            if raw_s > peak:
                peak = raw_s
        return peak - base_s

    @property
    def jitter_s(self) -> float:
        """Scatter of the delay around its least-squares line over arrival time, seconds.

        The line is the trendline filter of Google Congestion Control (draft-ietf-rmcat-gcc-02,
        section 5.3, in the least-squares form that replaced its Kalman filter).
        """
        if len(self._samples) < _LEAST_SAMPLES:
            return 0.0
        last = self._samples[-1]
        count = sum_t = sum_q = sum_tt = sum_tq = sum_qq = 0.0
        for arrival_s, raw_s in reversed(self._samples):
            t, q = arrival_s - last.arrival_s, raw_s - last.raw_s
            if t < -DELAY.jitter_s:
                break
            count += 1
            sum_t += t
            sum_q += q
            sum_tt += t * t
            sum_tq += t * q
            sum_qq += q * q
        spread = count * sum_tt - sum_t * sum_t
        if count < _LEAST_SAMPLES or spread <= 1e-9:
            return 0.0
        slope = (count * sum_tq - sum_t * sum_q) / spread
        rest = sum_qq - sum_q * sum_q / count - slope * (sum_tq - sum_t * sum_q / count)
        return math.sqrt(max(0.0, rest) / count)
