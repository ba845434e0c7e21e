# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a trained encoder says of images, and with which gains it is coded."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.codec.wire import RATE_CODES
from sc2_ros.network.bottleneck import Bottleneck
from sc2_ros.network.encoder import STRIDE


def image_tensor(image: NDArray[np.uint8], stride: int) -> torch.Tensor:
    """(1, 3, H, W) in [0, 1] of (H, W, 3) RGB or (H, W) grey, cut to multiples of `stride`."""
    height, width = (side // stride * stride for side in image.shape[:2])
    pixels = image[:height, :width]
    rgb = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, 2)
    return torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)[None].float() / 255


@torch.inference_mode()
def latents(
    encoder: torch.nn.Module, images: Iterable[NDArray[np.uint8]]
) -> list[NDArray[np.float32]]:
    """Latents (C, h, w) of uint8 images, (H, W, 3) RGB or (H, W) grey, cut to multiples of 16."""
    result = []
    for image in images:
        result.append(encoder(image_tensor(image, STRIDE))[0].numpy())
    return result


def code_gains(bottleneck: Bottleneck) -> NDArray[np.float32]:
    """(65, C), gains at each rate code: between the anchors, interpolated in the log domain."""
    with torch.inference_mode():
        rates = torch.arange(RATE_CODES) / (RATE_CODES - 1)
        gains: NDArray[np.float32] = bottleneck.gains(rates)[:, :, 0, 0].numpy()
    return gains
