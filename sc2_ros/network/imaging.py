# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Camera images to network inputs: size, padding, channels, scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError

if TYPE_CHECKING:
    import torch

STRIDE = 16
"""The encoder's stride: both sides of its input are multiples of it."""

Image = npt.NDArray[np.uint8]


def check_image(image: Image) -> None:
    """Raise ``InputError`` unless ``image`` is uint8 (H, W, 3) or (H, W) and not empty."""
    good_shape = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 3)
    if image.dtype != np.uint8 or not good_shape or not image.size:
        raise InputError(
            f"image of shape {image.shape} and type {image.dtype}; expected uint8 with shape "
            "(height, width, 3) for RGB or (height, width) for grey"
        )


def resize(image: Image, width: int, height: int) -> Image:
    """Scale uint8 (H, W[, 3]) to the size given; the same array if it has that size already."""
    if image.shape[:2] == (height, width):
        return image
    # Area averages when shrinking; it would show blocks when enlarging.
    shrinking = width * height < image.shape[0] * image.shape[1]
    return cv2.resize(
        image, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    )


def network_input(image: Image, origin: tuple[int, int] = (0, 0)) -> Image:
    """RGB with the edges repeated to multiples of 16, contiguous; most often `image` itself.

    `origin` (x, y) is where the image's corner comes to lie.
    """
    height, width = image.shape[:2]
    left, above = origin
    below, right = -(above + height) % STRIDE, -(left + width) % STRIDE
    if above or left or below or right:
        image = cv2.copyMakeBorder(image, above, below, left, right, cv2.BORDER_REPLICATE)
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    return np.ascontiguousarray(image)


def to_tensor(
    image: Image, device: str | torch.device = "cpu", origin: tuple[int, int] = (0, 0)
) -> torch.Tensor:
    """The encoder's input of an image, in channels-last memory.

    `origin` (x, y) is where the image's corner comes to lie.

    ::

        uint8 (H, W[, 3]) -> edges repeated to multiples of 16 -> float32 (1, 3, H', W') in [0, 1]
    """
    import torch  # the drone, which scales and checks images here, does without it

    image = network_input(image, origin)
    if not image.flags.writeable:
        image = image.copy()  # torch wants no memory that it may not write
    pixels = torch.from_numpy(image).to(device).permute(2, 0, 1)[None]
    return pixels.to(torch.float32).mul_(1 / 255)
