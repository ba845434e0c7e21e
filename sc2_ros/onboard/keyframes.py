# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When keyframes are sent, for listeners that send no feedback and for recordings.

Stations that send feedback do not depend on it: one that holds no reference says so, and the next
frame is a keyframe.

    once a period (`refresh.period_s`, 10 s), counted from the last one that all stations held
    once a second at most
    in between, as soon as it makes the stream no more than 5 % larger

With a period of 1 s a listener without feedback sees a complete picture within a second, whatever
it costs.
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
class _Keyframe:
    """A keyframe, and what was sent after it."""

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
    """Counts what a keyframe costs; a pure function of frames and time."""

    def __init__(self) -> None:
        self.period_s = MOST_S
        self._keyframe: _Keyframe | None = None
        self._held_s: float | None = None

    @property
    def newest(self) -> int | None:
        """Number of the last keyframe."""
        return None if self._keyframe is None else self._keyframe.frame

    def request(self) -> None:
        """Somebody has begun to listen or to record: the next frame is to be a keyframe."""
        self._keyframe = None

    def on_encoded(
        self, frame: int, code: int, size_bytes: int, now_s: float, *, predicted: bool
    ) -> None:
        """Enter a frame that was coded, and whether any of it was predicted."""
        keyframe = self._keyframe
        if not predicted or keyframe is None:
            self._keyframe = _Keyframe(frame, code, size_bytes, now_s)
            return
        keyframe.frames += 1
        keyframe.bytes_after += size_bytes
        keyframe.codes_after += code

    def is_due(self, held: Container[int], now_s: float) -> bool:
        """Whether the next frame is to be a keyframe; `held` are frames that all stations hold."""
        keyframe = self._keyframe
        if keyframe is None:
            return True
        if not keyframe.held and keyframe.frame in held:
            keyframe.held, self._held_s = True, keyframe.sent_s
        elapsed_s = now_s - keyframe.sent_s
        if elapsed_s < 0:  # the clock was set back
            return True
        if elapsed_s < LEAST_S or not keyframe.frames:
            return False
        if self._held_s is None or not 0 <= now_s - self._held_s < self.period_s:
            return True
        return keyframe.extra_bytes() <= SHARE * keyframe.bytes_after
