# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images as a frame source, in the natural order of the names (2 before 10)."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from sc2_ros.errors import InputError
from sc2_ros.media.compressed import decode_compressed
from sc2_ros.media.encodings import Gains, Image
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame, readable

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
DEFAULT_FPS = 10.0


class FolderSource(FrameSource):
    """Every image file directly in the folder, one every 1/fps seconds."""

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
        self._path = path
        self.paths = sorted(
            (p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()),
            key=natural_key,
        )
        if not self.paths:
            known = " ".join(sorted(SUFFIXES))
            raise InputError(f"the folder {path} holds no image ({known}) and no bag; give {KINDS}")
        self.name = path.name or str(path)
        self.fps = fps or DEFAULT_FPS

    def __iter__(self) -> Iterator[SourceFrame]:
        gains = Gains()
        return readable(
            self._path, (partial(self._frame, number, gains) for number in range(len(self.paths)))
        )

    def _frame(self, number: int, gains: Gains) -> SourceFrame:
        gains.stamp_ns = stamp_ns = round(number * 1e9 / self.fps)
        return SourceFrame(read_image(self.paths[number], gains), stamp_ns, "camera")


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def read_image(path: Path, gains: Gains | None = None) -> Image:
    """An image file as uint8 RGB (H, W, 3) or grey (H, W), upright.

    Args:
        path: the file.
        gains: what the images before it have settled, of a folder that is a sequence.

    Raises:
        InputError: not an image that can be read.
    """
    try:
        return decode_compressed(path.read_bytes(), gains=gains, upright=True)
    except (OSError, InputError) as error:
        raise InputError(
            f"{path} is not an image that can be read ({error}); remove it or repair it"
        ) from error
