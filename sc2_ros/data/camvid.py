# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mask folders: SPLIT/ and SPLITannot/ as SegNet has CamVid, or images/ and masks/."""

from __future__ import annotations

from pathlib import Path

from sc2_ros.data.base import Dataset, Sample, image_files, read_image, read_text
from sc2_ros.data.masks import keep_below, read_mask
from sc2_ros.data.splits import split_files, split_folder
from sc2_ros.errors import InputError

CAMVID_CLASSES = (
    *("sky", "building", "pole", "road", "pavement", "tree"),
    *("sign_symbol", "fence", "car", "pedestrian", "bicyclist"),
)


def is_camvid(folder: Path) -> bool:
    """Whether the folder has pairs of SPLIT and SPLITannot, or images, masks and class names."""
    halves = (folder / "images").is_dir() and (folder / "masks").is_dir()
    return bool(_annotated(folder)) or (halves and (folder / "classes.txt").is_file())


class CamVidDataset(Dataset):
    """Masks in the data set's own numbers; numbers without a name become VOID.

    The names are the lines of classes.txt, or CamVid's own eleven where there is no such file.
    images/ and masks/ have a folder for each split, or are split by `split_stems`.
    """

    def __init__(self, folder: Path, split: str) -> None:
        """List the pairs; raise InputError where the split or a mask is missing."""
        self.name, self.split = folder.name, split
        names = folder / "classes.txt"
        lines = read_text(names).splitlines() if names.is_file() else CAMVID_CLASSES
        self.mask_classes = tuple(line.strip() for line in lines if line.strip())
        files, masks = _images_and_masks(folder, split)
        self._items = [(f, masks / f"{f.stem}.png") for f in files]
        missing = [m.name for _, m in self._items if not m.is_file()]
        if missing:
            raise InputError(f"{masks} lacks {len(missing)} masks, the first is {missing[0]}")

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image and its mask; they have the same size."""
        path, mask_path = self._items[index]
        image = read_image(path)
        mask = read_mask(mask_path, path, image.shape)
        return Sample(image, path.name, mask=keep_below(mask, len(self.mask_classes)))


def _annotated(folder: Path) -> list[str]:
    """The splits that have a folder of images and one of masks with `annot` behind its name."""
    names = sorted(p.name.removesuffix("annot") for p in folder.glob("?*annot") if p.is_dir())
    return [name for name in names if (folder / name).is_dir()]


def _images_and_masks(folder: Path, split: str) -> tuple[list[Path], Path]:
    """The images of a split and the folder of their masks; raises InputError for another split."""
    images, masks = folder / "images", folder / "masks"
    if known := _annotated(folder):
        if split in known:
            return image_files(folder / split), folder / f"{split}annot"
    elif place := split_folder(images, split):
        return image_files(place), masks / place.name
    elif (files := image_files(images)) and split in ("train", "val"):
        return split_files(files, split), masks
    else:
        known = ["train", "val"] if files else sorted(p.name for p in images.iterdir())
    raise InputError(f"no split '{split}' in {folder}: it has {', '.join(known)}")
