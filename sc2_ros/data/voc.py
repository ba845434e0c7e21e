# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pascal VOC XML: Annotations/, JPEGImages/ and ImageSets/Main/SPLIT.txt."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import numpy as np

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
from sc2_ros.data.splits import split_stems
from sc2_ros.errors import InputError


def is_voc(folder: Path) -> bool:
    """Whether the folder holds Annotations/*.xml and a folder of images beside it."""
    annotations = folder / "Annotations"
    return _images(folder) is not None and any(annotations.glob("*.xml"))


class VocDataset(Dataset):
    """Boxes from XML files; `difficult` objects are ignore boxes, unknown names left out.

    Splits are those of ImageSets/Main; without them whole sequences go to train or val
    (`split_stems`). VOC counts pixels from 1 and includes the last one (VOC2012 devkit, section
    3.3), so its 1..10 is our 0..10.
    """

    def __init__(self, folder: Path, split: str) -> None:
        """Read every XML file; raise InputError for a damaged one or an unknown split."""
        self.name, self.split = folder.name, split
        images = _images(folder)
        assert images is not None  # is_voc was asked before
        files = {file.stem: file for file in image_files(images)}
        annotations = folder / "Annotations"
        objects = {f.stem: _read_objects(f) for f in sorted(annotations.glob("*.xml"))}
        stems = _stems(folder, split, sorted(set(files) & set(objects)))
        if missing := [stem for stem in stems if stem not in files or stem not in objects]:
            raise InputError(
                f"{folder}: {len(missing)} images of the split '{split}' lack the picture or its "
                f"XML, the first is {missing[0]}"
            )
        self._items = [(files[stem], objects[stem]) for stem in stems]
        names = {name for rows in objects.values() for name, *_ in rows}
        self.detection_classes = known_classes(map(label_of, names))
        self.left_out_classes = left_out(names)
        if not self.detection_classes:
            raise none_of_ours(annotations, names)

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read the image and sort its objects into boxes and ignore boxes."""
        path, rows = self._items[index]
        image = read_image(path)
        height, width = image.shape[:2]
        boxes, labels, ignore = [], [], []
        for name, box, difficult in rows:
            label = label_of(name)
            if label is None or box[2] <= box[0] or box[3] <= box[1]:
                continue
            if difficult or label == IGNORE:
                ignore.append(box)
            else:
                boxes.append(box)
                labels.append(label)
        return Sample(
            image,
            path.name,
            clip_boxes(np.array(boxes, np.float32).reshape(-1, 4), width, height),
            np.array(labels, np.int64),
            clip_boxes(np.array(ignore, np.float32).reshape(-1, 4), width, height),
        )


def _images(folder: Path) -> Path | None:
    for name in ("JPEGImages", "images", "Images"):
        if (folder / name).is_dir():
            return folder / name
    return None


def _stems(folder: Path, split: str, known: list[str]) -> list[str]:
    sets = folder / "ImageSets" / "Main"
    if (sets / f"{split}.txt").is_file():
        lines = read_text(sets / f"{split}.txt").splitlines()
        return [line.split()[0] for line in lines if line.strip()]
    if sets.is_dir() and any(sets.glob("*.txt")):
        names = ", ".join(p.stem for p in sorted(sets.glob("*.txt")) if "_" not in p.stem)
        raise InputError(f"no split '{split}' in {folder}: ImageSets/Main has {names}")
    if split not in ("train", "val"):
        raise InputError(f"no split '{split}' in {folder}: use train or val")
    return split_stems(known, split)


def _read_objects(path: Path) -> list[tuple[str, tuple[float, float, float, float], bool]]:
    """Name, corners in px counted from 0, and whether it is difficult, of every object."""
    rows = []
    try:
        for number, item in enumerate(ElementTree.parse(path).iter("object"), 1):
            box = item.find("bndbox")
            if box is None:
                raise ValueError("an object without bndbox")
            x1, y1, x2, y2 = (
                float(box.findtext(k) or "missing") for k in ("xmin", "ymin", "xmax", "ymax")
            )
            if not np.isfinite((x1, y1, x2, y2)).all():
                raise ValueError(f"the bndbox of object {number} has a number that is not finite")
            name = (item.findtext("name") or "").strip()
            difficult = (item.findtext("difficult") or "0").strip() == "1"
            rows.append((name, (x1 - 1, y1 - 1, x2, y2), difficult))
    except (ElementTree.ParseError, ValueError, OSError) as error:
        raise InputError(
            f"{path} is not VOC XML ({error}); expected object elements with name and bndbox"
        ) from error
    return rows
