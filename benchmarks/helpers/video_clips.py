# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The clips that video systems are compared on: development footage and the synthetic flight."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.data import Sample
from sc2_ros.media.frames import SourceFrame
from sc2_ros.media.source import open_source
from sc2_ros.network import imaging
from sc2_ros.training.config import data_root

WIDEST = 640
# Clip, frames per second, kind of motion, first frame.
FOOTAGE = (
    ("video/one-by-one-person-detection.mp4", 10.0, "static", 1250),
    ("video/car-detection.mp4", 10.0, "static", 20),
    ("video/solidWhiteRight.mp4", 10.0, "forward", 20),
    ("aerial_cars/images/MOS*.jpg", 2.0, "hover", 0),
)
FLIGHTS = ("hover", "pan", "forward")
FLIGHT_RATES = (10.0, 2.0)


@dataclass(frozen=True)
class Clip:
    """Consecutive frames, RGB, sides multiples of 16; with labels where there are any."""

    name: str
    fps: float
    motion: str
    frames: list[Sample]

    @property
    def labels(self) -> list[Sample]:
        """The frames as truth; none if no frame has a label."""
        return self.frames if any(len(sample.boxes) for sample in self.frames) else []


def one_clip(spec: str, fps: float, count: int) -> Clip:
    """The first frames of a source: a video, folder, bag or flight."""
    source = open_source(spec, fps=fps)
    return Clip(Path(spec).name, fps, "", [_sample(frame) for frame in islice(source, count)])


def all_clips(count: int, only: str = "") -> Iterator[Clip]:
    """Clips whose name has `only` in it, `count` frames of each; what is not here is missing."""
    root = data_root(None)
    for name, fps, motion, first in FOOTAGE:
        if only not in name or not list(root.glob(name)):
            continue
        if name.endswith(".jpg"):
            frames = _pictures(sorted(root.glob(name), key=_number)[-count:])
        else:
            source = open_source(str(root / name), fps=fps)
            frames = [_sample(frame) for frame in islice(source, first, first + count)]
        yield Clip(name, fps, motion, frames)
    for fps in FLIGHT_RATES:
        for motion in FLIGHTS:
            name = f"synthetic:1000003:rgb:{motion}"
            if only in name:
                flight = islice(open_source(name, fps=fps), count)
                yield Clip(name, fps, motion, [_sample(frame) for frame in flight])


def _pictures(paths: list[Path]) -> list[Sample]:
    """Those that have the size of the last one."""
    images = [_bounded(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)) for path in paths]
    return [Sample(image, "") for image in images if image.shape == images[-1].shape]


def _number(path: Path) -> int:
    return int("".join(filter(str.isdigit, path.stem)))


def _sample(frame: SourceFrame) -> Sample:
    """The frame at the size that is sent; with its labels only where that is its own."""
    image = _bounded(frame.image)
    if frame.truth is None or image.shape[:2] != frame.image.shape[:2]:
        return Sample(image, "")
    return Sample(image, "", frame.truth.boxes, frame.truth.labels)


def _bounded(image: NDArray[Any]) -> NDArray[np.uint8]:
    height, width = image.shape[:2]
    scale = min(1.0, WIDEST / width)
    width, height = (max(round(side * scale) // 16, 1) * 16 for side in (width, height))
    return imaging.resize(image.astype(np.uint8, copy=False), width, height)
