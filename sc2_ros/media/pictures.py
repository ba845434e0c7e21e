# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The pictures of a result that the ground node publishes.

`mask` is for programs: one class number per pixel of the camera's image. `mask_color` and `preview`
are for eyes: the same picture, but no side longer than 1280 pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.ground.config import FrameResult
from sc2_ros.media.overlay import MASK_COLOURS, UNKNOWN_COLOUR, annotate

Picture = npt.NDArray[np.uint8]
LONGEST_SIDE = 1280


def mask_picture(result: FrameResult) -> Picture:
    """Class numbers, uint8 (H, W) at the size of the camera's image."""
    assert result.mask is not None
    return _resized(result.mask, result.source_size, cv2.INTER_NEAREST)


def mask_colour_picture(result: FrameResult, mask_classes: Sequence[str]) -> Picture:
    """The mask in the colours of its classes, uint8 RGB (H, W, 3)."""
    assert result.mask is not None
    palette = np.zeros((256, 3), np.uint8)
    for number, name in enumerate(mask_classes):
        palette[number] = MASK_COLOURS.get(name, UNKNOWN_COLOUR)
    return _resized(palette[result.mask], for_eyes(result.source_size), cv2.INTER_NEAREST)


def preview_picture(
    result: FrameResult, detection_classes: Sequence[str], mask_classes: Sequence[str]
) -> Picture:
    """What the drone sees, with boxes and mask drawn in, uint8 RGB (H, W, 3)."""
    assert result.preview is not None
    size = for_eyes(result.source_size)
    scale = np.array([size[0] / result.source_size[0], size[1] / result.source_size[1]] * 2)
    return annotate(
        _resized(result.preview, size, cv2.INTER_CUBIC),
        (result.boxes * scale).astype(np.float32),
        result.labels,
        result.scores,
        result.mask,
        detection_classes,
        mask_classes,
    )


def for_eyes(source_size: tuple[int, int]) -> tuple[int, int]:
    """(width, height) in px of the pictures for people."""
    scale = min(1.0, LONGEST_SIDE / max(source_size))
    return max(1, round(source_size[0] * scale)), max(1, round(source_size[1] * scale))


def _resized(image: Picture, size: tuple[int, int], interpolation: int) -> Picture:
    return cv2.resize(image, size, interpolation=interpolation).astype(np.uint8, copy=False)
