# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every source of camera frames gives: frames with stamps, and perhaps their truth."""

import logging
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError
from sc2_ros.media.closing import Closing
from sc2_ros.network.imaging import resize

KINDS = "a video file, a folder of images, a ROS 2 bag, a camera number or synthetic[:seed]"


@dataclass(frozen=True)
class Truth:
    """What is in a frame: boxes float32 (N, 4) xyxy px, labels int (N,), mask uint8 (H, W)."""

    boxes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64]
    mask: npt.NDArray[np.uint8] | None


@dataclass(frozen=True)
class SourceFrame:
    """One camera frame: image uint8 RGB (H, W, 3) or grey (H, W), and when it was taken.

    `stamp_ns` is what the camera said; of a bag it may go back, or be the same twice. `time_ns` is
    when the frame is played, and only rises.
    """

    image: npt.NDArray[np.uint8]
    stamp_ns: int
    frame_id: str
    truth: Truth | None = None
    played_ns: int | None = None
    """`time_ns`, where it is not the stamp."""

    @property
    def time_ns(self) -> int:
        """When the frame is played, in nanoseconds of the source's clock."""
        return self.stamp_ns if self.played_ns is None else self.played_ns


class FrameSource(Closing):
    """Frames one after the other, as fast as they are asked for; pacing is the caller's.

    `fps` is the rate at which they are meant to be shown, `name` is for people. A
    recorded source starts at 0 unless it knows when it was recorded (a bag does).
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


def readable(path: Path, frames: Iterable[Callable[[], SourceFrame]]) -> Iterator[SourceFrame]:
    """The frames of a recording that can be read; a warning at the end tells how many cannot.

    Raises:
        InputError: none of them can.
    """
    read = unread = 0
    first = ""
    try:
        for make in frames:
            try:
                frame = make()
            except InputError as error:
                first, unread = first or str(error), unread + 1
                continue
            read += 1
            yield frame
    finally:
        if read and unread:
            logging.getLogger(__name__).warning(
                "%s: %d of %d images cannot be read and are left out, the first: %s",
                *(path, unread, read + unread, first),
            )
    if unread and not read:
        raise InputError(first)


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


def resized(frame: SourceFrame, size: tuple[int, int]) -> SourceFrame:
    """`frame` at `size` (width, height) px, with its truth."""
    height, width = frame.image.shape[:2]
    if (width, height) == size:
        return frame
    image = resize(frame.image, *size)
    truth = frame.truth
    if truth is not None:
        scale = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        mask = truth.mask
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST).astype(np.uint8)
        truth = replace(truth, boxes=truth.boxes * scale, mask=mask)
    return replace(frame, image=image.astype(np.uint8, copy=False), truth=truth)
