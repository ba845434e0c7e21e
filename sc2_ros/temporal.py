# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The drone's choice of what a frame is predicted from.

::

    picture -> thumbnail -> motion since the newest frame that all stations hold
                         -> origin of the grid -> encoder -> latent -> Prediction
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sc2_ros import motion
from sc2_ros.codec.packet import Geometry
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.references import WINDOW, Reference, ReferenceWindow
from sc2_ros.imaging import Image
from sc2_ros.link.acknowledgements import Acknowledgements
from sc2_ros.link.feedback import Feedback

REFRESH_S = 10.0
"""So often a frame needs no other, for recordings and for listeners that send no feedback."""


@dataclass(frozen=True, eq=False)
class Choice:
    """How to lay a frame's grid, and the frame to predict it from, if any."""

    geometry: Geometry
    reference: Reference | None = None
    motion: Motion = field(default_factory=Motion)


class ReferenceKeeper:
    """Keeps what was sent and what came back about it."""

    def __init__(self) -> None:
        self._acknowledgements = Acknowledgements()
        self._sent = ReferenceWindow()
        self._thumbnails: dict[int, motion.Thumbnail] = {}
        self._thumbnail: motion.Thumbnail | None = None
        self._refreshed_s: float | None = None

    def on_feedback(self, feedback: Feedback, now_s: float) -> bool:
        """Enter a feedback message; whether the rate control should heed it."""
        return self._acknowledgements.on_feedback(feedback, now_s)

    def choose(self, image: Image, geometry: Geometry, frame: int, now_s: float) -> Choice:
        """The choice for a picture, uint8 (H, W[, 3]) at its encoded size.

        geometry: its sizes, with the origin at (0, 0). frame: its number.
        """
        self._thumbnail = motion.thumbnail(image)
        reference = self._newest(geometry, frame, now_s)
        if reference is None:
            return Choice(geometry)
        before = self._thumbnails[reference.frame]
        similarity = motion.estimate(before, self._thumbnail)
        origin, moved = motion.align(similarity, reference.geometry)
        placed = Geometry(geometry.encoded_size, geometry.source_size, origin)
        return Choice(placed, reference, moved)

    def on_encoded(self, reference: Reference, predicted: bool, now_s: float) -> None:
        """Keep a frame that was coded, the last one that `choose` saw."""
        self._sent.put(reference)
        if self._thumbnail is not None:
            self._thumbnails[reference.frame] = self._thumbnail
        for number in list(self._thumbnails):
            if self._sent.get(number) is None:
                del self._thumbnails[number]
        if not predicted:
            self._refreshed_s = now_s

    def _newest(self, geometry: Geometry, frame: int, now_s: float) -> Reference | None:
        """The newest frame that all stations hold and that has this one's sizes."""
        if self._refreshed_s is None or not 0 <= now_s - self._refreshed_s < REFRESH_S:
            return None
        sizes = (geometry.encoded_size, geometry.source_size)
        candidates = []
        for number in self._acknowledgements.common(now_s):
            reference, age = self._sent.get(number), (frame - number) & 0xFFFF
            if reference is None or number not in self._thumbnails or not 0 < age <= WINDOW:
                continue
            known = reference.geometry
            if (known.encoded_size, known.source_size) == sizes:
                candidates.append((age, reference))
        return min(candidates, key=lambda item: item[0])[1] if candidates else None
