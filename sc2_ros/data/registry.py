# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which formats of data sets there are, and how each is recognised."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sc2_ros.data.base import Dataset
from sc2_ros.data.camvid import CamVidDataset, is_camvid
from sc2_ros.data.cityscapes import CityscapesDataset, is_cityscapes
from sc2_ros.data.coco import CocoDataset, has_annotations
from sc2_ros.data.frames import is_footage, open_footage
from sc2_ros.data.image_folder import ImageFolderDataset, is_image_folder
from sc2_ros.data.semantic_drone import SemanticDroneDataset, is_semantic_drone
from sc2_ros.data.voc import VocDataset, is_voc
from sc2_ros.data.yolo import YoloDataset, is_yolo
from sc2_ros.errors import InputError


@dataclass(frozen=True)
class Format:
    """A format: its name, what it looks like on disk, the test for it, and its reader."""

    name: str
    layout: str
    recognises: Callable[[Path], bool]
    read: Callable[[Path, str], Dataset]


# In the order in which they are tried: what says most about itself first.
FORMATS = (
    Format(
        "Semantic Drone",
        "images/ + masks/ + classes.txt + annotations/person_train.json",
        is_semantic_drone,
        SemanticDroneDataset,
    ),
    Format("COCO, HIT-UAV", "annotations/*.json", has_annotations, CocoDataset),
    Format("VOC", "Annotations/*.xml + JPEGImages/", is_voc, VocDataset),
    Format("YOLO", "images/ + labels/ + *.names or data.yaml", is_yolo, YoloDataset),
    Format("Cityscapes", "leftImg8bit/ + gtFine/", is_cityscapes, CityscapesDataset),
    Format(
        "CamVid",
        "train/ + trainannot/ [+ classes.txt], or images/ + masks/ + classes.txt",
        is_camvid,
        CamVidDataset,
    ),
    Format("ImageFolder", "[train/]CLASS/*.jpg", is_image_folder, ImageFolderDataset),
    Format("unlabelled", "images, a video or a ROS bag", is_footage, open_footage),
)

_CHIPS = "chips:"


def open_dataset(path: str | Path, split: str) -> Dataset:
    """Open a split of a data set; the format of a folder is found by itself.

    Args:
        path: a folder, video or bag; "synthetic[:FLIGHTS]"; or "chips:FOLDER", the objects of a
            detection set as pictures to classify.
        split: "train", "val" or what else the data set has.

    Raises:
        InputError: the path, the format or the split is unknown, or the files are damaged.
    """
    spec = str(path)
    if spec == "synthetic" or spec.startswith("synthetic:"):
        return _open_synthetic(spec, split)
    if spec.startswith(_CHIPS):
        from sc2_ros.data.chips import ChipDataset

        return ChipDataset(open_dataset(spec.removeprefix(_CHIPS), split))
    place = Path(path).expanduser()
    if not place.exists():
        raise InputError(
            f"no data folder, video or bag at {place}; give one, 'synthetic' or 'chips:FOLDER'"
        )
    kind = format_of(place)
    data = kind.read(place, split)
    if not len(data):
        raise InputError(f"the split '{split}' of {place} ({kind.name}) holds no images")
    return data


def format_of(place: Path) -> Format:
    """The format of an existing folder or file. Raises InputError saying what was looked for."""
    for kind in FORMATS:
        if kind.recognises(place):
            return kind
    inside = sorted(f"{p.name}/" if p.is_dir() else p.name for p in place.iterdir())
    seen = ", ".join(inside[:6]) + (f" and {len(inside) - 6} more" if len(inside) > 6 else "")
    known = "; ".join(f"{kind.layout} ({kind.name})" for kind in FORMATS)
    raise InputError(
        f"{place} is no data set that we know: it holds {seen or 'nothing'}, "
        f"expected one of {known}"
    )


def located(spec: str, root: Path) -> str:
    """A path of a configuration, relative to the folder of the data sets unless it is absolute."""
    if spec == "synthetic" or spec.startswith("synthetic:"):
        return spec
    if spec.startswith(_CHIPS):
        return _CHIPS + located(spec.removeprefix(_CHIPS), root)
    return str(root / Path(spec).expanduser())


def _open_synthetic(spec: str, split: str) -> Dataset:
    count = spec.removeprefix("synthetic").removeprefix(":")
    if count and not count.isdigit():
        raise InputError(f"'{spec}' is not a synthetic data set: use synthetic or synthetic:20")
    from sc2_ros.data.synthetic import SyntheticDataset

    return SyntheticDataset(split, int(count) if count else None)
