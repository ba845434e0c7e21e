# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which reports count, and which frames every ground station has: what may be predicted from.

Lost reports only mean an older frame. A station that joins or starts again holds nothing, so
nothing is predicted until it does; one that falls silent is no longer waited for.

Beside a station that reports, another one, a new session or numbers that jump count from their
second report on: a single forged one changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.sequence import wrapped_difference

SILENCE_S = 1.0
"""A station that was not heard for so long is gone: ten messages or more were missed."""
MOST_STATIONS = 16
CONFIRM_S = 0.5
"""Within so long a second report has to follow the first of a station or session."""
CONFIRM_NUMBERS = 8
MOST_HZ = 60.0
"""Reports per second at most (feedback.rate: 50): so fast may numbers advance."""


@dataclass
class _Station:
    session: int
    number: int
    heard_s: float
    held: frozenset[int]

    def goes_on(self, feedback: Feedback, now_s: float) -> bool:
        """Whether a report can be the next that is heard."""
        ahead = wrapped_difference(feedback.number, self.number)
        most = 4 + MOST_HZ * (now_s - self.heard_s)
        return feedback.session == self.session and 0 < ahead <= most

    def is_old(self, feedback: Feedback) -> bool:
        """Whether a report was overtaken, or came twice."""
        ahead = wrapped_difference(feedback.number, self.number)
        return feedback.session == self.session and -CONFIRM_NUMBERS <= ahead <= 0


class Acknowledgements:
    """Takes every station's feedback; a pure function of feedback and time."""

    def __init__(self) -> None:
        self._stations: dict[int, _Station] = {}
        self._waiting: dict[int, _Station] = {}
        """First reports that no second one has confirmed."""
        self._primary: int | None = None

    def on_feedback(self, feedback: Feedback, now_s: float) -> bool:
        """Enter a message; whether it comes from the station that the rate control follows.

        That is the one heard first, until it falls silent.
        """
        self._forget(now_s)
        if not self._is_believed(feedback, now_s):
            return False
        self._waiting.pop(feedback.station, None)
        self._stations[feedback.station] = _of(feedback, now_s)
        if self._primary not in self._stations:
            self._primary = feedback.station
        return feedback.station == self._primary

    def common(self, now_s: float) -> frozenset[int]:
        """Numbers of the frames that all stations hold; nothing if there is no station."""
        self._forget(now_s)
        held = [station.held for station in self._stations.values()]
        return frozenset.intersection(*held) if held else frozenset()

    def _is_believed(self, feedback: Feedback, now_s: float) -> bool:
        known = self._stations.get(feedback.station)
        if known is not None and known.goes_on(feedback, now_s):
            return True
        if known is not None and known.is_old(feedback):
            return False
        if not self._stations:
            return True
        waiting = self._waiting.get(feedback.station)
        if waiting is not None and now_s - waiting.heard_s <= CONFIRM_S:
            ahead = wrapped_difference(feedback.number, waiting.number)
            if feedback.session == waiting.session and 0 < ahead <= CONFIRM_NUMBERS:
                return known is not None or len(self._stations) < MOST_STATIONS
        self._waiting.pop(feedback.station, None)
        if len(self._waiting) >= MOST_STATIONS:
            del self._waiting[next(iter(self._waiting))]
        self._waiting[feedback.station] = _of(feedback, now_s)
        return False

    def _forget(self, now_s: float) -> None:
        for number, station in list(self._stations.items()):
            # A clock that was set back makes the times worthless, too.
            if not 0 <= now_s - station.heard_s <= SILENCE_S:
                del self._stations[number]


def _of(feedback: Feedback, now_s: float) -> _Station:
    return _Station(feedback.session, feedback.number, now_s, feedback.held)
