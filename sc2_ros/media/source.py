# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One way to open anything that gives camera frames: `open_source(spec)`.

    synthetic[:seed]      a procedural flight with exact boxes and masks
    video.mp4             anything ffmpeg reads
    folder/               images, in the order of their names, or a clip that was rendered (clip.py)
    bag/ x.mcap x.db3     a ROS 2 bag with an Image or a CompressedImage topic
    0                     a camera by its number

Every kind is a file of its own beside this one.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sc2_ros.errors import InputError
from sc2_ros.media.bag import is_bag
from sc2_ros.media.bag_source import BagSource
from sc2_ros.media.camera_source import CameraSource
from sc2_ros.media.clip import ClipSource, is_clip
from sc2_ros.media.folder_source import FolderSource
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame, resized
from sc2_ros.media.synthetic_source import SyntheticSource


def open_source(
    spec: str,
    *,
    size: tuple[int, int] | None = None,
    fps: float | None = None,
    topic: str | None = None,
    loop: bool = False,
) -> FrameSource:
    """Open what `spec` names (see the top of this file).

    Args:
        spec: a path, a camera number or `synthetic[:seed]`.
        size: (width, height) in px that frames are brought to; None leaves them as they are.
        fps: a recording is thinned to at most this rate; a folder or the flight is played at it.
        topic: the image topic of a bag that has several.
        loop: start again at the end, with stamps that go on.

    Raises:
        InputError: there is no such thing, or it cannot be read.
    """
    if size is not None and min(size) < 1:
        raise InputError(f"a frame size of {size[0]}x{size[1]} is not possible; give WIDTHxHEIGHT")
    if fps is not None and fps <= 0:
        raise InputError(f"a frame rate of {fps:g} is not possible; give a number above 0")
    source = _open_kind(spec, size, fps, topic)
    if size is not None:
        source = _Resized(source, size)
    if loop:
        source = _Looped(source)
    return source


def _open_kind(
    spec: str, size: tuple[int, int] | None, fps: float | None, topic: str | None
) -> FrameSource:
    spec = str(spec).strip()
    path = path_of(spec)
    if path is None and spec.isdecimal():
        return CameraSource(int(spec), size=size, fps=fps)
    if path is None:
        return SyntheticSource(spec, size=size, fps=fps)
    if not spec or not path.exists():
        raise InputError(f"there is no input {spec!r}; give {KINDS}")
    if is_bag(path):
        return BagSource(path, topic=topic, fps=fps)
    if path.is_dir():
        if is_clip(path):
            return ClipSource(path)
        return FolderSource(path, fps=fps)
    # PyAV is no part of the base, which plays everything else.
    from sc2_ros.media.video_source import VideoSource

    return VideoSource(path, fps=fps)


def path_of(spec: str) -> Path | None:
    """The file or folder that `spec` names; None for a flight and for a camera."""
    spec = spec.strip()
    if spec == "synthetic" or spec.startswith("synthetic:"):
        return None
    path = Path(spec).expanduser()
    return None if spec.isdecimal() and not path.exists() else path


class _Resized(FrameSource):
    """Frames of another source, brought to one size, truth included."""

    def __init__(self, source: FrameSource, size: tuple[int, int]) -> None:
        self._source, self._size = source, size
        self.name, self.fps, self.endless = source.name, source.fps, source.endless

    def __iter__(self) -> Iterator[SourceFrame]:
        for frame in self._source:
            yield resized(frame, self._size)

    def close(self) -> None:
        self._source.close()


class _Looped(FrameSource):
    """The frames of another source again and again, with stamps that go on."""

    endless = True

    def __init__(self, source: FrameSource) -> None:
        self._source = source
        self.name, self.fps = source.name, source.fps

    def __iter__(self) -> Iterator[SourceFrame]:
        offset_ns = 0
        while True:
            first_ns = last_ns = None
            for frame in self._source:
                first_ns = frame.time_ns if first_ns is None else first_ns
                last_ns = frame.time_ns
                yield replace(
                    frame,
                    stamp_ns=frame.stamp_ns + offset_ns,
                    played_ns=frame.time_ns + offset_ns,
                )
            if first_ns is None or last_ns is None:
                return
            offset_ns += last_ns - first_ns + round(1e9 / self.fps)

    def close(self) -> None:
        self._source.close()
