# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Footage without labels: an image folder, a video or a ROS bag."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from sc2_ros.data.base import Dataset, Sample
from sc2_ros.data.splits import split_files
from sc2_ros.errors import InputError
from sc2_ros.media.bag import is_bag
from sc2_ros.media.folder_source import SUFFIXES, FolderSource, read_image
from sc2_ros.media.frames import SourceFrame
from sc2_ros.media.source import open_source

MAX_FRAMES = 400
MAX_BYTES = 3 << 30
VAL_SHARE = 0.25


def is_footage(path: Path) -> bool:
    """Whether the path is a bag, a file (then it may be a video), or a folder with images in it."""
    if path.is_file() or is_bag(path):
        return True
    return path.is_dir() and any(p.suffix.lower() in SUFFIXES for p in path.iterdir())


class FolderFrames(Dataset):
    """The images of a folder, read when asked for; whole sequences go to train or val."""

    def __init__(self, folder: Path, split: str) -> None:
        """List the files; raise InputError where the split is unknown."""
        _check(split, folder)
        self.name, self.split = folder.name, split
        self._paths = split_files(FolderSource(folder).paths, split)

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._paths)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image."""
        path = self._paths[index]
        return Sample(read_image(path), path.name)


class RecordedFrames(Dataset):
    """Frames of a video or a bag, evenly spread; the last quarter of the recording is val.

    A recording is read from front to back only, so what is wanted of it is held in memory: at most
    MAX_FRAMES of the whole, and fewer where those are more than MAX_BYTES (a colour frame of
    640x480 is 0.9 MB, of 3840x2160 25 MB).
    """

    def __init__(self, path: Path, split: str) -> None:
        """Decode the recording; raise InputError where it cannot be read."""
        _check(split, path)
        self.name, self.split = path.stem, split
        with open_source(str(path)) as source:
            frames = spread(source, MAX_FRAMES, MAX_BYTES)
        if len(frames) < 2:
            raise InputError(f"{path} holds {len(frames)} frames; at least 2 are needed")
        cut = len(frames) - max(1, round(VAL_SHARE * len(frames)))
        self._frames = frames[:cut] if split == "train" else frames[cut:]

    def __len__(self) -> int:
        """Number of frames of the split."""
        return len(self._frames)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """A frame, named after its capture time."""
        frame = self._frames[index]
        return Sample(frame.image, f"{self.name}-{frame.stamp_ns / 1e9:.3f}s")


def spread(source: Iterable[SourceFrame], limit: int, limit_bytes: int) -> list[SourceFrame]:
    """At most `limit` frames of a source of unknown length, evenly spread, in one pass.

    Every step-th frame is kept; where that gets too many, or more than `limit_bytes` of pixels,
    every second one goes and step doubles. Two frames are kept however large they are.
    """
    kept: list[SourceFrame] = []
    step = 1
    for number, frame in enumerate(source):
        if number % step:
            continue
        kept.append(frame)
        while len(kept) > limit or (len(kept) > 2 and _bytes_of(kept) > limit_bytes):
            kept, step = kept[::2], 2 * step
    return kept


def _bytes_of(frames: Sequence[SourceFrame]) -> int:
    return sum(frame.image.nbytes for frame in frames)


def open_footage(path: Path, split: str) -> Dataset:
    """Open a folder of images, a video or a bag. Raises InputError where it is none of them."""
    if path.is_dir() and not is_bag(path):
        return FolderFrames(path, split)
    return RecordedFrames(path, split)


def _check(split: str, path: Path) -> None:
    if split not in ("train", "val"):
        raise InputError(f"no split '{split}' in {path}: use train or val")
