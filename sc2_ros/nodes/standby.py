# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a ground station stands in for another one: while nobody else reports to the drone.

    drone's own station:  reports ... reports x                        x back: reports ...
    standby station:      silent              |-- AFTER_S --| works        | silent again

It listens to the drone's feedback topic, which its own station publishes, and only while it works
to the packets: until then the radio carries nothing for it. Where the radio is a socket, the drone
chooses its station (link/air/handover.py), and this one works while packets come.
"""

from __future__ import annotations

import math
import threading
from collections import deque

from sc2_ros.link.air import wire
from sc2_ros.nodes.diagnostics import SLOWEST_S

AFTER_S = 1.0
"""Seconds without a report of another station: fifteen reports, and as long as the drone waits."""
STAYS_S = 3.0
"""Seconds without a packet after which a drone that chooses itself has gone to another station."""
_OWN = 64
_GAPS = 8
_SEALED_REPORT = bytes([wire.SEALED | wire.Channel.FEEDBACK])


class Standby:
    """The state of one drone; a pure function of reports and time. Any thread may call."""

    def __init__(self, now_s: float, sealed: bool = False) -> None:
        """With a key (`sealed`) the topic carries calls and questions, too, which are no reports.

        A station that hears nothing of its drone calls it without end.
        """
        self._heard_s = now_s
        self._sealed = sealed
        self._own: deque[bytes] = deque(maxlen=_OWN)
        self._lock = threading.Lock()

    def on_sent(self, report: bytes) -> None:
        """This station publishes a report, and will hear it itself."""
        with self._lock:
            self._own.append(report)

    def on_report(self, report: bytes, now_s: float) -> None:
        """A message was heard on the drone's feedback topic."""
        if self._sealed and not report.startswith(_SEALED_REPORT):
            return
        with self._lock:
            if report not in self._own:
                self._heard_s = now_s

    def works(self, now_s: float) -> bool:
        """Whether nobody else has reported for AFTER_S."""
        with self._lock:
            return now_s - self._heard_s > AFTER_S


class Called:
    """The state of one drone that chooses its station itself. Any thread may call."""

    def __init__(self) -> None:
        self._heard_s = -math.inf
        self._gaps_s: deque[float] = deque(maxlen=_GAPS)

    def on_packet(self, now_s: float) -> None:
        """The drone has sent one here."""
        if now_s - self._heard_s <= SLOWEST_S:
            self._gaps_s.append(now_s - self._heard_s)
        self._heard_s = now_s

    def works(self, now_s: float) -> bool:
        """Whether packets have come within STAYS_S, or within two periods of a slow camera."""
        longest_s = max(tuple(self._gaps_s), default=0.0)
        return now_s - self._heard_s <= max(STAYS_S, 2 * longest_s)
