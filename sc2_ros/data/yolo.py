# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO text labels: images/, labels/ with a text file per image, and *.names or data.yaml.

Also as Roboflow exports them: SPLIT/images/ and SPLIT/labels/, where val is called valid. Images
in subfolders have their labels in subfolders of the same names.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from sc2_ros.data.base import (
    IGNORE,
    Dataset,
    Sample,
    clip_boxes,
    image_files,
    known_classes,
    label_of,
    left_out,
    none_of_ours,
    read_image,
    read_text,
)
from sc2_ros.data.splits import SPLIT_NAMES, split_files, split_folder
from sc2_ros.errors import InputError


def is_yolo(folder: Path) -> bool:
    """Whether the folder holds images/, labels/ and class names."""
    parents = [folder, *(split_folder(folder, split) for split in SPLIT_NAMES)]
    pairs = any(p and (p / "images").is_dir() and (p / "labels").is_dir() for p in parents)
    return pairs and bool(_names_file(folder))


class YoloDataset(Dataset):
    """Boxes from YOLO text files, split by folder (images/SPLIT, SPLIT/images) or `split_stems`."""

    def __init__(self, folder: Path, split: str) -> None:
        """Read every label file; raise InputError for a damaged line or an unknown split.

        Also where no split has an object of one of our classes.
        """
        self.name, self.split = folder.name, split
        names_file = _names_file(folder)
        assert names_file is not None  # is_yolo was asked before
        names = _read_names(names_file)
        self._label_of = [label_of(name) for name in names]
        self._root, labels = folder / "images", folder / "labels"
        if pair := _folders(folder, split):
            self._root, labels = pair
            files = _images_below(self._root)
        elif split in ("train", "val") and self._root.is_dir():
            others = {split_folder(self._root, name) for name in SPLIT_NAMES}
            free = [f for f in _images_below(self._root) if others.isdisjoint(f.parents)]
            files = split_files(free, split)
        else:
            raise InputError(f"no split '{split}' in {folder}: use train or val")
        self._items = []
        for file in files:
            label = labels / file.relative_to(self._root).with_suffix(".txt")
            self._items.append((file, _read_rows(label, len(names))))
        # A class in the names file of which nothing was ever drawn is not labelled, so absence of
        # its boxes says nothing. This looks at all splits: it is a property of the data set.
        numbers = {
            _class_number(line.split()[0], len(names))
            for place in folder.rglob("labels")
            for file in place.rglob("*.txt")
            for line in read_text(file).splitlines()
            if line.strip()
        }
        used = [number for number in numbers if number is not None]
        self.detection_classes = known_classes(self._label_of[c] for c in used)
        self.left_out_classes = left_out(names[c] for c in used)
        if not self.detection_classes:
            raise none_of_ours(folder, (names[c] for c in used))

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read the image and turn relative centre, width, height into pixel corners."""
        path, rows = self._items[index]
        image = read_image(path)
        height, width = image.shape[:2]
        centre, size = rows[:, 1:3], rows[:, 3:5]
        scale = np.array([width, height] * 2)
        boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=1) * scale
        boxes = clip_boxes(boxes.astype(np.float32), width, height)
        known = [self._label_of[int(c)] for c in rows[:, 0]]
        labels = np.array([-2 if c is None else c for c in known], np.int64)
        name = path.relative_to(self._root).as_posix()
        return Sample(image, name, boxes[labels >= 0], labels[labels >= 0], boxes[labels == IGNORE])


_SLACK = 0.5
"""How far a share may be outside of 0 to 1: objects that the edge cuts, and no pixels."""


def _folders(folder: Path, split: str) -> tuple[Path, Path] | None:
    """The folders of a split's images and labels, where each split has its own."""
    if images := split_folder(folder / "images", split):
        return images, folder / "labels" / images.name
    place = split_folder(folder, split)
    if place and (place / "images").is_dir():
        return place / "images", place / "labels"
    return None


def _images_below(folder: Path) -> list[Path]:
    """The image files of a folder and its subfolders: its own first, by name.

    Not of hidden ones, as of .ipynb_checkpoints with its copies.
    """
    below = sorted(
        p
        for p in folder.rglob("*")
        if p.is_dir() and not any(part[0] == "." for part in p.relative_to(folder).parts)
    )
    return [file for place in (folder, *below) for file in image_files(place)]


def _names_file(folder: Path) -> Path | None:
    for pattern in ("*.names", "classes.txt", "data.yaml"):
        if found := sorted(folder.glob(pattern)):
            return found[0]
    return None


def _read_names(path: Path) -> list[str]:
    """Class names by number: a line each, or `names` of Ultralytics' data.yaml."""
    if path.suffix != ".yaml":
        return [line.strip() for line in read_text(path).splitlines() if line.strip()]
    try:
        names = yaml.safe_load(read_text(path))["names"]
        names = [names[number] for number in range(len(names))]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{path} has no list 'names' of the classes ({error!r})") from error
    return [str(name) for name in names]


def _class_number(word: str, classes: int) -> int | None:
    """The class that a line begins with, as 1, 1.0 or 1.000000e+00; None where it is none."""
    try:
        number = float(word)
    except ValueError:
        return None
    return int(number) if number in range(classes) else None


def _read_rows(path: Path, classes: int) -> NDArray[np.float64]:
    """(N, 5) class, centre x, centre y, width, height; no file means nothing in the image."""
    rows = []
    lines = read_text(path).splitlines() if path.is_file() else []
    for number, line in enumerate(lines, 1):
        if words := line.split():
            try:
                rows.append(_row(words, classes))
            except ValueError as error:
                raise InputError(f"{path}, line {number}: '{line[:60]}' {error}") from None
    return np.array(rows, np.float64).reshape(-1, 5)


def _row(words: list[str], classes: int) -> list[float]:
    """A line as a row of `_read_rows`: of a box, of a found box with its score, of an outline.

    Outlines (class x1 y1 x2 y2 x3 y3 ...) are of segmentation and of turned boxes; the row is the
    box around them. Raises ValueError for another line.
    """
    number = _class_number(words[0], classes)
    try:
        values = [float(word) for word in words[1:]]
    except ValueError:
        values = []
    outline = len(values) >= 6 and len(values) % 2 == 0
    if number is None or not (outline or len(values) in (4, 5)):
        raise ValueError(
            "is neither 'class x y width height', with or without a score, nor 'class x1 y1 x2 y2 "
            f"x3 y3 ...', with a class below {classes}"
        )
    if not np.isfinite(values).all():
        raise ValueError("has a number that is not finite; remove the line or draw it again")
    low, high = min(values), max(values)
    if low < -_SLACK or high > 1 + _SLACK or (not outline and min(values[2:4]) < 0):
        raise ValueError(
            "has a coordinate far outside of the picture or a negative size: YOLO coordinates are "
            "shares of the picture's width and height, 0 to 1; divide pixels by them"
        )
    if not outline:
        return [number, *values[:4]]
    points = np.reshape(values, (-1, 2))
    first, last = points.min(axis=0), points.max(axis=0)
    return [number, *(first + last) / 2, *(last - first)]
