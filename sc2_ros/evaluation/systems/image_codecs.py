# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The image codecs that features are compared with: an image to real bytes and back.

Each is set for the smallest file that it makes at a quality, whatever time that takes; grey images
are coded as grey where the codec has it. `benchmarks/offloading.py` measures the time.
"""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from sc2_ros.errors import ParameterError

Pixels = NDArray[np.uint8]


class ImageCodec(ABC):
    """One codec at one quality; `name` is as given to `parse_codec`.

    `sequential` codecs predict from the frames before, so they need every frame, in order.
    """

    sequential = False

    def __init__(self, name: str, quality: int = 0) -> None:
        """quality: in the codec's own scale."""
        self.name, self.quality = name, quality

    @abstractmethod
    def encode(self, image: Pixels) -> bytes:
        """Image uint8 (H, W, 3) RGB or (H, W) grey to a whole file."""

    @abstractmethod
    def decode(self, data: bytes) -> Pixels:
        """The file to an image, (H, W, 3) RGB or (H, W) where the codec has grey."""


class Uncompressed(ImageCodec):
    """The pixels as they are: the ceiling of what the network can do."""

    def encode(self, image: Pixels) -> bytes:
        """The pixels, after eight bytes of shape (height, width, channels)."""
        height, width, *channels = image.shape
        shape = np.array([height, width, *channels, 0, 0][:4], np.uint16)
        return shape.tobytes() + image.tobytes()

    def decode(self, data: bytes) -> Pixels:
        """The very same pixels."""
        shape = [int(n) for n in np.frombuffer(data[:8], np.uint16) if n]
        return np.frombuffer(data[8:], np.uint8).reshape(shape)


class PillowCodec(ImageCodec):
    """A format of Pillow; `options` are those of its `save`."""

    format: str

    def options(self, grey: bool) -> list[dict[str, Any]]:
        """Settings to try; the smallest file of them is taken."""
        return [{"quality": self.quality}]

    def encode(self, image: Pixels) -> bytes:
        """Encode with each of the options, keep the smallest file."""
        picture = Image.fromarray(plain(image))
        files = []
        for options in self.options(picture.mode == "L"):
            buffer = io.BytesIO()
            picture.save(buffer, self.format, **options)
            files.append(buffer.getvalue())
        return min(files, key=len)

    def decode(self, data: bytes) -> Pixels:
        """Decode to grey or RGB."""
        picture = Image.open(io.BytesIO(data))
        return np.asarray(picture if picture.mode == "L" else picture.convert("RGB"))


class JpegCodec(PillowCodec):
    """JPEG with Huffman tables of its own, baseline or progressive; colour is 4:2:0."""

    format = "JPEG"

    def options(self, grey: bool) -> list[dict[str, Any]]:
        """Both scan orders: progressive is smaller but for small files."""
        return [
            {"quality": self.quality, "optimize": True, "progressive": progressive}
            for progressive in (False, True)
        ]


class WebpCodec(PillowCodec):
    """Lossy WebP at its slowest method; it has no grey and takes it as colour."""

    format = "WEBP"

    def options(self, grey: bool) -> list[dict[str, Any]]:
        """Method 6 searches longest."""
        return [{"quality": self.quality, "method": 6}]


class AvifCodec(PillowCodec):
    """AVIF still pictures (AV1 intra in a HEIF box) at Pillow's default speed; grey as 4:0:0."""

    format = "AVIF"

    def options(self, grey: bool) -> list[dict[str, Any]]:
        """4:0:0 for grey, else the default 4:2:0."""
        return [{"quality": self.quality} | ({"subsampling": "4:0:0"} if grey else {})]


class PngCodec(PillowCodec):
    """PNG, lossless."""

    format = "PNG"

    def options(self, grey: bool) -> list[dict[str, Any]]:
        """Best compression."""
        return [{"optimize": True}]


def plain(image: Pixels) -> Pixels:
    """The image; as (H, W) where it is colour by its shape only, all three channels the same."""
    if image.ndim == 3 and all(np.array_equal(image[..., 0], image[..., i]) for i in (1, 2)):
        return np.ascontiguousarray(image[..., 0])
    return image


_QUALITIES: dict[str, tuple[type[ImageCodec], int, int]] = {
    "jpeg": (JpegCodec, 0, 100),
    "webp": (WebpCodec, 0, 100),
    "avif": (AvifCodec, 0, 100),
}
_WITHOUT_QUALITY: dict[str, type[ImageCodec]] = {"uncompressed": Uncompressed, "png": PngCodec}

STILL_CODECS = (*(f"{name}:Q" for name in _QUALITIES), *_WITHOUT_QUALITY)


def parse_codec(text: str) -> ImageCodec | None:
    """Make a codec from "jpeg:30", "webp:20", "avif:40", "png" or "uncompressed".

    None for another codec than these. Raises ParameterError for a quality outside 0 to 100, or
    AVIF where Pillow was built without it.
    """
    name, _, quality = text.partition(":")
    if text in _WITHOUT_QUALITY:
        return _WITHOUT_QUALITY[text](text)
    if name not in _QUALITIES:
        return None
    kind, low, high = _QUALITIES[name]
    if not quality.isdecimal() or not low <= int(quality) <= high:
        raise ParameterError(f"'{text}' is not a baseline: use {name}:Q, Q from {low} to {high}")
    if name == "avif" and not features.check("avif"):
        raise ParameterError("this Pillow has no AVIF; install pillow 11.3 or newer")
    return kind(f"{name}:{int(quality)}", int(quality))
