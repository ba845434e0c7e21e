# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The offset between two clocks and the one-way delay, from echoes alone."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from sc2_ros.link.sequence import wrapped_difference

WINDOW_S = 30.0
_MAX_SAMPLES = 1024


@dataclass(frozen=True)
class ClockEstimate:
    """What the echoes say.

    Attributes:
        rtt_s: the latest round trip, seconds.
        delay_s: the latest one-way delay drone to ground, seconds.
        offset_s: ground clock minus drone clock relative to the first echo, seconds.
        uncertainty_s: bound on the error of offset and delay, seconds.
    """

    rtt_s: float
    delay_s: float
    offset_s: float
    uncertainty_s: float


class ClockFilter:
    """Clock offset from the echo with the shortest round trip in the last half minute.

    With the shortest round trip R_min, the offset is (arrival - sent) - R_min/2 and cannot be wrong
    by more than R_min/2 (the clock filter of NTP, RFC 5905, section 10). Neither clock is trusted
    to be right, only to run evenly over the window.
    """

    def __init__(self) -> None:
        self._reference_us: int | None = None
        self._samples: deque[tuple[float, float, float]] = deque(maxlen=_MAX_SAMPLES)
        """(time, round trip, raw one-way difference), seconds."""

    def update(self, sent_s: float, arrival_us: int, hold_s: float, now_s: float) -> ClockEstimate:
        """Enter an echo: a packet sent at ``sent_s``, there at ``arrival_us``, held, heard now.

        ``arrival_us`` is on the other clock, microseconds modulo 2**32.
        """
        difference_us = (arrival_us - round(sent_s * 1e6)) & 0xFFFFFFFF
        if self._reference_us is None:
            self._reference_us = difference_us
        raw_s = wrapped_difference(difference_us, self._reference_us, bits=32) / 1e6
        rtt_s = max(0.0, now_s - sent_s - hold_s)
        while self._samples and not 0 <= now_s - self._samples[0][0] <= WINDOW_S:
            self._samples.popleft()
        self._samples.append((now_s, rtt_s, raw_s))
        _, best_rtt_s, best_raw_s = min(self._samples, key=lambda sample: sample[1])
        offset_s = best_raw_s - best_rtt_s / 2
        return ClockEstimate(rtt_s, max(0.0, raw_s - offset_s), offset_s, best_rtt_s / 2)
