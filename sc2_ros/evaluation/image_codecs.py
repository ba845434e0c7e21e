# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The image codecs that features are compared with: an image to real bytes and back."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from sc2_ros.errors import ParameterError


class ImageCodec(ABC):
    """One codec at one quality. `name` is as given to `parse_codec`."""

    def __init__(self, name: str, quality: int = 0) -> None:
        """quality: 0 (worst) to 100, in the codec's own scale."""
        self.name, self.quality = name, quality

    @abstractmethod
    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """Image uint8 (H, W, 3) RGB or (H, W) grey to a whole file."""

    @abstractmethod
    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """The file to an image, (H, W, 3) RGB or (H, W) where the codec has grey."""


class Uncompressed(ImageCodec):
    """The pixels as they are: the ceiling of what the network can do."""

    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """The pixels, after eight bytes of shape (height, width, channels)."""
        height, width, *channels = image.shape
        shape = np.array([height, width, *channels, 0, 0][:4], np.uint16)
        return shape.tobytes() + image.tobytes()

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """The very same pixels."""
        shape = [int(n) for n in np.frombuffer(data[:8], np.uint16) if n]
        return np.frombuffer(data[8:], np.uint8).reshape(shape)


class OpenCvCodec(ImageCodec):
    """JPEG (grey stays one channel, colour is 4:2:0) and lossy WebP, as OpenCV makes them."""

    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """Encode with OpenCV's defaults besides the quality."""
        suffix, parameter = {
            "jpeg": (".jpg", cv2.IMWRITE_JPEG_QUALITY),
            "webp": (".webp", cv2.IMWRITE_WEBP_QUALITY),
        }[self.name.partition(":")[0]]
        pixels = cv2.cvtColor(image, cv2.COLOR_RGB2BGR) if image.ndim == 3 else image
        done, data = cv2.imencode(suffix, pixels, [parameter, self.quality])
        if not done:
            raise ParameterError(f"OpenCV cannot encode {self.name} of an image {image.shape}")
        return data.tobytes()

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Decode; WebP has no grey and gives RGB."""
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_ANYCOLOR)
        pixels = cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB) if pixels.ndim == 3 else pixels
        return pixels.astype(np.uint8, copy=False)


class AvifCodec(ImageCodec):
    """AVIF still pictures (AV1 intra) as Pillow makes them; grey as 4:0:0."""

    def encode(self, image: NDArray[np.uint8]) -> bytes:
        """Encode at Pillow's default speed."""
        buffer = io.BytesIO()
        options: dict[str, Any] = {} if image.ndim == 3 else {"subsampling": "4:0:0"}
        Image.fromarray(image).save(buffer, "AVIF", quality=self.quality, **options)
        return buffer.getvalue()

    def decode(self, data: bytes) -> NDArray[np.uint8]:
        """Decode to RGB."""
        return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


def parse_codec(text: str) -> ImageCodec:
    """Make a codec from "jpeg:30", "webp:20", "avif:40" or "uncompressed".

    Raises ParameterError for an unknown codec, a quality outside 0 to 100, or AVIF where Pillow
    was built without it.
    """
    name, _, quality = text.strip().lower().partition(":")
    if text.strip().lower() == "uncompressed":
        return Uncompressed(name)
    if name not in ("jpeg", "webp", "avif") or not quality.isdigit() or int(quality) > 100:
        raise ParameterError(
            f"'{text}' is not a baseline: use jpeg:Q, webp:Q or avif:Q with Q from 0 to 100, "
            "or uncompressed"
        )
    if name == "avif":
        if not features.check("avif"):
            raise ParameterError("this Pillow has no AVIF; install pillow 11.3 or newer")
        return AvifCodec(f"avif:{quality}", int(quality))
    return OpenCvCodec(f"{name}:{quality}", int(quality))
