# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""YOLO text labels: images/, labels/ with one text file per image, and a *.names file."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sc2_ros.errors import InputError
from sc2_ros.training.datasets.base import (
    DETECTION_CLASSES,
    IGNORE,
    Dataset,
    Sample,
    clip_boxes,
    image_files,
    label_of,
    read_image,
)

# Frames of one name whose numbers are further apart than this are taken for another sequence.
_SEQUENCE_GAP = 50
_VAL_EVERY = 4


def is_yolo(folder: Path) -> bool:
    """Whether the folder holds images/, labels/ and class names."""
    return (
        (folder / "images").is_dir() and (folder / "labels").is_dir() and bool(_names_file(folder))
    )


def sequences(stems: Sequence[str]) -> list[list[str]]:
    """Group file stems into sequences: same name before the final number, numbers close together.

    >>> sequences(["a1", "a2", "a90", "b7"])
    [['a1', 'a2'], ['a90'], ['b7']]
    """

    def key(stem: str) -> tuple[str, int]:
        match = re.fullmatch(r"(.*?)(\d*)", stem)
        assert match is not None  # the pattern matches any one line
        return match[1], int(match[2] or 0)

    ordered = sorted(stems, key=key)
    groups = [ordered[:1]] if ordered else []
    for before, stem in pairwise(ordered):
        (name, number), (name_before, number_before) = key(stem), key(before)
        if name != name_before or number - number_before > _SEQUENCE_GAP:
            groups.append([])
        groups[-1].append(stem)
    return groups


def split_stems(stems: Sequence[str], split: str) -> list[str]:
    """Deterministic train or val part: whole sequences, each fourth one to val.

    A single sequence is cut in time: its last fifth is val.
    """
    groups = sequences(stems)
    if len(groups) == 1:
        cut = len(stems) - max(1, len(stems) // 5)
        return groups[0][:cut] if split == "train" else groups[0][cut:]
    offset = min(1, len(groups) - 1)
    return [
        stem
        for i, group in enumerate(groups)
        for stem in group
        if (i % _VAL_EVERY == offset) == (split == "val")
    ]


class YoloDataset(Dataset):
    """Boxes from YOLO text files, split by folder (images/SPLIT) or by `split_stems`."""

    def __init__(self, folder: Path, split: str) -> None:
        """Read every label file; raise InputError for a damaged line or an unknown split."""
        self.name, self.split = folder.name, split
        names_file = _names_file(folder)
        assert names_file is not None  # is_yolo was asked before
        names = [line.strip() for line in names_file.read_text().splitlines() if line.strip()]
        self._label_of = [label_of(name) for name in names]
        images, labels = folder / "images", folder / "labels"
        if (images / split).is_dir():
            files = image_files(images / split)
            labels = labels / split
        elif split in ("train", "val"):
            by_stem = {f.stem: f for f in image_files(images)}
            files = [by_stem[stem] for stem in split_stems(list(by_stem), split)]
        else:
            raise InputError(f"no split '{split}' in {folder}: use train or val")
        self._items = [(f, _read_rows(labels / f"{f.stem}.txt", len(names))) for f in files]
        # A class in the names file of which nothing was ever drawn is not labelled, so absence of
        # its boxes says nothing. This looks at all splits: it is a property of the data set.
        used = {
            int(line.split()[0])
            for file in (folder / "labels").rglob("*.txt")
            for line in file.read_text().splitlines()
            if line.strip() and line.split()[0].isdigit()
        }
        present = {self._label_of[c] for c in used if c < len(names)}
        self.detection_classes = tuple(
            name for i, name in enumerate(DETECTION_CLASSES) if i in present
        )

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


def _names_file(folder: Path) -> Path | None:
    found = sorted(folder.glob("*.names")) or sorted(folder.glob("classes.txt"))
    return found[0] if found else None


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
