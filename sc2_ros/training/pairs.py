# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames in a row, each to be predicted from the one before, as a drone would see them.

They are footage 1 to 6 frames apart, the synthetic flight, and still images that are moved a
little twice, each time with noise of its own.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.codec.wire.header import STRIDE
from sc2_ros.errors import InputError
from sc2_ros.media.flight import LOOKS, SyntheticFlight
from sc2_ros.training.augment import middle

Image = NDArray[np.uint8]
Pair = tuple[Image, ...]

AGES = (1, 2, 3, 6)
MAX_SIDES = (960, 640)
_FLIGHT_MOTIONS = ("hover", "pan", "forward", "yaw", "mixed", "static")
_FLIGHT_FPS = 10.0


@dataclass(frozen=True)
class PairConfig:
    """How many pairs of each kind.

    Attributes:
        stills: still images, moved.
        flights: seeds of the synthetic flight, for each motion and look in turn.
        per_flight: pairs of each.
        per_clip: pairs of each clip of footage.
        frames: of each; all but the first are predicted from the one before.
        still_share: of the still images, how many stay where they are.
        seed: of all that is random.
    """

    stills: int = 120
    flights: int = 20
    per_flight: int = 3
    per_clip: int = 8
    frames: int = 3
    still_share: float = 0.0
    seed: int = 0


def pairs(
    images: Sequence[Image],
    footage: Iterable[Sequence[Image]],
    config: PairConfig,
    rng: np.random.Generator,
) -> Iterator[Pair]:
    """All pairs: of still images (H, W[, 3]) uint8, of the synthetic flight, of clips."""
    yield from _stills(images, config, rng)
    yield from _flights(config, rng)
    for clip in footage:
        yield from _clip(clip, config, rng)


def footage(patterns: Iterable[str]) -> Iterator[list[Image]]:
    """Clips from video files, and from image files whose numbers follow one another.

    Frames are RGB uint8 (H, W, 3), the middle MAX_SIDES of larger ones. Each pattern is a glob.

    Raises:
        InputError: a pattern matches nothing, or a file cannot be read.
    """
    for pattern in patterns:
        paths = footage_files(pattern)
        images = [path for path in paths if Path(path).suffix.lower() in (".jpg", ".png")]
        yield from _sequences(images)
        for path in paths:
            if path not in images:
                yield from _video(path)


def footage_files(pattern: str) -> list[str]:
    """The files of a pattern, sorted. Raises InputError where there are none."""
    paths = sorted(glob.glob(pattern))
    if not paths:
        raise InputError(f"no footage at {pattern}; name videos or images that are there")
    return paths


def random_origin(rng: np.random.Generator) -> tuple[int, int]:
    """Any origin (x, y) of a grid, pixels."""
    x, y = rng.integers(0, STRIDE, 2).tolist()
    return x, y


def bounded(image: Image) -> Image:
    """Cut to the middle MAX_SIDES (width, height)."""
    return middle(image, MAX_SIDES)


def _stills(
    images: Sequence[Image], config: PairConfig, rng: np.random.Generator
) -> Iterator[Pair]:
    """Still images under small similarities, with noise."""
    if not len(images):
        return
    for number in rng.permutation(len(images))[: config.stills]:
        image = bounded(images[int(number)])
        # From a hovering camera to one that flies: spread log-uniformly.
        reach = float(np.exp(rng.uniform(np.log(0.1), np.log(24.0))))
        noise = float(rng.uniform(0.5, 3.0))
        stays = config.still_share > 0 and rng.random() < config.still_share
        yield tuple(
            _moved(image, number > 0 and not stays, reach, noise, rng)
            for number in range(config.frames)
        )


def _moved(
    image: Image, moves: bool, reach: float, noise: float, rng: np.random.Generator
) -> Image:
    height, width = image.shape[:2]
    if moves:
        turn = float(rng.normal(0, reach * 0.02))
        zoom = float(np.exp(rng.normal(0, reach * 0.0008)))
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
        matrix = matrix + np.pad(rng.normal(0, reach, (2, 1)), ((0, 0), (2, 0)))
        moved = cv2.warpAffine(
            image, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT
        )
        image = moved.astype(np.uint8, copy=False)
    noisy = image + rng.normal(0, noise, image.shape)
    return np.rint(noisy).clip(0, 255).astype(np.uint8)


def _flights(config: PairConfig, rng: np.random.Generator) -> Iterator[Pair]:
    """The synthetic flight at 10 frames per second, training seeds only."""
    for number in range(config.flights):
        flight = SyntheticFlight(
            number,
            look=LOOKS[number % len(LOOKS)],
            motion=_FLIGHT_MOTIONS[number // len(LOOKS) % len(_FLIGHT_MOTIONS)],
        )
        for _ in range(config.per_flight):
            numbers = np.cumsum([rng.integers(0, 400), *rng.choice(AGES, config.frames - 1)])
            yield tuple(flight.frame(int(n), _FLIGHT_FPS).image for n in numbers)


def _clip(clip: Sequence[Image], config: PairConfig, rng: np.random.Generator) -> Iterator[Pair]:
    if len(clip) < config.frames:
        return
    for _ in range(config.per_clip):
        most = (len(clip) - 1) // (config.frames - 1)
        steps = np.minimum(rng.choice(AGES, config.frames - 1), most)
        first = int(rng.integers(0, len(clip) - steps.sum()))
        frames = tuple(clip[int(n)] for n in np.cumsum([first, *steps]))
        if all(frame.shape == frames[0].shape for frame in frames):
            yield frames


def _sequences(paths: list[str]) -> Iterator[list[Image]]:
    """Runs of image files with consecutive numbers and one name before them."""
    run: list[str] = []
    for path in sorted(paths, key=_numbered):
        name, number = _numbered(path)
        if run and _numbered(run[-1]) != (name, number - 1):
            if len(run) > 1:
                yield [_read(entry) for entry in run]
            run = []
        run.append(path)
    if len(run) > 1:
        yield [_read(entry) for entry in run]


def _numbered(path: str) -> tuple[str, int]:
    """What precedes the last number of a file's name, and the number; -1 without one."""
    found = re.fullmatch(r"(.*?)(\d+)", Path(path).stem)
    return (found[1], int(found[2])) if found else (Path(path).stem, -1)


def _read(path: str) -> Image:
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        raise InputError(f"cannot read the image {path}")
    return _rgb(image)


def _video(path: str, clips: int = 3, length: int = 12) -> Iterator[list[Image]]:
    """Runs of consecutive frames, evenly spread over a video."""
    capture = cv2.VideoCapture(path)
    total = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    for number in range(clips):
        frames: list[Image] = []
        capture.set(cv2.CAP_PROP_POS_FRAMES, number * max(total - length, 0) // clips)
        for _ in range(length):
            good, image = capture.read()
            if good:
                frames.append(_rgb(image))
        if not frames:
            raise InputError(f"no frames in the video {path}")
        yield frames


def _rgb(image: Any) -> Image:
    """A picture as OpenCV read it, in RGB, no larger than pairs are."""
    return bounded(cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False))
