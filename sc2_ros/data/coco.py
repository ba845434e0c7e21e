# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO JSON with boxes, and HIT-UAV's dialect of it (keys `annotation` and `filename`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sc2_ros.data.base import (
    IGNORE,
    Dataset,
    Sample,
    clip_boxes,
    known_classes,
    label_of,
    left_out,
    none_of_ours,
    read_image,
)
from sc2_ros.data.splits import split_stems
from sc2_ros.errors import InputError

WITHOUT_SPLITS = "instances_default.json"
"""What CVAT exports: all images in one file, which are split by `split_stems`."""


def find_annotations(folder: Path, split: str) -> Path | None:
    """Find the split's JSON file, by the names in use."""
    for place in (folder / "annotations", folder):
        for pattern in (
            f"{split}.json",
            f"instances_{split}*.json",
            f"{split}/_annotations.coco.json",
            f"{split}id/_annotations.coco.json",  # Roboflow's valid/
        ):
            found = sorted(place.glob(pattern))
            if found:
                return found[0]
    whole = folder / "annotations" / WITHOUT_SPLITS
    return whole if split in ("train", "val") and whole.is_file() else None


def has_annotations(folder: Path) -> bool:
    """Whether the folder looks like a COCO data set, of whatever splits."""
    return any((folder / "annotations").glob("*.json")) or any(
        find_annotations(folder, split) for split in ("train", "val")
    )


class CocoDataset(Dataset):
    """Boxes from COCO JSON; crowds and DontCare are ignore boxes, unknown categories left out."""

    def __init__(self, folder: Path, split: str) -> None:
        """Read the annotations; raise InputError where they are missing or not COCO's."""
        path = find_annotations(folder, split)
        if path is None:
            known = sorted(p.name for p in (folder / "annotations").glob("*.json"))
            raise InputError(
                f"no split '{split}' in {folder}: annotations/ holds {', '.join(known)}"
            )
        self.name, self.split = folder.name, split
        try:
            content = json.loads(path.read_text())
            annotations = content["annotations" if "annotations" in content else "annotation"]
            labels = {c["id"]: label_of(c["name"]) for c in content["categories"]}
            files = {i["id"]: i.get("file_name") or i["filename"] for i in content["images"]}
            boxes_of: dict[int, list[Any]] = {number: [] for number in files}
            for a in annotations:
                if a["image_id"] in boxes_of:
                    boxes_of[a["image_id"]].append(a)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path} is not COCO JSON ({error!r}); expected images, annotations and categories"
            ) from error
        self.detection_classes = known_classes(labels.values())
        if not self.detection_classes:
            raise none_of_ours(path, (str(c["name"]) for c in content["categories"]))
        used = {a["category_id"] for a in annotations}
        self.left_out_classes = left_out(
            str(c["name"]) for c in content["categories"] if c["id"] in used
        )
        self._labels = labels
        self._items = sorted(((files[i], boxes_of[i]) for i in files), key=lambda item: item[0])
        if path.name == WITHOUT_SPLITS:
            stem_of = {file: str(Path(file).with_suffix("")) for file, _ in self._items}
            wanted = set(split_stems(list(stem_of.values()), split))
            self._items = [item for item in self._items if stem_of[item[0]] in wanted]
        self._folders = [
            f
            for f in (
                folder / split,
                folder / "images" / split,
                folder / "images",
                path.parent,
                folder,
                *sorted(folder.glob(f"{split}*/")),
            )
            if f.is_dir()
        ]

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read the image and turn its boxes from left, top, width, height into corners."""
        file, annotations = self._items[index]
        image = read_image(self._locate(file))
        height, width = image.shape[:2]
        boxes, labels, ignore = [], [], []
        for a in annotations:
            label = self._labels.get(a["category_id"])
            left, top, w, h = a["bbox"]
            if label is None or w <= 0 or h <= 0:
                continue
            box = (left, top, left + w, top + h)
            if label == IGNORE or a.get("iscrowd"):
                ignore.append(box)
            else:
                boxes.append(box)
                labels.append(label)
        return Sample(
            image,
            file,
            clip_boxes(np.array(boxes, np.float32).reshape(-1, 4), width, height),
            np.array(labels, np.int64),
            clip_boxes(np.array(ignore, np.float32).reshape(-1, 4), width, height),
        )

    def _locate(self, file: str) -> Path:
        for folder in self._folders:
            if (folder / file).is_file():
                return folder / file
        raise InputError(
            f"the image {file} of {self.name} is in none of "
            f"{', '.join(str(f) for f in self._folders)}"
        )
