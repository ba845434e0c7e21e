# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of several stations a drone sends to: the first of its list that answers.

    in use:  first |-- AFTER_S without an answer --| second                 |-- hold --| first
    first:   answers x                               dead ...   answers again ...........

The one in use is left only for one that answers: while the radio itself is down, nothing changes.
A station that comes back has to answer for a while before it is used again, and for longer each
time it has died soon after.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from sc2_ros.link.air.arrival import AirLink, Remote

ASK_AFTER_S = 0.5
"""The station in use has been silent for so long: ask the others whether they are there."""
AFTER_S = 1.0
"""Silence after which another is used: fifteen reports."""
SURE_S = 0.4
"""So long before it has another answered: when the radio is back, all do within less."""
ASK_EVERY_S = 1.0
"""How often a station that comes before the one in use is asked."""
MISSING_S = 2.5 * ASK_EVERY_S
"""Silence of a station that is asked so often after which its answers count anew."""
HOLD_S = 3.0
MOST_HOLD_S = 60.0
SOON_S = 30.0
"""A station that dies so soon after it was taken back has to answer for twice as long."""


class Handover:
    """Sets `used` of a link; a pure function of what the link hears, and of time.

    Args:
        link: knows all the remotes.
        choices: the remotes of each choice, the preferred one first. One that answers is enough.
    """

    def __init__(self, link: AirLink, choices: Sequence[tuple[Remote, ...]]) -> None:
        self._link, self._choices = link, tuple(choices)
        self.place = 0
        """Of the choice in use."""
        self._since_s: float | None = None
        """When it was taken."""
        self._answered: dict[int, float] = {}
        """Since the one in use is silent: when others have answered first."""
        link.used = frozenset(self._choices[0])
        self._asked_s = -math.inf
        self._back: tuple[int, float] | None = None
        """A better choice that answers, and since when."""
        self._hold_s = HOLD_S
        self._returned_s = -math.inf

    def turn(self, now_s: float) -> None:
        """Do what is due; to be called ten times a second or more often."""
        self._since_s = now_s if self._since_s is None else self._since_s
        here = self._choices[self.place]
        silent_s = min(self._link.unanswered_s(remote, now_s) for remote in here)
        silent_s = min(silent_s, now_s - self._since_s)
        if silent_s <= ASK_AFTER_S:
            self._answered.clear()
            if self.place > 0:
                self._look_back(now_s)
            return
        self._ask(len(self._choices), now_s)
        for place in range(len(self._choices)):
            if place != self.place and self._heard_s(place) > now_s - silent_s:
                self._answered.setdefault(place, now_s)
        sure = [place for place, at_s in self._answered.items() if now_s - at_s >= SURE_S]
        if sure and silent_s > AFTER_S:
            self._leave(min(sure), now_s)

    def _leave(self, place: int, now_s: float) -> None:
        if place > self.place:
            soon = now_s - self._returned_s < SOON_S
            self._hold_s = min(2 * self._hold_s, MOST_HOLD_S) if soon else HOLD_S
        self._use(place, now_s)

    def _look_back(self, now_s: float) -> None:
        """Return to a better one that has answered for long enough."""
        if now_s - self._asked_s >= ASK_EVERY_S:
            self._asked_s = now_s
            self._ask(self.place, now_s)
        answering = (p for p in range(self.place) if now_s - self._heard_s(p) < MISSING_S)
        place = next(answering, None)
        if place is None:
            self._back = None
        elif self._back is None or self._back[0] != place:
            self._back = (place, now_s)
        elif now_s - self._back[1] >= self._hold_s:
            self._use(place, now_s)
            self._returned_s = now_s

    def _ask(self, end: int, now_s: float) -> None:
        """Ask those before `end` that owe no answer; the link asks the others again by itself."""
        for place, choice in enumerate(self._choices[:end]):
            for remote in choice:
                if place != self.place and self._link.unanswered_s(remote, now_s) == 0.0:
                    self._link.ask(remote, now_s)

    def _use(self, place: int, now_s: float) -> None:
        self.place, self._since_s, self._back = place, now_s, None
        self._answered.clear()
        self._link.used = frozenset(self._choices[place])

    def _heard_s(self, place: int) -> float:
        return max(self._link.heard_s(remote) for remote in self._choices[place])
