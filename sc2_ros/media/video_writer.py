# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A sink that writes frames to an H.264 MP4 which every player and browser opens."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError
from sc2_ros.media.closing import Closing

TICKS_PER_S = 90_000
LONGEST_STEP_S = 60.0
"""From one frame to the next: a clock was set, and MP4 has no room for 2**32 ticks."""


class VideoWriter(Closing):
    """Frames uint8 RGB (H, W, 3) with their times in seconds -> MP4, H.264, yuv420p.

    The first frame sets the size; later ones must have it too. Odd sizes lose their last row or
    column, which yuv420p cannot carry. Times keep their uneven spacing, so that a stall of the
    stream is a stall of the video, up to LONGEST_STEP_S.
    """

    def __init__(self, path: Path | str, *, fps: float = 30.0, quality: int = 23) -> None:
        self.path = Path(path)
        self._fps = max(1, round(fps))
        self._quality = quality
        self._container: av.container.OutputContainer | None = None
        self._stream: av.VideoStream | None = None
        self._last_s = 0.0
        self._video_s = 0.0
        self._last_tick = -1
        self.frames = 0

    def write(self, image: npt.NDArray[np.uint8], time_s: float) -> None:
        """Append a frame; one that is not later than the last one comes right behind it."""
        height, width = image.shape[0] // 2 * 2, image.shape[1] // 2 * 2
        if self._stream is None:
            self._open(width, height)
            self._last_s = time_s
        assert self._container is not None
        assert self._stream is not None
        if (width, height) != (self._stream.width, self._stream.height):
            raise InputError(
                f"a frame of {width}x{height} does not fit into {self.path}, which is "
                f"{self._stream.width}x{self._stream.height}"
            )
        frame = av.VideoFrame.from_ndarray(
            np.ascontiguousarray(image[:height, :width]), format="rgb24"
        )
        self._video_s += min(max(time_s - self._last_s, 0.0), LONGEST_STEP_S)
        self._last_s = time_s
        tick = max(round(self._video_s * TICKS_PER_S), self._last_tick + 1)
        frame.pts, frame.time_base = tick, Fraction(1, TICKS_PER_S)
        self._last_tick = tick
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def _open(self, width: int, height: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._container = av.open(str(self.path), "w", options={"movflags": "+faststart"})
        options = {"crf": str(self._quality), "preset": "veryfast"}
        stream = self._container.add_stream("libx264", rate=self._fps, options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, TICKS_PER_S)
        # One thread: encoding must not take the cores from the nodes that it watches.
        stream.thread_count = 1
        self._stream = stream

    def close(self) -> None:
        """Write what is still in the encoder and the index; the file is whole only after this."""
        if self._container is None or self._stream is None:
            return
        self._container.mux(self._stream.encode(None))
        self._container.close()
        self._container = self._stream = None
