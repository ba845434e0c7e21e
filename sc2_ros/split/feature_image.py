# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""JPEG and WebP: of the features of a split backbone, and of the image before the whole of it.

The SC2 benchmark's baselines (Matsubara et al., TMLR 2023, section 4.1): nothing is trained.
"""

from __future__ import annotations

import io
import math
import struct
from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor, nn

from sc2_ros.errors import PacketError, ParameterError
from sc2_ros.split.backbones import Backbone, BackboneHead
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.priors import Prior, in_range

FORMATS = ("jpeg", "webp", "avif", "lossless")
_READ = ("JPEG", "WEBP", "AVIF")
_NO_PICTURE = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    Image.DecompressionBombError,
    KeyError,  # of Pillow before 11.3, which lacks AVIF, where the data is none of the others
)


class PicturePrior(Prior):
    """A latent as one picture by an image codec, in place of a learned prior.

    Three channels are taken as RGB, others as a mosaic of grey tiles::

        latent (1, C, h, w) -> 8 bits between its extremes -> tiles (rows h, cols w) -> JPEG
    """

    def __init__(self, channels: int, codec: str, quality: int, *, unit_range: bool) -> None:
        """codec: one of FORMATS; quality: 0 to 100; unit_range: the latent is in [0, 1]."""
        super().__init__()
        if codec not in FORMATS or not 0 <= quality <= 100:
            raise ParameterError(
                f"no picture codec '{codec}' of quality {quality}; known are {', '.join(FORMATS)}, "
                "quality 0 to 100"
            )
        self.channels, self.codec, self.quality = channels, codec, quality
        self.unit_range = unit_range
        self.cols = math.ceil(math.sqrt(channels))
        self.rows = math.ceil(channels / self.cols)

    def forward(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Each latent through the codec; bits are those of its bytes. No gradient."""
        strings = [self.compress(one[None])[0] for one in latent]
        size = (int(latent.shape[2]), int(latent.shape[3]))
        decoded = torch.cat([self.decompress([data], size) for data in strings]).to(latent.device)
        return decoded, latent.new_tensor([8.0 * len(data) for data in strings])

    def quantise(self, latent: Tensor) -> Tensor:
        """See Prior."""
        return cast(Tensor, self(latent)[0])

    def compress(self, latent: Tensor) -> list[bytes]:
        """See Prior: extremes as float32 unless they are known, then the file."""
        values = latent[0].detach().float().cpu().numpy()
        low, high = (0.0, 1.0) if self.unit_range else (float(values.min()), float(values.max()))
        levels = np.rint((values - low) * (255 / max(high - low, 1e-8))).clip(0, 255)
        buffer = io.BytesIO()
        picture = Image.fromarray(self._arrange(levels.astype(np.uint8)))
        if self.codec == "lossless":
            picture.save(buffer, "WEBP", lossless=True)
        else:
            picture.save(buffer, self.codec.upper(), quality=self.quality)
        extremes = b"" if self.unit_range else struct.pack("<ff", low, high)
        return [extremes + buffer.getvalue()]

    def decompress(self, strings: Sequence[bytes], size: tuple[int, int]) -> Tensor:
        """See Prior."""
        data, low, high = strings[0], 0.0, 1.0
        if not self.unit_range:
            if len(data) < 8:
                raise PacketError(f"{len(data)} bytes are no picture of features")
            low, high = struct.unpack("<ff", data[:8])
            data = data[8:]
        expected = size if self.channels == 3 else (self.rows * size[0], self.cols * size[1])
        try:
            picture = Image.open(io.BytesIO(data), formats=_READ)
            if picture.size[::-1] != expected:  # before anything is decoded
                raise PacketError(f"a picture of {picture.size[::-1]}, expected {expected}")
            pixels = np.asarray(picture.convert("RGB" if self.channels == 3 else "L"))
        except _NO_PICTURE as error:
            raise PacketError(f"not a picture: {error}") from error
        tiles = self._take_apart(pixels, size)
        latent = torch.from_numpy(tiles.astype(np.float32))[None] * ((high - low) / 255) + low
        return in_range(latent)

    def _arrange(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
        if self.channels == 3:
            if (values[0] == values[1]).all() and (values[0] == values[2]).all():
                return np.ascontiguousarray(values[0])  # a grey camera: one channel is cheaper
            return np.ascontiguousarray(values.transpose(1, 2, 0))
        channels, height, width = values.shape
        padded = np.zeros((self.rows * self.cols, height, width), np.uint8)
        padded[:channels] = values
        grid = padded.reshape(self.rows, self.cols, height, width).transpose(0, 2, 1, 3)
        return np.ascontiguousarray(grid.reshape(self.rows * height, self.cols * width))

    def _take_apart(self, pixels: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
        height, width = size
        if self.channels == 3:
            return pixels.transpose(2, 0, 1)
        grid = pixels.reshape(self.rows, height, self.cols, width).transpose(0, 2, 1, 3)
        return grid.reshape(-1, height, width)[: self.channels]


def build(backbone: Backbone, codec: str = "jpeg", quality: int = 50, split: int = 1) -> Bottleneck:
    """codec, quality: of the pictures; split: stages on board, 0 for the image itself."""
    if split == 0:
        image = PicturePrior(3, codec, quality, unit_range=True)
        return ImageBottleneck(nn.Identity(), image, BackboneHead(backbone, 1), split=1, stride=1)
    prior = PicturePrior(backbone.channels[split - 1], codec, quality, unit_range=False)
    head = BackboneHead(backbone, split)
    return Bottleneck(head, prior, nn.Identity(), split=split, stride=2 ** (split + 1))


class ImageBottleneck(Bottleneck):
    """Sends the image: no encoder on board, the backbone's first stage is the decoder."""
