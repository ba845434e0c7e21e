# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Readers of data sets, labelled or not; `registry` lists the formats."""

from sc2_ros.data.base import (
    DETECTION_CLASSES,
    MASK_CLASSES,
    VOID,
    Dataset,
    Sample,
)
from sc2_ros.data.registry import FORMATS, open_dataset

__all__ = [
    "DETECTION_CLASSES",
    "FORMATS",
    "MASK_CLASSES",
    "VOID",
    "Dataset",
    "Sample",
    "open_dataset",
]
