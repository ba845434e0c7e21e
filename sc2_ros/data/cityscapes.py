# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Cityscapes: leftImg8bit/SPLIT/CITY images and gtFine/SPLIT/CITY masks of 19 classes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from sc2_ros.data.base import VOID, Dataset, Sample, read_image
from sc2_ros.data.masks import keep_below, read_mask
from sc2_ros.errors import InputError

CITYSCAPES_CLASSES = (
    *("road", "sidewalk", "building", "wall", "fence", "pole", "traffic_light", "traffic_sign"),
    *("vegetation", "terrain", "sky", "person", "rider", "car", "truck", "bus", "train"),
    *("motorcycle", "bicycle"),
)
# cityscapesScripts helpers/labels.py: the ids that are evaluated, in the order of their trainIds.
_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


def is_cityscapes(folder: Path) -> bool:
    """Whether the folder holds leftImg8bit/ and gtFine/."""
    return (folder / "leftImg8bit").is_dir() and (folder / "gtFine").is_dir()


class CityscapesDataset(Dataset):
    """Masks in the 19 trainIds, from `_labelTrainIds.png` or `_labelIds.png`; the rest is VOID."""

    mask_classes = CITYSCAPES_CLASSES

    def __init__(self, folder: Path, split: str) -> None:
        """List the pairs; raise InputError where the split or a mask is missing."""
        self.name, self.split = folder.name, split
        images, masks = folder / "leftImg8bit" / split, folder / "gtFine" / split
        if not (images.is_dir() and masks.is_dir()):
            known = sorted(p.name for p in (folder / "leftImg8bit").iterdir() if p.is_dir())
            raise InputError(f"no split '{split}' in {folder}: it has {', '.join(known)}")
        self._items = []
        for image in sorted(images.glob("*/*_leftImg8bit.png")):
            stem = image.name.removesuffix("leftImg8bit.png")
            kinds = ("gtFine_labelTrainIds", "gtFine_labelIds")
            places = [masks / image.parent.name / f"{stem}{kind}.png" for kind in kinds]
            mask = next((place for place in places if place.is_file()), None)
            if mask is None:
                raise InputError(f"{image} has no mask: {places[1]} is missing")
            self._items.append((image, mask))
        if not self._items:
            raise InputError(f"{images} holds no CITY/*_leftImg8bit.png")
        self._train_id_of = np.full(256, VOID, np.uint8)
        self._train_id_of[list(_IDS)] = np.arange(len(_IDS))

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image and its mask; they have the same size."""
        path, mask_path = self._items[index]
        image = read_image(path)
        mask = read_mask(mask_path, path, image.shape)
        if mask_path.name.endswith("_labelIds.png"):
            mask = self._train_id_of[mask]
        return Sample(image, path.name, mask=keep_below(mask, len(CITYSCAPES_CLASSES)))
