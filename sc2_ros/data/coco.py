# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""COCO JSON with boxes, and HIT-UAV's dialect of it (keys `annotation` and `filename`)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from fnmatch import fnmatchcase
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
    read_text,
)
from sc2_ros.data.splits import SPLIT_NAMES, split_folder, split_stems
from sc2_ros.errors import InputError

Box = tuple[float, float, float, float]
"""Left, top, right, bottom px."""
WITHOUT_SPLITS = "instances_default.json"
"""What CVAT exports: all images in one file, which are split by `split_stems`."""


def find_annotations(folder: Path, split: str) -> Path | None:
    """Find the split's JSON file, by the names in use and without case."""
    names = SPLIT_NAMES.get(split, (split.lower(),))
    for place in (folder / "annotations", folder):
        files = sorted((*place.glob("*.json"), *place.glob("*/_annotations.coco.json")))
        for pattern in (
            *(f"{name}.json" for name in names),
            *(f"instances_{name}*.json" for name in names),
            *(f"{name}/_annotations.coco.json" for name in names),
        ):
            for file in files:
                if fnmatchcase(file.relative_to(place).as_posix().lower(), pattern):
                    return file
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
                f"no split '{split}' in {folder}: annotations/ holds {', '.join(known)}; "
                f"call the file of the split {split}.json or instances_{split}.json"
            )
        self.name, self.split = folder.name, split
        try:
            content = json.loads(read_text(path))
            annotations = content["annotations" if "annotations" in content else "annotation"]
            kinds = [(c["id"], c["name"]) for c in content["categories"]]
            images = [(i["id"], i.get("file_name") or i.get("filename")) for i in content["images"]]
            names, files = _by_id(kinds, f"{path}: categories"), _by_id(images, f"{path}: images")
            labels = {category: label_of(name) for category, name in names.items()}
            boxes_of: dict[str, list[tuple[int, Box, bool]]] = {number: [] for number in files}
            used, strays = set(), 0
            for number, a in enumerate(annotations):
                where = f"{path}: annotations[{number}]"
                category = str(a.get("category_id"))
                if category not in names:
                    raise InputError(
                        f"{where}: its category_id is {a.get('category_id')!r}, which categories "
                        "does not list; add the category or remove the annotation"
                    )
                used.add(names[category])
                label, image = labels[category], str(a["image_id"])
                strays += image not in files
                if image in files and label is not None:
                    boxes_of[image].append((label, box_of(a, where), bool(a.get("iscrowd"))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path} is not COCO JSON ({error!r}); expected images, annotations and categories"
            ) from error
        # Of a part of a data set there may be all annotations, so some strays are no fault.
        if strays and strays == len(annotations):
            raise InputError(f"{path}: no image_id of its annotations is an id of its images")
        self.detection_classes = known_classes(labels.values())
        if not self.detection_classes:
            raise none_of_ours(path, names.values())
        self.left_out_classes = left_out(used)
        self._items = sorted(((files[i], boxes_of[i]) for i in files), key=lambda item: item[0])
        if path.name == WITHOUT_SPLITS:
            stem_of = {file: str(Path(file).with_suffix("")) for file, _ in self._items}
            wanted = set(split_stems(list(stem_of.values()), split))
            self._items = [item for item in self._items if stem_of[item[0]] in wanted]
        self._folders = [
            f
            for f in (
                split_folder(folder, split),
                split_folder(folder / "images", split),
                # CVAT: images/Validation/ beside annotations/instances_Validation.json
                folder / "images" / path.stem.removeprefix("instances_"),
                folder / "images",
                path.parent,
                folder,
                *sorted(folder.glob(f"{split}*/")),
            )
            if f and f.is_dir()
        ]

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._items)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read the image and sort its annotations into boxes and ignore boxes."""
        file, annotations = self._items[index]
        image = read_image(self._locate(file))
        height, width = image.shape[:2]
        boxes, labels, ignore = [], [], []
        for label, (x1, y1, x2, y2), crowd in annotations:
            if x2 <= x1 or y2 <= y1:
                continue
            if label == IGNORE or crowd:
                ignore.append((x1, y1, x2, y2))
            else:
                boxes.append((x1, y1, x2, y2))
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


def box_of(annotation: dict[str, Any], where: str) -> Box:
    """An annotation's corners: of its bbox, or around its polygons where it has none.

    Raises:
        InputError: it has neither, or not of finite numbers; begins with `where`.
    """
    box, outlines = annotation.get("bbox"), annotation.get("segmentation")
    try:
        if box:
            left, top, width, height = _finite(box)
            return left, top, left + width, top + height
        if outlines and isinstance(outlines, list):
            xs, ys = (_finite(v for o in outlines for v in o[start::2]) for start in (0, 1))
            return min(xs), min(ys), max(xs), max(ys)
    except (TypeError, ValueError, OverflowError):
        pass
    raise InputError(
        f"{where}: its bbox is {str(box)[:60]}; expected left, top, width and height as finite "
        "numbers, or none and polygons in segmentation; remove the annotation or draw it again"
    )


def _finite(values: Iterable[Any]) -> list[float]:
    """Numbers, none of them a text. Raises ValueError for others and what is not finite."""
    numbers = [v / 1 for v in values]  # of a text a TypeError
    if not all(map(math.isfinite, numbers)):
        raise ValueError("not finite")
    return numbers


def _by_id(entries: Iterable[tuple[Any, Any]], where: str) -> dict[str, str]:
    """Names by id; as a text, for some tools write the number 7 here and "7" there."""
    names: dict[str, str] = {}
    for number, name in entries:
        if not isinstance(name, str) or not name:
            raise InputError(f"{where}: the name of {number!r} is {name!r}, not a text")
        known = names.setdefault(str(number), name)
        if known != name:
            raise InputError(
                f"{where}: {known} and {name} have one id, {number!r}; number them anew"
            )
    return names
