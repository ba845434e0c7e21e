# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One way to open anything that gives camera frames: `open_source(spec)`.

    synthetic[:seed]      a procedural flight with exact boxes and masks
    video.mp4             anything ffmpeg reads
    folder/               images, in the order of their names, or a clip that was rendered (clip.py)
    bag/ x.mcap x.db3     a ROS 2 bag with an Image or a CompressedImage topic
    0                     a camera by its number

Every kind is a file of its own beside this one, imported only when it is asked for.
"""

from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError
from sc2_ros.media.closing import Closing

KINDS = "a video file, a folder of images, a ROS 2 bag, a camera number or synthetic[:seed]"


@dataclass(frozen=True)
class Truth:
    """What is in a frame: boxes float32 (N, 4) xyxy px, labels int (N,), mask uint8 (H, W)."""

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    mask: npt.NDArray[np.uint8] | None


@dataclass(frozen=True)
class SourceFrame:
    """One camera frame: image uint8 RGB (H, W, 3) or grey (H, W), and when it was taken."""

    image: npt.NDArray[np.uint8]
    stamp_ns: int
    frame_id: str
    truth: Truth | None = None


class FrameSource(Closing):
    """Frames one after the other, as fast as they are asked for; pacing is the caller's.

    `fps` is the rate at which they are meant to be shown, `name` is for people. Stamps never go
    back; a recorded source starts at 0 unless it knows when it was recorded (a bag does).
    `endless` says that they never run out: a flight, a camera, whatever is looped.
    """

    name: str
    fps: float
    endless: bool = False

    @abstractmethod
    def __iter__(self) -> Iterator[SourceFrame]:
        """The frames, from the first one."""

    def close(self) -> None:
        """Let go of the device or the file."""


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
        from sc2_ros.media.camera_source import CameraSource

        return CameraSource(int(spec), size=size, fps=fps)
    if path is None:
        from sc2_ros.media.synthetic_source import SyntheticSource

        return SyntheticSource(spec, size=size, fps=fps)
    if not spec or not path.exists():
        raise InputError(f"there is no input {spec!r}; give {KINDS}")
    from sc2_ros.media.bag_source import BagSource, is_bag

    if is_bag(path):
        return BagSource(path, topic=topic, fps=fps)
    if path.is_dir():
        from sc2_ros.media.clip import ClipSource, is_clip

        if is_clip(path):
            return ClipSource(path)
        from sc2_ros.media.folder_source import FolderSource

        return FolderSource(path, fps=fps)
    from sc2_ros.media.video_source import VideoSource

    return VideoSource(path, fps=fps)


def path_of(spec: str) -> Path | None:
    """The file or folder that `spec` names; None for a flight and for a camera."""
    spec = spec.strip()
    if spec == "synthetic" or spec.startswith("synthetic:"):
        return None
    path = Path(spec).expanduser()
    return None if spec.isdecimal() and not path.exists() else path


class Thinner:
    """Decides which frames of a recording to keep so that at most `fps` come a second."""

    def __init__(self, fps: float | None) -> None:
        self._period_ns = 0.0 if fps is None else 1e9 / fps
        self._due_ns: float | None = None

    def keep(self, stamp_ns: int) -> bool:
        """Whether the frame taken at `stamp_ns` is to be kept."""
        if self._due_ns is None or stamp_ns - self._due_ns > self._period_ns:
            self._due_ns = float(stamp_ns)
        # Half a millisecond of grace: stamps of a 30 fps recording are rounded to its time base.
        if stamp_ns < self._due_ns - 5e5:
            return False
        self._due_ns += self._period_ns
        return True


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
                first_ns = frame.stamp_ns if first_ns is None else first_ns
                last_ns = frame.stamp_ns
                yield replace(frame, stamp_ns=frame.stamp_ns + offset_ns)
            if first_ns is None or last_ns is None:
                return
            offset_ns += last_ns - first_ns + round(1e9 / self.fps)

    def close(self) -> None:
        self._source.close()


def resized(frame: SourceFrame, size: tuple[int, int]) -> SourceFrame:
    """`frame` at `size` (width, height) px, with its truth."""
    height, width = frame.image.shape[:2]
    if (width, height) == size:
        return frame
    shrinking = size[0] * size[1] < width * height
    image = cv2.resize(
        frame.image, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    )
    truth = frame.truth
    if truth is not None:
        scale = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        mask = truth.mask
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        truth = replace(truth, boxes=truth.boxes * scale, mask=mask)
    return replace(frame, image=image.astype(np.uint8, copy=False), truth=truth)
