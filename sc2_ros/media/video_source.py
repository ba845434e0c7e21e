# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video file as a frame source, read with PyAV (ffmpeg)."""

from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from sc2_ros.errors import InputError
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame, Thinner

GREY_FORMATS = {"gray", "gray10le", "gray12le", "gray16le", "gray16be"}


class VideoSource(FrameSource):
    """The first video stream of a file; stamps are the file's presentation times."""

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        self._path, self._limit_fps = path, fps
        self.name = path.name
        try:
            with av.open(str(path)) as container:
                if not container.streams.video:
                    raise InputError(f"{path} has no video stream; give {KINDS}")
                stream = container.streams.video[0]
                file_fps = float(stream.average_rate or stream.guessed_rate or 0)
        except (av.FFmpegError, OSError, ValueError) as error:
            raise InputError(f"{path} is not a video that ffmpeg can read; give {KINDS}") from error
        file_fps = file_fps if 0 < file_fps < 1000 else 25.0
        self.fps = min(file_fps, fps) if fps else file_fps

    def __iter__(self) -> Iterator[SourceFrame]:
        thinner = Thinner(self._limit_fps)
        count, last_ns = 0, -1
        try:
            with av.open(str(self._path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for frame in container.decode(stream):
                    stamp_ns = self._stamp_ns(frame, count, last_ns)
                    count, last_ns = count + 1, stamp_ns
                    if thinner.keep(stamp_ns):
                        pixels = "gray" if frame.format.name in GREY_FORMATS else "rgb24"
                        image = frame.to_ndarray(format=pixels).astype(np.uint8, copy=False)
                        yield SourceFrame(image, stamp_ns, "camera")
        except av.FFmpegError as error:
            if count == 0:
                raise InputError(f"no frame of {self._path} can be decoded ({error})") from error
            # A cut-off recording is still good up to where it was cut.
        if count == 0:
            raise InputError(f"{self._path} holds no frames")

    def _stamp_ns(self, frame: av.VideoFrame, count: int, last_ns: int) -> int:
        if frame.time is None:
            return round(count * 1e9 / self.fps)
        return max(round(frame.time * 1e9), last_ns + 1)
