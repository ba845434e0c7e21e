# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How many frames per second are sent: no more than is set, and no more than the ground shows.

A ground station that is slower than the camera skips decoded frames for newer ones. What it skips
has taken its share of the link and of both computers, so frames are better left out before they are
coded: those that are sent then have more bytes each. A busy ground lowers the frame rate, never the
quality, and is never taken for a full link.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sc2_ros.link.feedback import Feedback
from sc2_ros.link.sequence import wrapped_difference


@dataclass(frozen=True)
class ShownConstants:
    """When the ground counts as behind, and what follows."""

    window_s: float = 1.0
    """Seconds over which shown and skipped frames are counted."""
    least_frames: int = 6
    """Frames that are counted at least."""
    behind: float = 0.8
    """Of the frames that it has decoded, of which a ground that is behind shows fewer: one frame
    in six is chance."""
    below: float = 0.95
    """Of the frames per second that it showed, for the next ones: what waits has to drain."""
    most_fall: float = 0.5
    """Of the frames per second that came through, below which the next limit does not lie: a ground
    that stops for a second has shown nothing, and is not slow for that."""
    growth: float = 1.2
    """Of the limit per window, while frames are shown: a moment's trouble is over in seconds."""
    stop_s: float = 1.0
    """Seconds without a decoded frame, after which the link had stopped: what waited on it comes at
    once, and that not all of it is shown says nothing of the ground."""
    stop_intervals: float = 2.0
    """Intervals between frames at the limit that this takes at least."""
    least_fps: float = 1.0
    """Frames per second at least, whatever the ground says."""
    free: float = 1.5
    """Of the frames per second that come through, beyond which a limit limits nothing."""


SHOWN = ShownConstants()
_SLACK = 0.1
_JUMP_BACK_S = 1.0


class FrameRate:
    """Says which of the camera's frames are due."""

    def __init__(self) -> None:
        self.shown_fps: float | None = None
        """Limit by what the ground shows; None while it keeps up."""
        self._max_fps = 0.0
        self._due_s: float | None = None
        self._session: int | None = None
        self._begun_s = self._decoded_s = 0.0
        self._comes_late = False
        """Whether what waited on a link that had stopped is among what is counted."""
        self._decoded = 0
        self._shown_before = 0
        self._newest = 0
        """The newest frame that is counted as decoded."""

    def configure(self, max_fps: float) -> None:
        """Take the limit that is set; 0 is none."""
        self._max_fps = max_fps

    def is_due(self, now_s: float) -> bool:
        """Whether the limits let a frame through now; on average they are met exactly."""
        limits = [fps for fps in (self._max_fps, self.shown_fps) if fps]
        if not limits:
            return True
        fps = min(limits)
        if self._due_s is None or now_s < self._due_s - 1 / fps - _JUMP_BACK_S:
            self._due_s = now_s
        if now_s < self._due_s - _SLACK / fps:
            return False
        # A camera whose frames fall between the due times keeps the limit's average.
        self._due_s = max(self._due_s + 1 / fps, now_s)
        return True

    def on_feedback(self, feedback: Feedback, now_s: float) -> None:
        """The ground has reported which frames it decoded completely, and how many it showed."""
        if feedback.session != self._session:
            self._session, self.shown_fps = feedback.session, None
            self._newest = feedback.newest_frame
            self._begin(feedback, now_s)
            return
        stopped = self._count(feedback, now_s)
        seconds = now_s - self._begun_s
        if stopped or seconds < 0:  # or the clock was set back
            self._comes_late = stopped
            self._begin(feedback, now_s)
            return
        if seconds < SHOWN.window_s or self._decoded < SHOWN.least_frames:
            return
        shown = (feedback.frames_decoded - self._shown_before) & 0xFFFF
        if self._comes_late:
            self._comes_late = False
        elif shown < SHOWN.behind * self._decoded:
            fps = max(SHOWN.below * shown, SHOWN.most_fall * self._decoded) / seconds
            self.shown_fps = max(fps, SHOWN.least_fps)
        elif self.shown_fps is not None:
            if self.shown_fps > SHOWN.free * self._decoded / seconds:
                self.shown_fps = None
            else:
                self.shown_fps *= SHOWN.growth ** (seconds / SHOWN.window_s)
        self._begin(feedback, now_s)

    def _begin(self, feedback: Feedback, now_s: float) -> None:
        """Count anew from a report on."""
        self._begun_s = now_s
        self._decoded = 0
        self._shown_before = feedback.frames_decoded

    def _count(self, feedback: Feedback, now_s: float) -> bool:
        """Enter the frames decoded since the report before; whether the link had stopped."""
        new = [f for f in feedback.held if wrapped_difference(f, self._newest) > 0]
        self._decoded += len(new)
        self._newest = max(
            new, key=lambda f: wrapped_difference(f, self._newest), default=self._newest
        )
        if not new:
            return False
        least_s = max(SHOWN.stop_s, SHOWN.stop_intervals / (self.shown_fps or math.inf))
        stopped = now_s - self._decoded_s > least_s
        self._decoded_s = now_s
        return stopped
