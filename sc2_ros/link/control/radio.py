# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the radio says of itself: a falling signal lowers the rate before the queue can grow.

    signal (dB) -> fall below its own recent best -> cap on the rate, for some seconds

Fast down, never up: a strong signal proves no capacity, and a weak one that lasts has been measured
by then. So the cap ebbs away as the signal's recent best sinks to what it is.
"""

from __future__ import annotations

import math

FORGET_S = 2.0
"""Time constant with which the recent best sinks: the controller has measured the link by then."""
SILENCE_S = 3.0
"""A radio that has said nothing for so long does not count."""
DEAD_BAND_DB = 4.0
"""Smaller falls are fading and noise."""
HALVING_DB = 6.0
"""A fall by so much more halves the rate; near the edge of its range a radio loses a bit per symbol
for every 3 dB, of two to four."""
LEAST_SHARE = 0.25
_SIK_STEPS_PER_DB = 1.9
_UNKNOWN = 255


class RadioHint:
    """Turns a signal, in dB of whatever reference, into a cap; a pure function of it and time."""

    def __init__(self) -> None:
        self._signal_db: float | None = None
        self._best_db = 0.0
        self._heard_s = 0.0
        self._before_bps: float | None = None

    def on_signal(self, signal_db: float, now_s: float) -> None:
        """Enter the signal (or its margin over the noise) at ``now_s``; NaN and inf are ignored."""
        if not math.isfinite(signal_db):
            return
        if self._signal_db is None or not 0 <= now_s - self._heard_s < SILENCE_S:
            self._best_db = signal_db
        else:
            self._best_db = max(self._best(now_s), signal_db)
        self._signal_db, self._heard_s = signal_db, now_s

    def fall_db(self, now_s: float) -> float:
        """By how much the signal is below its recent best, 0 while the radio is silent."""
        if self._signal_db is None or not 0 <= now_s - self._heard_s < SILENCE_S:
            return 0.0
        return self._best(now_s) - self._signal_db

    def share(self, target_bps: float, now_s: float) -> float:
        """Share of ``target_bps``, the controller's own target, that may be used: 0.25 to 1.

        The cap is a share of the target *before* the fall, so that a controller that has followed
        by itself is not cut twice.
        """
        fall_db = self.fall_db(now_s) - DEAD_BAND_DB
        if fall_db <= 0 or self._before_bps is None:
            self._before_bps = target_bps
            return 1.0
        cap_bps = self._before_bps * max(2 ** (-fall_db / HALVING_DB), LEAST_SHARE)
        return min(1.0, max(cap_bps / max(target_bps, 1.0), LEAST_SHARE))

    def _best(self, now_s: float) -> float:
        assert self._signal_db is not None
        above_db = self._best_db - self._signal_db
        return self._signal_db + above_db * math.exp(-(now_s - self._heard_s) / FORGET_S)


def radio_status_margin(rssi: int, remrssi: int, noise: int, remnoise: int) -> float | None:
    """Margin in dB of MAVLink's RADIO_STATUS; None where the radio does not know it.

    The values are in steps of about 1/1.9 dB (SiK radios), 255 stands for unknown. What counts is
    how well the far side hears the drone (rem...); the near side's reception stands in for it.
    """
    for signal, floor in ((remrssi, remnoise), (rssi, noise)):
        if 0 < signal < _UNKNOWN:
            return (signal - (floor if floor < _UNKNOWN else 0)) / _SIK_STEPS_PER_DB
    return None
