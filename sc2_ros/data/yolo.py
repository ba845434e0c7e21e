# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO text labels: images/, labels/ with a text file per image, and *.names or data.yaml.

Also as Roboflow exports them: SPLIT/images/ and SPLIT/labels/, where val is called valid.
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
    read_image,
)
from sc2_ros.data.splits import split_stems
from sc2_ros.errors import InputError


def is_yolo(folder: Path) -> bool:
    """Whether the folder holds images/, labels/ and class names."""
    parents = [folder, *(folder / name for names in _SPLIT_NAMES.values() for name in names)]
    pairs = any((p / "images").is_dir() and (p / "labels").is_dir() for p in parents)
    return pairs and bool(_names_file(folder))


class YoloDataset(Dataset):
    """Boxes from YOLO text files, split by folder (images/SPLIT, SPLIT/images) or `split_stems`."""

    def __init__(self, folder: Path, split: str) -> None:
        """Read every label file; raise InputError for a damaged line or an unknown split."""
        self.name, self.split = folder.name, split
        names_file = _names_file(folder)
        assert names_file is not None  # is_yolo was asked before
        names = _read_names(names_file)
        self._label_of = [label_of(name) for name in names]
        labels = folder / "labels"
        if pair := _folders(folder, split):
            files, labels = image_files(pair[0]), pair[1]
        elif split in ("train", "val") and (folder / "images").is_dir():
            by_stem = {f.stem: f for f in image_files(folder / "images")}
            files = [by_stem[stem] for stem in split_stems(list(by_stem), split)]
        else:
            raise InputError(f"no split '{split}' in {folder}: use train or val")
        self._items = [(f, _read_rows(labels / f"{f.stem}.txt", len(names))) for f in files]
        # A class in the names file of which nothing was ever drawn is not labelled, so absence of
        # its boxes says nothing. This looks at all splits: it is a property of the data set.
        used = {
            int(line.split()[0])
            for place in folder.rglob("labels")
            for file in place.rglob("*.txt")
            for line in file.read_text().splitlines()
            if line.strip() and line.split()[0].isdigit()
        }
        self.detection_classes = known_classes(self._label_of[c] for c in used if c < len(names))
        self.left_out_classes = left_out(names[c] for c in used if c < len(names))

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
        return Sample(
            image, path.name, boxes[labels >= 0], labels[labels >= 0], boxes[labels == IGNORE]
        )


_SPLIT_NAMES = {"train": ("train",), "val": ("val", "valid"), "test": ("test",)}


def _folders(folder: Path, split: str) -> tuple[Path, Path] | None:
    """The folders of a split's images and labels, where each split has its own."""
    for name in _SPLIT_NAMES.get(split, (split,)):
        for images, labels in (
            (folder / "images" / name, folder / "labels" / name),
            (folder / name / "images", folder / name / "labels"),
        ):
            if images.is_dir():
                return images, labels
    return None


def _names_file(folder: Path) -> Path | None:
    for pattern in ("*.names", "classes.txt", "data.yaml"):
        if found := sorted(folder.glob(pattern)):
            return found[0]
    return None


def _read_names(path: Path) -> list[str]:
    """Class names by number: a line each, or `names` of Ultralytics' data.yaml."""
    if path.suffix != ".yaml":
        return [line.strip() for line in path.read_text().splitlines() if line.strip()]
    try:
        names = yaml.safe_load(path.read_text())["names"]
        names = [names[number] for number in range(len(names))]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise InputError(f"{path} has no list 'names' of the classes ({error!r})") from error
    return [str(name) for name in names]


def _read_rows(path: Path, classes: int) -> NDArray[np.float64]:
    """(N, 5) class, centre x, centre y, width, height; no file means nothing in the image."""
    rows = []
    for line in path.read_text().splitlines() if path.is_file() else []:
        if not line.strip():
            continue
        try:
            row = [float(v) for v in line.split()[:5]]
            if len(row) != 5 or not 0 <= int(row[0]) < classes:
                raise ValueError
        except ValueError:
            raise InputError(
                f"{path}: '{line}' is not 'class x y width height' with a class below {classes}"
            ) from None
        rows.append(row)
    return np.array(rows, np.float64).reshape(-1, 5)
