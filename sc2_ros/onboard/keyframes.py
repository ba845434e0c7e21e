# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When a frame is to need no other, for listeners that send no feedback and for recordings.

Stations need none of this: one that holds nothing says so, and the next frame is whole.

    once a period (`refresh.period_s`, 10 s), counted from the last one that all stations held
    once a second at most
    in between, as soon as it makes the stream no more than 5 % larger

With a period of 1 s a silent listener sees a whole picture within a second, whatever it costs.
"""

from __future__ import annotations

import math
from collections.abc import Container
from dataclasses import dataclass

LEAST_S = 1.0
MOST_S = 10.0
SHARE = 0.05
_CODES_PER_DOUBLING = 16.0
"""So many rate codes double a frame, about: frames of a budget differ in their code instead."""


@dataclass
class _Whole:
    """A frame that needed no other, and what was sent after it."""

    frame: int
    code: int
    size_bytes: int
    sent_s: float
    held: bool = False
    frames: int = 0
    bytes_after: int = 0
    codes_after: int = 0

    def extra_bytes(self) -> float:
        """What another one would take more than a predicted frame, at the latter's rate."""
        doublings = (self.codes_after / self.frames - self.code) / _CODES_PER_DOUBLING
        return self.size_bytes * math.pow(2.0, doublings) - self.bytes_after / self.frames


class RefreshPolicy:
    """Counts what a frame that needs no other costs; a pure function of frames and time."""

    def __init__(self) -> None:
        self.period_s = MOST_S
        self._whole: _Whole | None = None
        self._held_s: float | None = None

    @property
    def newest(self) -> int | None:
        """Number of the last frame that needed no other."""
        return None if self._whole is None else self._whole.frame

    def request(self) -> None:
        """Somebody has begun to listen or to record: the next frame is to need no other."""
        self._whole = None

    def on_encoded(
        self, frame: int, code: int, size_bytes: int, now_s: float, *, predicted: bool
    ) -> None:
        """Enter a frame that was coded, and whether any of it was predicted."""
        whole = self._whole
        if not predicted or whole is None:
            self._whole = _Whole(frame, code, size_bytes, now_s)
            return
        whole.frames += 1
        whole.bytes_after += size_bytes
        whole.codes_after += code

    def is_due(self, held: Container[int], now_s: float) -> bool:
        """Whether the next frame is to need no other; `held` are frames that all stations hold."""
        whole = self._whole
        if whole is None:
            return True
        if not whole.held and whole.frame in held:
            whole.held, self._held_s = True, whole.sent_s
        elapsed_s = now_s - whole.sent_s
        if elapsed_s < 0:  # the clock was set back
            return True
        if elapsed_s < LEAST_S or not whole.frames:
            return False
        if self._held_s is None or not 0 <= now_s - self._held_s < self.period_s:
            return True
        return whole.extra_bytes() <= SHARE * whole.bytes_after
