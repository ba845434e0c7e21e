# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Masks as files: one class number per pixel, as grey values or as indices of a palette."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from sc2_ros.data.base import VOID
from sc2_ros.errors import InputError


def read_mask(path: Path, picture: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Read a mask: uint8 (H, W) class numbers; what is above 255 becomes VOID.

    picture, shape: the image that the mask is of, and its (H, W[, 3]).

    Raises:
        InputError: the file is missing or damaged, has colours in place of numbers, or is of
            another size than the picture.
    """
    try:
        # Pillow, because OpenCV turns a palette's indices into colours.
        with Pillow.open(path) as file:
            mode, numbers = file.mode, np.asarray(file)
    except Exception as error:  # Pillow's plugins raise what they stumble over
        raise InputError(f"the mask {path} is damaged or missing ({error})") from error
    if numbers.ndim != 2:
        raise InputError(
            f"the mask {path} has colours ({mode}) in place of class numbers; save it as grey "
            "values or palette indices, the number of the class in every pixel"
        )
    if numbers.shape != shape[:2]:
        (height, width), (rows, columns) = shape[:2], numbers.shape
        raise InputError(
            f"the mask {path} is {columns} x {rows} px and its picture {picture} {width} x "
            f"{height}; save them in one size"
        )
    return np.where(numbers < VOID, numbers, VOID).astype(np.uint8)


def keep_below(mask: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """A mask (H, W) in which numbers from `classes` on are VOID."""
    return np.where(mask < classes, mask, VOID).astype(np.uint8)
