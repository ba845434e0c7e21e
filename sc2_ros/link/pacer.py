# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Spreads a frame's packets over the time until the next one; the newest frame wins."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

SPREAD = 0.75
"""Share of the frame interval that is used: the rest is slack for a camera that runs early."""


def schedule(packets: Sequence[T], now_s: float, interval_s: float) -> list[tuple[float, T]]:
    """Evenly spread send times in seconds, the first one at once."""
    step_s = max(0.0, interval_s) * SPREAD / max(len(packets), 1)
    return [(now_s + number * step_s, packet) for number, packet in enumerate(packets)]


class Pacer(Generic[T]):
    """Holds the packets that wait for their send time.

    A frame of which nothing has left when the next one comes is dropped whole; one that is partly
    sent is finished at once, since its packets are of use only together.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[float, T]] = deque()
        self._rest = 0
        """So many of the first are of older frames, which have begun."""
        self._begun = False
        """Whether a packet of the newest frame has left."""

    def push(self, packets: Sequence[T], now_s: float, interval_s: float) -> int:
        """Take a frame's packets; returns how many packets of an older frame were dropped."""
        if not packets:
            return 0
        self._rest = len(self._waiting) if self._begun else self._rest
        dropped = len(self._waiting) - self._rest
        rest = [(now_s, packet) for _, packet in list(self._waiting)[: self._rest]]
        self._waiting = deque([*rest, *schedule(packets, now_s, interval_s)])
        self._begun = False
        return dropped

    @property
    def next_s(self) -> float | None:
        """When the next packet is due, in seconds; ``None`` if none waits."""
        return self._waiting[0][0] if self._waiting else None

    def pop(self, now_s: float) -> list[T]:
        """The packets that are due by ``now_s``, in order."""
        due = []
        while self._waiting and self._waiting[0][0] <= now_s:
            due.append(self._waiting.popleft()[1])
        self._begun = self._begun or len(due) > self._rest
        self._rest = max(0, self._rest - len(due))
        return due
