# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A folder of images as a frame source, in the natural order of the names (2 before 10)."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError
from sc2_ros.media.encodings import stretch
from sc2_ros.media.frames import KINDS, FrameSource, SourceFrame

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm"}
DEFAULT_FPS = 10.0


class FolderSource(FrameSource):
    """Every image file directly in the folder, one every 1/fps seconds."""

    def __init__(self, path: Path, *, fps: float | None = None) -> None:
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
        for number, path in enumerate(self.paths):
            yield SourceFrame(read_image(path), round(number * 1e9 / self.fps), "camera")


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A key that sorts frame2 before frame10."""
    parts = re.split(r"(\d+)", path.name)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def read_image(path: Path) -> npt.NDArray[np.uint8]:
    """An image file as uint8 RGB (H, W, 3) or grey (H, W); 16-bit grey is stretched to 8.

    Raises:
        InputError: not an image that OpenCV reads.
    """
    image: Any = cv2.imread(str(path), cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR)
    if image is None:
        raise InputError(f"{path} is not an image that can be read; remove it or repair it")
    if image.dtype == np.uint16:
        image = stretch(image) if image.ndim == 2 else (image >> 8).astype(np.uint8)
    if image.dtype != np.uint8:
        raise InputError(f"{path} has pixels of type {image.dtype}; convert it to 8 or 16 bits")
    if image.ndim == 3:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return cast("npt.NDArray[np.uint8]", image)
