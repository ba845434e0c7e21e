# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic flight as a frame source: the camera where there is none, with its truth."""

from collections.abc import Iterator

import numpy as np

from sc2_ros.errors import InputError
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.media.frames import FrameSource, SourceFrame, Truth

DEFAULT_SEED = 3
DEFAULT_FPS = 30.0


class SyntheticSource(FrameSource):
    """An endless flight: `synthetic[:seed[:look[:motion]]]`."""

    endless = True

    def __init__(
        self, spec: str, *, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        _, *options = spec.split(":")
        seed, look, motion = (options + ["", "", ""])[:3]
        if len(options) > 3 or not (seed or "0").isdecimal():
            raise InputError(
                f"{spec!r} is not a synthetic flight; give synthetic[:seed[:look[:motion]]]"
            )
        width, height = size or (640, 480)
        self._flight = SyntheticFlight(
            int(seed or DEFAULT_SEED),
            width=width,
            height=height,
            look=look or "rgb",
            motion=motion or "mixed",
        )
        self.name = spec
        self.fps = fps or DEFAULT_FPS

    def __iter__(self) -> Iterator[SourceFrame]:
        index = 0
        while True:
            frame = self._flight.frame(index, fps=self.fps)
            truth = Truth(frame.boxes, frame.labels.astype(np.int64), frame.mask)
            yield SourceFrame(frame.image, round(index * 1e9 / self.fps), "camera", truth)
            index += 1
