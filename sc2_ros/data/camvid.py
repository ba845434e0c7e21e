# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mask folders in SegNet's layout of CamVid: SPLIT/ with images, SPLITannot/ with masks."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from sc2_ros.data.base import VOID, Dataset, Sample, image_files, read_image, read_text
from sc2_ros.errors import InputError

CAMVID_CLASSES = (
    *("sky", "building", "pole", "road", "pavement", "tree"),
    *("sign_symbol", "fence", "car", "pedestrian", "bicyclist"),
)


def is_camvid(folder: Path) -> bool:
    """Whether the folder has pairs of SPLIT and SPLITannot."""
    return any(
        p.is_dir() and (folder / p.name.removesuffix("annot")).is_dir()
        for p in folder.glob("?*annot")
    )


class CamVidDataset(Dataset):
    """Masks in the data set's own numbers; numbers without a name become VOID.

    The names are the lines of classes.txt, or CamVid's own eleven where there is no such file.
    """

    def __init__(self, folder: Path, split: str) -> None:
        """List the pairs; raise InputError where the split or a mask is missing."""
        self.name, self.split = folder.name, split
        names = folder / "classes.txt"
        lines = read_text(names).splitlines() if names.is_file() else CAMVID_CLASSES
        self.mask_classes = tuple(line.strip() for line in lines if line.strip())
        images, masks = folder / split, folder / f"{split}annot"
        if not (images.is_dir() and masks.is_dir()):
            known = sorted(p.name.removesuffix("annot") for p in folder.glob("?*annot"))
            raise InputError(f"no split '{split}' in {folder}: it has {', '.join(known)}")
        self._items = [(f, masks / f"{f.stem}.png") for f in image_files(images)]
        missing = [m.name for _, m in self._items if not m.is_file()]
        if missing:
            raise InputError(f"{masks} lacks {len(missing)} masks, the first is {missing[0]}")

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image and its mask; they have the same size."""
        path, mask_path = self._items[index]
        image, mask = read_image(path), cv2.imread(str(mask_path), cv2.IMREAD_UNCHANGED)
        if mask is None or mask.shape != image.shape[:2]:
            raise InputError(f"the mask {mask_path} is damaged or of another size than {path}")
        known = np.where(mask < len(self.mask_classes), mask, VOID).astype(np.uint8)
        return Sample(image, path.name, mask=known)
