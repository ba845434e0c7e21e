# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of labelled data: HIT-UAV, COCO JSON, YOLO text, CamVid masks, the synthetic flight."""

from __future__ import annotations

from pathlib import Path

from sc2_ros.errors import InputError
from sc2_ros.training.datasets.base import (
    DETECTION_CLASSES,
    MASK_CLASSES,
    VOID,
    Dataset,
    Sample,
)
from sc2_ros.training.datasets.camvid import CamVidDataset, is_camvid
from sc2_ros.training.datasets.coco import CocoDataset, has_annotations
from sc2_ros.training.datasets.yolo import YoloDataset, is_yolo

__all__ = ["DETECTION_CLASSES", "MASK_CLASSES", "VOID", "Dataset", "Sample", "open_dataset"]


def open_dataset(path: str | Path, split: str) -> Dataset:
    """Open a split of a data folder, or of "synthetic[:FLIGHTS]"; the format is found by itself.

    Raises InputError where the path, the format or the split is unknown.
    """
    spec = str(path)
    if spec == "synthetic" or spec.startswith("synthetic:"):
        count = spec.removeprefix("synthetic").removeprefix(":")
        if count and not count.isdigit():
            raise InputError(f"'{spec}' is not a synthetic data set: use synthetic or synthetic:20")
        from sc2_ros.training.datasets.synthetic import SyntheticDataset

        return SyntheticDataset(split, int(count) if count else None)
    folder = Path(path).expanduser()
    if not folder.is_dir():
        raise InputError(f"no data folder at {folder}; give a folder or 'synthetic'")
    if has_annotations(folder):
        return CocoDataset(folder, split)
    if is_yolo(folder):
        return YoloDataset(folder, split)
    if is_camvid(folder):
        return CamVidDataset(folder, split)
    raise InputError(
        f"{folder} is no data set that we know: expected annotations/*.json (COCO, HIT-UAV), "
        "images/ + labels/ + *.names (YOLO) or train/ + trainannot/ (CamVid)"
    )
