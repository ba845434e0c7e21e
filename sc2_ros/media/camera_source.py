# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera that the operating system knows by a number, read with OpenCV."""

import time
from collections.abc import Iterator

import cv2
import numpy as np

from sc2_ros.errors import InputError
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame

LAST = 2**31 - 1
"""The highest number that OpenCV takes."""
SILENT = 0
"""OpenCV's log level: one sentence of ours is enough where there is no camera."""


class CameraSource(FrameSource):
    """Frames as the camera gives them; the stamp is the wall clock when a frame was grabbed."""

    endless = True

    def __init__(
        self, number: int, *, size: tuple[int, int] | None = None, fps: float | None = None
    ) -> None:
        if number > LAST:
            raise InputError(f"there is no camera {number}; give {KINDS}")
        level = cv2.getLogLevel()
        cv2.setLogLevel(SILENT)
        try:
            self._capture = cv2.VideoCapture(number)
        finally:
            cv2.setLogLevel(level)
        if not self._capture.isOpened():
            raise InputError(
                f"there is no camera {number}, or another program holds it; give {KINDS}"
            )
        if size is not None:
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if fps is not None:
            self._capture.set(cv2.CAP_PROP_FPS, fps)
        # An old frame is worth less than none.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        reported = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = reported if reported > 0 else (fps or 30.0)
        self.name = f"camera {number}"

    def __iter__(self) -> Iterator[SourceFrame]:
        while self._capture.grab():
            stamp_ns, played_ns = time.time_ns(), time.monotonic_ns()
            read, image = self._capture.retrieve()
            if not read:
                break
            if image.ndim == 3:
                image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            image = image.astype(np.uint8, copy=False)
            yield SourceFrame(image, stamp_ns, "camera", played_ns=played_ns)
        raise InputError(f"{self.name} gives no more frames; look at its cable and restart")

    def close(self) -> None:
        """Give the camera back."""
        self._capture.release()
