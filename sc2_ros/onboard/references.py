# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's choice of what a frame is predicted from.

::

    picture -> thumbnail -> motion since the newest frame that all stations hold
                         -> origin of the grid -> encoder -> latent -> Prediction
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from sc2_ros.codec.frame.reference import Reference, ReferenceWindow
from sc2_ros.codec.wire import Geometry, Motion
from sc2_ros.codec.wire.header import MAX_DISTANCE
from sc2_ros.link.acknowledgements import Acknowledgements
from sc2_ros.link.feedback import Feedback
from sc2_ros.network.imaging import Image
from sc2_ros.onboard import motion
from sc2_ros.onboard.keyframes import RefreshPolicy

_ECHO_S = 1.0


@dataclass(frozen=True, eq=False)
class Choice:
    """How to lay a frame's grid, and the frame to predict it from, if any."""

    geometry: Geometry
    reference: Reference | None = None
    motion: Motion = field(default_factory=Motion)


@dataclass(frozen=True, eq=False)
class _Sent:
    """What else is kept of a frame.

    root: number of the frame, needing no other, from which it can be decoded step by step.
    """

    thumbnail: motion.Thumbnail
    root: int


class ReferenceKeeper:
    """Keeps what was sent and what came back about it."""

    def __init__(self) -> None:
        self._acknowledgements = Acknowledgements()
        self._refresh = RefreshPolicy()
        self._references = ReferenceWindow()
        self._sent: dict[int, _Sent] = {}
        self._thumbnail: motion.Thumbnail | None = None
        self._echoed_s = -math.inf

    def on_feedback(self, feedback: Feedback, now_s: float) -> bool:
        """Enter a feedback message; whether the rate control should heed it."""
        return self._acknowledgements.on_feedback(feedback, now_s)

    def on_echo(self, frame: int, capture_time_ns: int, now_s: float) -> None:
        """The ground has this frame with that capture time, as far as it knows (0: it does not).

        Another one than it was sent with came of a forged packet, and all that is predicted from
        the frame inherits it: the next frame is to be a keyframe, once a second at most.
        """
        known = self._references.get(frame)
        if known is None or capture_time_ns in (0, known.stamp.time_ns):
            return
        if not 0 <= now_s - self._echoed_s < _ECHO_S:
            self._echoed_s = now_s
            self._refresh.request()

    def refresh(self) -> None:
        """The next frame is to be a keyframe."""
        self._refresh.request()

    def set_refresh_period(self, period_s: float) -> None:
        """A keyframe comes at least once in so many seconds."""
        self._refresh.period_s = period_s

    def choose(self, image: Image, geometry: Geometry, frame: int, now_s: float) -> Choice:
        """The choice for a picture, uint8 (H, W[, 3]) at its encoded size.

        geometry: its sizes, with the origin at (0, 0). frame: its number.
        """
        self._thumbnail = motion.thumbnail(image)
        reference = self._newest(geometry, frame, now_s)
        if reference is None:
            return Choice(geometry)
        before = self._sent[reference.frame].thumbnail
        similarity = motion.estimate(before, self._thumbnail)
        if similarity is motion.STILL and motion.is_cut(before, self._thumbnail):
            return Choice(geometry)
        origin, moved = motion.align(similarity, reference.geometry)
        placed = Geometry(geometry.encoded_size, geometry.source_size, origin)
        return Choice(placed, reference, moved)

    def on_encoded(
        self, coded: Reference, used: Reference | None, size_bytes: int, now_s: float
    ) -> None:
        """Keep a frame that was coded, the last one that `choose` saw.

        used: the frame that some of it was predicted from.
        """
        frame = coded.frame
        root = frame if used is None else self._sent[used.frame].root
        self._references.put(coded)
        if self._thumbnail is not None:
            self._sent[frame] = _Sent(self._thumbnail, root)
            self._thumbnail = None
        for number in list(self._sent):
            if self._references.get(number) is None:
                del self._sent[number]
        self._refresh.on_encoded(frame, coded.code, size_bytes, now_s, predicted=used is not None)

    def _newest(self, geometry: Geometry, frame: int, now_s: float) -> Reference | None:
        """The newest frame that all stations hold and that has this one's sizes.

        Once they hold the last frame that needed no other, only what was predicted from it, step by
        step, counts: who began to listen there can decode everything from then on.
        """
        held = self._acknowledgements.common(now_s)
        if self._refresh.is_due(held, now_s):
            return None
        sizes = (geometry.encoded_size, geometry.source_size)
        candidates = []
        for number in held:
            reference, age = self._references.get(number), (frame - number) & 0xFFFF
            if reference is None or number not in self._sent or not 0 < age <= MAX_DISTANCE:
                continue
            known = reference.geometry
            if (known.encoded_size, known.source_size) == sizes:
                stale = self._sent[number].root != self._refresh.newest
                candidates.append((stale, age, reference))
        return min(candidates, key=lambda item: item[:2])[2] if candidates else None
