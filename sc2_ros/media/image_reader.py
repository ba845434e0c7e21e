# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Image messages of one camera as pictures, from rclpy, the runtime or rosbags.

A message costs next to nothing until its picture is asked for: one that is not going to be encoded
never is, and of one that is encoded smaller only that size is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

from sc2_ros.media.compressed import decode_compressed, read_size
from sc2_ros.media.encodings import Gains, Image, Size, decode_raw
from sc2_ros.media.thermal import ThermalConfig


class ImageReader:
    """Reads a camera's messages in their order; what is settled over time goes along."""

    def __init__(self, thermal: ThermalConfig | None = None) -> None:
        self._gains = Gains(thermal)

    def configure(self, thermal: ThermalConfig) -> None:
        """Read images of more than 8 bits in another way from now on."""
        self._gains.grey.configure(thermal)

    def open(self, message: Any) -> CameraImage:
        """A sensor_msgs/Image or CompressedImage as a picture that is not decoded yet."""
        return self.open_later(lambda: message)

    def open_later(self, message: Callable[[], Any]) -> CameraImage:
        """The same of a message that is made only if its picture is asked for."""
        return CameraImage(message, self._gains)

    def read(self, message: Any) -> Image:
        """The picture in a message, at its own size.

        Raises:
            InputError: as `decode_raw` and `decode_compressed` do.
        """
        return self.open(message).read()


class CameraImage:
    """The picture in a message, not decoded yet."""

    def __init__(self, message: Callable[[], Any], gains: Gains) -> None:
        self._make, self._gains = message, gains
        self._size: Size | None = None

    @cached_property
    def _message(self) -> Any:
        return self._make()

    @property
    def size(self) -> Size:
        """Its width and height in px, from the message's first bytes.

        Raises:
            InputError: it is a compressed picture that cannot be read.
        """
        if self._size is None:
            message = self._message
            if not hasattr(message, "format"):
                self._size = message.width, message.height
            else:
                self._size = read_size(message.data)
                if self._size is None:  # what only decoding tells
                    height, width = self.read().shape[:2]
                    self._size = width, height
        return self._size

    def read(self, size: Size | None = None) -> Image:
        """uint8 (H, W, 3) RGB or (H, W) grey, at `size` (width, height), by default its own.

        Raises:
            InputError: as `decode_raw` and `decode_compressed` do.
        """
        message, gains = self._message, self._gains
        stamp = message.header.stamp
        gains.stamp_ns = int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)
        if hasattr(message, "format"):
            return decode_compressed(message.data, format=message.format, size=size, gains=gains)
        return decode_raw(
            message.data,
            encoding=message.encoding,
            width=message.width,
            height=message.height,
            step=message.step,
            big_endian=bool(message.is_bigendian),
            size=size,
            gains=gains,
        )


def image_array(message: Any) -> Image:
    """The picture in a message by itself.

    Raises:
        InputError: as `ImageReader.read` does.
    """
    return ImageReader().read(message)
