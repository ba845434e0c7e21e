# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames rendered once and played from files that are mapped into memory.

::

    folder/ images.npy (N, H, W[, 3]) uint8    masks.npy (N, H, W) uint8, if there are any
            boxes.npy (M, 4) float32           labels.npy (M,) int64           of all frames
            clip.json                          fps, name, frame_id, boxes of each frame

Rendering a frame of the synthetic flight takes some 20 ms, as much as encoding it; a demo that
rendered while it runs would measure its own camera.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from sc2_ros.errors import InputError
from sc2_ros.media.frames import FrameSource, SourceFrame, Truth

INDEX = "clip.json"


def record_clip(
    source: FrameSource,
    folder: Path,
    frames: int,
    progress: Callable[[int], None] = lambda done: None,
) -> None:
    """Write the first frames of a source, with their truth, to a folder.

    Args:
        source: whose images all have one shape.
        folder: is made; its files are replaced.
        frames: how many; fewer if the source ends before.
        progress: is told after each frame how many are done.

    Raises:
        InputError: the source has no frame.
        OSError: there is no room for `frames` frames; none is written then.
    """
    folder.mkdir(parents=True, exist_ok=True)
    images = masks = None
    boxes, labels, counts, frame_id = [], [], [], ""
    for number, frame in enumerate(islice(source, frames)):
        if images is None:
            images = _array(folder / "images.npy", (frames, *frame.image.shape))
            frame_id = frame.frame_id
        images[number] = frame.image
        truth = frame.truth
        if truth is not None:
            boxes.append(truth.boxes)
            labels.append(truth.labels)
            if truth.mask is not None:
                if masks is None:
                    masks = _array(folder / "masks.npy", (frames, *truth.mask.shape))
                masks[number] = truth.mask
        counts.append(-1 if truth is None else len(truth.boxes))
        progress(number + 1)
    if images is None:
        raise InputError(f"{source.name} has no frame to record")
    for array in (images, masks):
        if array is not None:
            array.flush()
    np.save(folder / "boxes.npy", np.concatenate(boxes or [np.zeros((0, 4), np.float32)]))
    np.save(folder / "labels.npy", np.concatenate(labels or [np.zeros(0, np.int64)]))
    card = {"name": source.name, "fps": source.fps, "frame_id": frame_id, "boxes": counts}
    (folder / INDEX).write_text(json.dumps(card), "utf-8")


def is_clip(path: Path) -> bool:
    """Whether `record_clip` has written this folder."""
    return (path / INDEX).is_file()


class ClipSource(FrameSource):
    """Plays what `record_clip` has written; images are read-only views of the file."""

    def __init__(self, folder: Path) -> None:
        """Open it.

        Raises:
            InputError: a file of the clip is missing or damaged.
        """
        try:
            card = json.loads((folder / INDEX).read_text("utf-8"))
            self._counts, self._frame_id = list(card["boxes"]), str(card["frame_id"])
            self.name, self.fps = str(card["name"]), float(card["fps"])
            self._images = np.load(folder / "images.npy", mmap_mode="r")
            self._boxes, self._labels = (
                np.load(folder / f"{part}.npy") for part in ("boxes", "labels")
            )
            masks = folder / "masks.npy"
            self._masks = np.load(masks, mmap_mode="r") if masks.exists() else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(f"the clip in {folder} cannot be read: {error}") from error

    def __iter__(self) -> Iterator[SourceFrame]:
        at = 0
        for number, count in enumerate(self._counts):
            truth = None
            if count >= 0:
                part = slice(at, at + count)
                at += count
                mask = None if self._masks is None else self._masks[number]
                truth = Truth(self._boxes[part], self._labels[part], mask)
            stamp_ns = round(number * 1e9 / self.fps)
            yield SourceFrame(self._images[number], stamp_ns, self._frame_id, truth)


def _array(path: Path, shape: tuple[int, ...]) -> np.memmap:
    array = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    try:
        _reserve(path)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error
    return array


def _reserve(path: Path) -> None:
    """Take the disk space of a sparse file: a page that finds none later kills the process."""
    if not hasattr(os, "posix_fallocate"):  # macOS
        return
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS):
                raise
