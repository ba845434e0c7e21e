# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When the stream info packet, which carries a stream's frame_id, is sent; a pure function of time.

With the first frame, then after 1, 2, 4 and every 8 s; every 8 s from the start where the ground's
feedback says that it knows the frame_id: a packet of a camera before which nothing moves has 11
bytes, and at 10 frames per second one stream info packet a second would add 3 bytes to each. A
keyframe, at which a recording may be cut, is accompanied unless stream info was sent within the
last second. The schedule begins anew when the frame_id changes or somebody begins to listen.
"""

from __future__ import annotations

FIRST_S, LAST_S = 1.0, 8.0


class InfoSchedule:
    """Remembers which frame_id was sent, and when."""

    def __init__(self) -> None:
        """Nothing has been sent."""
        self._frame_id = ""
        self._sent_s: float | None = None
        self._wait_s = FIRST_S

    def restart(self) -> None:
        """Somebody has begun to listen: it is due with the next frame."""
        self._sent_s = None

    def on_known(self) -> None:
        """The ground knows it: from here on it is for listeners that send no feedback."""
        self._wait_s = LAST_S

    def on_unknown(self) -> None:
        """The ground asks for it."""
        self._wait_s = FIRST_S

    def is_due(self, frame_id: str, now_s: float, *, keyframe: bool) -> bool:
        """Whether a frame with that frame_id is to be accompanied; keyframe: whether it is one."""
        if self._sent_s is None or frame_id != self._frame_id:
            return True
        return not 0 <= now_s - self._sent_s < (FIRST_S if keyframe else self._wait_s)

    def on_sent(self, frame_id: str, now_s: float) -> None:
        """It was sent."""
        anew = self._sent_s is None or frame_id != self._frame_id
        self._wait_s = FIRST_S if anew else min(2 * self._wait_s, LAST_S)
        self._frame_id, self._sent_s = frame_id, now_s
