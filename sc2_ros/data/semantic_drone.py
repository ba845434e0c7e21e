# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Semantic Drone Dataset (TU Graz): nadir RGB from 5 to 30 m, masks of 23 classes, boxes of people.

Non-commercial: what is trained on it is, too.
"""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.data.base import (
    DETECTION_CLASSES,
    MASK_CLASSES,
    VOID,
    Dataset,
    Sample,
    clip_boxes,
    image_files,
    read_image,
    read_text,
)
from sc2_ros.data.coco import box_of
from sc2_ros.data.masks import read_mask
from sc2_ros.errors import InputError

# Names of classes.txt by the mask class that holds them; unlabeled and conflicting are void.
_OURS = {
    "road": ("paved-area",),
    "building": ("roof", "wall", "window", "door"),
    "vegetation": ("grass", "vegetation", "tree", "bald-tree"),
    "vehicle": ("car", "bicycle"),
    "person": ("person",),
    "other": (
        *("dirt", "gravel", "water", "rocks", "pool", "fence", "fence-pole"),
        *("dog", "ar-marker", "obstacle"),
    ),
}
_BOXED = ("car", "bicycle")  # people have boxes of their own, for masks of neighbours touch
_CONFLICTING = "conflicting"
# Neighbouring ids show the same property: runs of so many ids stay together, each fifth is val.
_RUN = 30
_VAL_RUN, _VAL_EVERY = 2, 5
# A region of fewer pixels is no object to be found; one that fills less of its tightest rectangle
# is several that touch, or one behind a tree. Both are ignored.
_MIN_PIXELS = 60
_MIN_FILL = 0.7


def is_semantic_drone(folder: Path) -> bool:
    """Whether the folder holds images/, masks/, classes.txt and the boxes of people."""
    return all((folder / name).is_dir() for name in ("images", "masks")) and all(
        (folder / name).is_file() for name in ("classes.txt", "annotations/person_train.json")
    )


class SemanticDroneDataset(Dataset):
    """Masks in our six classes; boxes of people as annotated, of cars and bicycles from masks."""

    detection_classes = ("person", "car", "bicycle")
    mask_classes = MASK_CLASSES

    def __init__(self, folder: Path, split: str) -> None:
        """List the split; raise InputError where it is unknown or files are damaged."""
        if split not in ("train", "val"):
            raise InputError(f"no split '{split}' in {folder}: use train or val")
        self.name, self.split = folder.name, split
        self._folder = folder
        names = read_text(folder / "classes.txt").split()
        self._number = {name: number for number, name in enumerate(names)}
        if missing := [n for n in (*_BOXED, _CONFLICTING) if n not in self._number]:
            raise InputError(f"{folder}/classes.txt lacks the class {missing[0]}")
        self._table = np.full(256, VOID, np.uint8)
        for ours, theirs in _OURS.items():
            for name in theirs:
                if name in self._number:
                    self._table[self._number[name]] = MASK_CLASSES.index(ours)
        self._people = _people(folder / "annotations" / "person_train.json")
        self._paths = [p for p in image_files(folder / "images") if is_val(p) == (split == "val")]

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._paths)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image and its mask, and find the boxes of cars and bicycles in the mask."""
        path = self._paths[index]
        image = read_image(path)
        mask_path = self._folder / "masks" / f"{path.stem}.png"
        mask = read_mask(mask_path, path, image.shape)
        boxes = list(self._people.get(path.name, []))
        labels = [DETECTION_CLASSES.index("person")] * len(boxes)
        ignore: list[tuple[float, ...]] = []
        for name in _BOXED:
            whole, rest = regions(mask == self._number[name])
            boxes += whole
            labels += [DETECTION_CLASSES.index(name)] * len(whole)
            ignore += rest
        for found in regions(mask == self._number[_CONFLICTING]):
            ignore += found
        height, width = image.shape[:2]
        return Sample(
            image,
            path.name,
            clip_boxes(np.array(boxes, np.float32).reshape(-1, 4), width, height),
            np.array(labels, np.int64),
            clip_boxes(np.array(ignore, np.float32).reshape(-1, 4), width, height),
            mask=self._table[mask],
        )


def is_val(path: Path) -> bool:
    """Whether the image's run of ids is held out. Raises InputError where its name is no number."""
    if not path.stem.isdigit():
        raise InputError(
            f"{path} is named after no id; Semantic Drone images are 000.jpg and so on"
        )
    return int(path.stem) // _RUN % _VAL_EVERY == _VAL_RUN


def regions(
    here: NDArray[np.bool_],
) -> tuple[list[tuple[float, ...]], list[tuple[float, ...]]]:
    """Boxes (x1, y1, x2, y2) px of the connected regions: single objects, and what to ignore."""
    count, numbers, stats, _ = cv2.connectedComponentsWithStats(here.astype(np.uint8))
    whole: list[tuple[float, ...]] = []
    ignore: list[tuple[float, ...]] = []
    for number in range(1, count):
        left, top, width, height, pixels = (int(v) for v in stats[number])
        box = (float(left), float(top), float(left + width), float(top + height))
        part = (numbers[top : top + height, left : left + width] == number).astype(np.uint8)
        outline, _ = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
        _, (long, short), _ = cv2.minAreaRect(np.concatenate(outline))
        fill = pixels / ((long + 1) * (short + 1))  # the rectangle runs through pixel centres
        single = pixels >= _MIN_PIXELS and fill >= _MIN_FILL
        (whole if single else ignore).append(box)
    return whole, ignore


def _people(path: Path) -> dict[str, list[tuple[float, ...]]]:
    """Corner boxes of people by file name."""
    try:
        content = json.loads(read_text(path))
        files = {image["id"]: image["file_name"] for image in content["images"]}
        found: dict[str, list[tuple[float, ...]]] = {}
        for number, entry in enumerate(content["annotations"]):
            box = box_of(entry, f"{path}: annotations[{number}]")
            found.setdefault(files[entry["image_id"]], []).append(box)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is not COCO JSON ({error!r})") from error
    return found
