# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every data set gives: a sequence of samples, with labels in the package's own classes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.errors import InputError
from sc2_ros.media import folder_source

DETECTION_CLASSES = ("person", "car", "bicycle", "other_vehicle")
MASK_CLASSES = ("road", "building", "vegetation", "vehicle", "person", "other")
VOID = 255
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp")

# What other people call our classes, in lower case and without spaces, dashes and underscores.
_ALIASES = {
    "person": ("person", "people", "pedestrian", "human"),
    "car": ("car", "van", "suv"),
    "bicycle": ("bicycle", "bike", "cyclist", "bicyclist"),
    "other_vehicle": (
        *("othervehicle", "vehicle", "truck", "bus", "minibus", "lorry", "trailer", "coach"),
        *("motor", "motorcycle", "motorbike", "tricycle", "awningtricycle"),
    ),
}
# Mask classes of other data sets that are ours under another name.
_MASK_ALIASES = {
    "vegetation": ("tree", "terrain", "grass"),
    "vehicle": ("car", "truck", "bus", "van"),
    "person": ("pedestrian", "rider", "human"),
}
_MASK_LABEL_OF = {name: number for number, name in enumerate(MASK_CLASSES)} | {
    alias: MASK_CLASSES.index(name) for name, aliases in _MASK_ALIASES.items() for alias in aliases
}
_IGNORED = ("dontcare", "ignore", "ignored", "ignoredregions")
_LABEL_OF = {
    alias: DETECTION_CLASSES.index(name) for name, aliases in _ALIASES.items() for alias in aliases
}
IGNORE = -1


def _no_boxes() -> NDArray[np.float32]:
    return np.zeros((0, 4), np.float32)


@dataclass(frozen=True)
class Sample:
    """One labelled image.

    `image` is uint8, (H, W, 3) RGB or (H, W) grey. `boxes` and `ignore` are (N, 4) and (M, 4)
    float32 left, top, right, bottom in pixels; `labels` is (N,) int64, a number in
    DETECTION_CLASSES. `mask` is uint8 (H, W) in the numbers of the data set's `mask_classes`,
    VOID where nothing is known, or None. `category` is a number in `image_classes`, or None.
    """

    image: NDArray[np.uint8]
    name: str
    boxes: NDArray[np.float32] = field(default_factory=_no_boxes)
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    ignore: NDArray[np.float32] = field(default_factory=_no_boxes)
    mask: NDArray[np.uint8] | None = None
    category: int | None = None


class Dataset(Sequence[Sample]):
    """A split of a data set.

    `detection_classes` are those of our classes that the data set labels (empty: no boxes), so a
    trainer can leave the others out of its loss; `left_out_classes` names what it labels with boxes
    and none of ours stands for; `mask_classes` are the names of the mask's
    numbers (empty: no masks); `image_classes` name what a whole image shows (empty: nothing said).
    """

    name: str = ""
    split: str = ""
    detection_classes: tuple[str, ...] = ()
    left_out_classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    image_classes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Sample]:
        """Yield every sample once, in order."""
        return (self[i] for i in range(len(self)))


def label_of(class_name: str) -> int | None:
    """Number of a data set's own class name in DETECTION_CLASSES; IGNORE, or None if unknown."""
    plain = "".join(c for c in class_name.lower() if c.isalnum())
    return IGNORE if plain in _IGNORED else _LABEL_OF.get(plain)


def mask_lookup(data_classes: Sequence[str], wanted: Sequence[str]) -> NDArray[np.uint8]:
    """A table (256,) from a data set's mask numbers to those of `wanted`; VOID where none fits.

    Names are matched as they are; where `wanted` is MASK_CLASSES also by what others call ours.
    """
    table = np.full(256, VOID, np.uint8)
    ours = tuple(wanted) == MASK_CLASSES
    for number, name in enumerate(data_classes):
        if name in wanted:
            table[number] = wanted.index(name)
        elif ours and name in _MASK_LABEL_OF:
            table[number] = _MASK_LABEL_OF[name]
    return table


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read an image file: uint8 (H, W, 3) RGB, or (H, W) where the file is grey.

    More than 8 bits, as of a thermal camera, are brought to 8 as they are in flight.
    """
    image = cv2.imread(str(path), cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if image is None:
        raise InputError(f"cannot read the image {path}: missing or damaged; check the data set")
    if image.dtype != np.uint8:
        return folder_source.read_image(path)
    image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB) if image.ndim == 3 else image
    return image.astype(np.uint8, copy=False)


def read_text(path: Path) -> str:
    """The text of a file of labels or names, without a byte order mark."""
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise InputError(
            f"{path}, line {line}: not UTF-8 ({error.reason}); save the file as UTF-8"
        ) from error


def image_files(folder: Path) -> list[Path]:
    """The image files of a folder, by name."""
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)


def known_classes(labels: Iterable[int | None]) -> tuple[str, ...]:
    """Our classes among the numbers that `label_of` gave, in our order."""
    found = set(labels)
    return tuple(name for number, name in enumerate(DETECTION_CLASSES) if number in found)


def left_out(names: Iterable[str]) -> tuple[str, ...]:
    """Those of a data set's class names that none of ours stands for, by name."""
    return tuple(sorted({name for name in names if label_of(name) is None}))


def none_of_ours(path: Path, names: Iterable[str]) -> InputError:
    """What to raise where a data set has names for its boxes and none is one of our classes."""
    theirs = ", ".join(sorted(set(names))) or "no objects"
    return InputError(
        f"{path} has none of our classes ({', '.join(DETECTION_CLASSES)}); it has {theirs}"
    )


def clip_boxes(boxes: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Cut (N, 4) corner boxes to the image; the number of boxes stays."""
    limit = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limit).astype(np.float32)
