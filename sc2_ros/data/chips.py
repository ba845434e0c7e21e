# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Object chips cut from a detection set: a classification set for tasks that have none."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.data.base import DETECTION_CLASSES, Dataset, Sample
from sc2_ros.errors import InputError

CONTEXT = 1.5
MIN_SIDE_PX = 16
MAX_SIDE_PX = 128
MIN_OBJECT_PX = 6.0


class ChipDataset(Dataset):
    """One square picture per labelled object, in the order of the images and of their boxes.

    A chip is CONTEXT times the object's longer side, at least MIN_SIDE_PX, moved inside the image
    and shrunk to MAX_SIDE_PX; objects whose longer side is below MIN_OBJECT_PX are left out. The
    chips are cut once and held in memory (HIT-UAV train: 17 thousand chips, some 40 MB).
    """

    def __init__(self, data: Dataset) -> None:
        """data: a detection set. Raises InputError where it has no boxes."""
        self.image_classes = tuple(c for c in DETECTION_CLASSES if c in data.detection_classes)
        self.name, self.split = f"chips:{data.name}", data.split
        if not self.image_classes:
            raise InputError(f"chips need a data set with boxes; {data.name} has none")
        number_of = {DETECTION_CLASSES.index(c): i for i, c in enumerate(self.image_classes)}
        self._items: list[Sample] = []
        for sample in data:
            for box, label in zip(sample.boxes, sample.labels, strict=True):
                if max(box[2] - box[0], box[3] - box[1]) < MIN_OBJECT_PX:
                    continue
                name = f"{sample.name}#{len(self._items)}"
                category = number_of[int(label)]
                self._items.append(Sample(cut(sample.image, box), name, category=category))

    def __len__(self) -> int:
        """Number of chips of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """A chip; `category` is its class."""
        return self._items[index]


def cut(image: NDArray[np.uint8], box: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The square around a box (4,) left, top, right, bottom px: (S, S[, 3]), S at most 128."""
    height, width = image.shape[:2]
    side = round(CONTEXT * float(max(box[2] - box[0], box[3] - box[1])))
    side = min(max(side, MIN_SIDE_PX), height, width)
    left = round(float(box[0] + box[2]) / 2 - side / 2)
    top = round(float(box[1] + box[3]) / 2 - side / 2)
    left, top = min(max(left, 0), width - side), min(max(top, 0), height - side)
    chip = image[top : top + side, left : left + side]
    if side > MAX_SIDE_PX:
        small = cv2.resize(chip, (MAX_SIDE_PX, MAX_SIDE_PX), interpolation=cv2.INTER_AREA)
        return small.astype(np.uint8, copy=False)
    return chip.copy()  # so that the whole image can go
