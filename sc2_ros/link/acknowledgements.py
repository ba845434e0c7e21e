# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which frames every ground station has, as far as the drone knows: what may be predicted from.

Lost feedback only means an older frame. A station that joins or starts again holds nothing, so
nothing is predicted until it does; one that falls silent is no longer waited for.
"""

from __future__ import annotations

from dataclasses import dataclass

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.sequence import wrapped_difference

SILENCE_S = 1.0
"""A station that was not heard for so long is gone: ten messages or more were missed."""
MOST_STATIONS = 16


@dataclass
class _Station:
    session: int
    number: int
    heard_s: float
    held: frozenset[int]


class Acknowledgements:
    """Takes every station's feedback; a pure function of feedback and time."""

    def __init__(self) -> None:
        self._stations: dict[int, _Station] = {}
        self._primary: int | None = None

    def on_feedback(self, feedback: Feedback, now_s: float) -> bool:
        """Enter a message; whether it comes from the station that the rate control follows.

        That is the one heard first, until it falls silent.
        """
        self._forget(now_s)
        known = self._stations.get(feedback.station)
        old = known is not None and feedback.session == known.session
        if known is None or not old or wrapped_difference(feedback.number, known.number) > 0:
            if known is None and len(self._stations) >= MOST_STATIONS:
                del self._stations[next(iter(self._stations))]
            self._stations[feedback.station] = _Station(
                feedback.session, feedback.number, now_s, feedback.held
            )
        if self._primary not in self._stations:
            self._primary = feedback.station
        return feedback.station == self._primary

    def common(self, now_s: float) -> frozenset[int]:
        """Numbers of the frames that all stations hold; nothing if there is no station."""
        self._forget(now_s)
        held = [station.held for station in self._stations.values()]
        return frozenset.intersection(*held) if held else frozenset()

    def _forget(self, now_s: float) -> None:
        for number, station in list(self._stations.items()):
            # A clock that was set back makes the times worthless, too.
            if not 0 <= now_s - station.heard_s <= SILENCE_S:
                del self._stations[number]
