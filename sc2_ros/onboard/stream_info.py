# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the stream info packet, which tells a stream's frame_id, is sent; a pure function of time.

With the first frame, after one second, two more, four more, and then every eight; every eight at
once where the ground says that it knows it: of the 17 bytes of a frame in which nothing moves, one
a second would take 3 at 10 frames per second. With a frame that needs no other, from which a
recording may be cut, it is sent unless it was within the last second. Anew where the frame_id is
another, and where somebody begins to listen.
"""

from __future__ import annotations

FIRST_S, LAST_S = 1.0, 8.0


class InfoSchedule:
    """Remembers what was told, and when."""

    def __init__(self) -> None:
        """Nothing has been told."""
        self._frame_id = ""
        self._sent_s: float | None = None
        self._wait_s = FIRST_S

    def restart(self) -> None:
        """Somebody has begun to listen: it is due with the next frame."""
        self._sent_s = None

    def on_known(self) -> None:
        """The ground knows it: from here on it is for those who listen without a word."""
        self._wait_s = LAST_S

    def is_due(self, frame_id: str, now_s: float, *, whole: bool) -> bool:
        """Whether a frame with that frame_id is to be accompanied; whole: it needs no other."""
        if self._sent_s is None or frame_id != self._frame_id:
            return True
        return not 0 <= now_s - self._sent_s < (FIRST_S if whole else self._wait_s)

    def on_sent(self, frame_id: str, now_s: float) -> None:
        """It was sent."""
        anew = self._sent_s is None or frame_id != self._frame_id
        self._wait_s = FIRST_S if anew else min(2 * self._wait_s, LAST_S)
        self._frame_id, self._sent_s = frame_id, now_s
