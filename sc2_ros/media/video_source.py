# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A video file as a frame source, read with PyAV (ffmpeg)."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import av
import numpy as np

from sc2_ros.errors import InputError
from sc2_ros.media.encodings import Gains, Image
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame, Thinner, readable

DEEP_GREY = {f"gray{bits}{end}" for bits in (9, 10, 12, 14, 16) for end in ("le", "be")}
"""Pixel formats of thermal cameras, whose samples need a tone curve to become 8 bits."""
RESTART_NS = 200_000_000
"""How far time stamps go back where they begin anew; less is frames out of order."""


class VideoSource(FrameSource):
    """The first video stream of a file, upright; stamps are the file's presentation times.

    Where they begin anew, as in files that were joined, they go on from the frame before. Packets
    that cannot be decoded are left out, and a warning tells how many. Grey of more than 8 bits
    becomes 8 as in a folder of images.
    """

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
        self._file_fps = file_fps if 0 < file_fps < 1000 else 25.0
        self.fps = min(self._file_fps, fps) if fps else self._file_fps

    def __iter__(self) -> Iterator[SourceFrame]:
        return readable(self._path, self._frames())

    def _frames(self) -> Iterator[Callable[[], SourceFrame]]:
        thinner, clock, gains = Thinner(self._limit_fps), _Clock(self._file_fps), Gains()
        failed = False
        for frame in self._decoded():
            if isinstance(frame, InputError):
                failed = True
                yield partial(_fail, frame)
                continue
            stamp_ns = clock.stamp_ns(frame.time)
            if thinner.keep(stamp_ns):
                yield partial(_source_frame, frame, stamp_ns, gains)
        if clock.last_ns is None and not failed:
            raise InputError(f"{self._path} holds no frames")

    def _decoded(self) -> Iterator[av.VideoFrame | InputError]:
        """The frames in the order of their presentation, and an error for each broken packet."""
        count = 0
        try:
            with av.open(str(self._path)) as container:
                stream = container.streams.video[0]
                stream.thread_type = "AUTO"
                for packet in container.demux(stream):
                    try:
                        frames = packet.decode()
                    except av.FFmpegError as error:
                        yield self._lost("the packet", count, error)
                        continue
                    count += len(frames)
                    yield from frames
        except av.FFmpegError as error:
            # A cut-off recording is still good up to where it was cut.
            yield self._lost("the rest", count, error)

    def _lost(self, what: str, count: int, error: av.FFmpegError) -> InputError:
        return InputError(
            f"{what} after frame {count} of {self.name} cannot be decoded ({error.strerror})"
        )


class _Clock:
    """Stamps that only rise, of times that may be missing, stand still or begin anew."""

    def __init__(self, fps: float) -> None:
        self._period_ns = round(1e9 / fps)
        self._offset_ns = 0
        self.last_ns: int | None = None

    def stamp_ns(self, time_s: float | None) -> int:
        """Of a frame's time in seconds; None if the file does not tell it."""
        last_ns = self.last_ns
        next_ns = 0 if last_ns is None else last_ns + self._period_ns
        stamp_ns = next_ns if time_s is None else round(time_s * 1e9) + self._offset_ns
        if last_ns is not None and stamp_ns < last_ns - RESTART_NS:
            self._offset_ns += next_ns - stamp_ns
            stamp_ns = next_ns
        stamp_ns = max(stamp_ns, 0 if last_ns is None else last_ns + 1)
        self.last_ns = stamp_ns
        return stamp_ns


def _source_frame(frame: av.VideoFrame, stamp_ns: int, gains: Gains) -> SourceFrame:
    return SourceFrame(_upright(_picture(frame, stamp_ns, gains), frame), stamp_ns, "camera")


def _picture(frame: av.VideoFrame, stamp_ns: int, gains: Gains) -> Image:
    if frame.format.name in DEEP_GREY:
        samples = frame.to_ndarray().astype(np.uint16, copy=False)  # big-endian ones, too
        return gains.grey(samples, stamp_ns)
    pixels = "gray" if frame.format.name == "gray" else "rgb24"
    return frame.to_ndarray(format=pixels).astype(np.uint8, copy=False)


def _upright(image: Image, frame: av.VideoFrame) -> Image:
    """Turned by the quarters that the file asks for; a phone held upright films lying pictures."""
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(image, quarters)) if quarters else image


def _fail(error: InputError) -> SourceFrame:
    raise error
