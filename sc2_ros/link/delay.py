# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Queueing delay and its gradient from one-way times whose clocks need not agree."""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

BASE_BUCKET_S = 10.0
BASE_BUCKETS = 3
SHORT_S = 0.1
MOST_OWN_S = 0.15
GRADIENT_S = 0.4
_MIN_GRADIENT_SAMPLES = 4
_MAX_SAMPLES = 256


class _Sample(NamedTuple):
    arrival_s: float
    raw_s: float


class Rates(NamedTuple):
    """What passes the link now, and the most that it has carried lately, bit/s, above zero."""

    passed_bps: float
    most_bps: float


class DelayFilter:
    """Delay above the smallest of the last half minute (RFC 6817, LEDBAT, section 3.4.2).

    The offset between the clocks cancels in the difference, and a drift of 50 ppm adds 1.5 ms over
    the window. Jitter only ever adds, so the queue is read from the least of the last tenth of a
    second (RFC 8698, NADA, section 5.1.1 filters likewise).
    """

    def __init__(self) -> None:
        self._samples: deque[_Sample] = deque(maxlen=_MAX_SAMPLES)
        self._buckets: deque[tuple[float, int]] = deque(maxlen=BASE_BUCKETS)
        self._bucket_s = 0.0

    def add(
        self, raw_s: float, arrival_s: float, size_bytes: int, rates: Rates | None, now_s: float
    ) -> None:
        """Enter a one-way time, offset included, of a packet that came at ``arrival_s``.

        On a slow link the packet's own bits take longer than those of the packet that made the
        base; with ``rates`` that difference is taken off, since it is no queue.
        """
        if not self._buckets or not 0 <= now_s - self._bucket_s < BASE_BUCKET_S:
            self._buckets.append((raw_s, size_bytes))
            self._bucket_s = now_s
        self._buckets[-1] = min(self._buckets[-1], (raw_s, size_bytes))
        if rates is not None:
            base_bits = 8 * min(self._buckets)[1]
            own_s = 8 * size_bytes / rates.passed_bps - base_bits / rates.most_bps
            raw_s -= min(max(own_s, 0.0), MOST_OWN_S, max(0.0, raw_s - min(self._buckets)[0]))
        while self._samples and self._samples[-1].arrival_s > arrival_s + 1.0:
            self._samples.pop()  # a clock was set back
        self._samples.append(_Sample(arrival_s, raw_s))

    def restart(self) -> None:
        """Forget the recent past but not the base."""
        self._samples.clear()

    @property
    def base_s(self) -> float | None:
        """Smallest one-way time of the window, offset included; ``None`` before the first."""
        return min(self._buckets)[0] if self._buckets else None

    @property
    def queue_s(self) -> float | None:
        """Queueing delay in seconds, free of jitter; ``None`` before the first sample."""
        if not self._samples:
            return None
        recent_s = self._samples[-1].arrival_s - SHORT_S
        least = self._samples[-1].raw_s
        for number, sample in enumerate(reversed(self._samples)):
            if number > 1 and sample.arrival_s < recent_s:
                break
            least = min(least, sample.raw_s)
        return max(0.0, least - min(self._buckets)[0])

    @property
    def peak_s(self) -> float:
        """Largest delay above the base in the gradient's window, seconds."""
        if not self._samples:
            return 0.0
        first_s = self._samples[-1].arrival_s - GRADIENT_S
        peak = -math.inf
        for arrival_s, raw_s in reversed(self._samples):
            if arrival_s < first_s:
                break
            if raw_s > peak:
                peak = raw_s
        return peak - min(self._buckets)[0]

    def trend(self) -> tuple[float, float]:
        """Slope of the delay over arrival time in s/s, and its scatter around it in seconds.

        The trendline filter of Google Congestion Control (draft-ietf-rmcat-gcc-02, section 5.3,
        in the least-squares form that replaced its Kalman filter).
        """
        if len(self._samples) < _MIN_GRADIENT_SAMPLES:
            return 0.0, 0.0
        last = self._samples[-1]
        count = sum_t = sum_q = sum_tt = sum_tq = sum_qq = 0.0
        for arrival_s, raw_s in reversed(self._samples):
            t, q = arrival_s - last.arrival_s, raw_s - last.raw_s
            if t < -GRADIENT_S:
                break
            count += 1
            sum_t += t
            sum_q += q
            sum_tt += t * t
            sum_tq += t * q
            sum_qq += q * q
        spread = count * sum_tt - sum_t * sum_t
        if count < _MIN_GRADIENT_SAMPLES or spread <= 1e-9:
            return 0.0, 0.0
        slope = (count * sum_tq - sum_t * sum_q) / spread
        rest = sum_qq - sum_q * sum_q / count - slope * (sum_tq - sum_t * sum_q / count)
        return slope, math.sqrt(max(0.0, rest) / count)
