# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Images sorted into one folder per class: SPLIT/CLASS/ or, without splits, CLASS/."""

from __future__ import annotations

from pathlib import Path

from sc2_ros.data.base import Dataset, Sample, image_files, read_image
from sc2_ros.data.splits import split_files
from sc2_ros.errors import InputError

_SPLITS = ("train", "val", "test")
# Halves of a data set with labels of its own, which are no classes.
_NO_CLASSES = ("images", "masks", "labels", "annotations", "jpegimages", "segmentationclass")


def is_image_folder(folder: Path) -> bool:
    """Whether the folder, or its train/ or val/, holds two or more folders of images.

    Not where one of them is called images, masks or the like: pictures beside their masks.
    """
    found = [_classes(place) for place in (folder / "train", folder / "val", folder)]
    names = {name.lower() for classes in found for name in classes}
    return any(len(classes) > 1 for classes in found) and not names.intersection(_NO_CLASSES)


class ImageFolderDataset(Dataset):
    """Classification data as torchvision's ImageFolder has it; classes are sorted by name.

    Without SPLIT folders each class is split by `split_stems`, so neighbouring frames stay
    together.
    """

    def __init__(self, folder: Path, split: str) -> None:
        """List the files; raise InputError where the split is unknown."""
        self.name, self.split = folder.name, split
        present = [name for name in _SPLITS if _classes(folder / name)]
        if present and split not in present:
            raise InputError(f"no split '{split}' in {folder}: it has {', '.join(present)}")
        if not present and split not in ("train", "val"):
            raise InputError(f"no split '{split}' in {folder}: use train or val")
        places = [folder / name for name in present] or [folder]
        # Classes of all splits, so that a class that one split lacks does not move the numbers.
        self.image_classes = tuple(sorted({c for place in places for c in _classes(place)}))
        root = folder / split if present else folder
        self._items = []
        for number, name in enumerate(self.image_classes):
            files = image_files(root / name) if (root / name).is_dir() else []
            files = sorted(files, key=lambda f: f.stem) if present else split_files(files, split)
            self._items += [(file, number) for file in files]

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image; `category` is the number of its folder."""
        path, number = self._items[index]
        return Sample(read_image(path), f"{path.parent.name}/{path.name}", category=number)


def _classes(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    inside = (p for p in sorted(folder.iterdir()) if p.is_dir() and p.name not in _SPLITS)
    return [p.name for p in inside if image_files(p)]
