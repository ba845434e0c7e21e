# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A data set whose pictures are enlarged or reduced: another altitude, or another lens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from sc2_ros.data.base import Dataset, Sample
from sc2_ros.errors import ParameterError
from sc2_ros.network.imaging import resize

SMALLEST, LARGEST = 0.1, 4.0


class ScaledDataset(Dataset):
    """Pictures, boxes, ignore regions and masks of another data set, `scale` times as large."""

    def __init__(self, data: Dataset, scale: float) -> None:
        """Raise ParameterError where the scale is below 0.1 or above 4."""
        check_scale(scale)
        self._data, self.scale = data, scale
        self.name, self.split = data.name, data.split
        self.detection_classes, self.mask_classes = data.detection_classes, data.mask_classes
        self.image_classes = data.image_classes

    def __len__(self) -> int:
        """Number of images of the split."""
        return len(self._data)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Read an image and resample it: bilinear upwards, means of areas downwards."""
        sample = self._data[index]
        height, width = sample.image.shape[:2]
        size = (round(width * self.scale), round(height * self.scale))
        mask: Any = sample.mask
        if mask is not None:
            mask = cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST)
        # What the sides were rounded to, so that boxes stay on their objects.
        factor = np.array([size[0] / width, size[1] / height] * 2, np.float32)
        return replace(
            sample,
            image=resize(sample.image, *size),
            boxes=sample.boxes * factor,
            ignore=sample.ignore * factor,
            mask=mask,
        )


def check_scale(scale: float) -> None:
    """Raise ParameterError where the scale is below 0.1 or above 4."""
    if not SMALLEST <= scale <= LARGEST:
        raise ParameterError(f"a scale of {scale:g} is out of range: use {SMALLEST} to {LARGEST}")
