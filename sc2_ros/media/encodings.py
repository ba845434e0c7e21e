# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place where ROS image encodings become arrays: uint8 (H, W, 3) RGB or (H, W) grey."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError

Image = npt.NDArray[np.uint8]

LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
MIN_SPAN = 64
"""Counts over which a 16-bit image is stretched at least, so that a blank wall is not all noise."""


@dataclass(frozen=True)
class _Encoding:
    channels: int
    sample_bytes: int
    to_image: Callable[[npt.NDArray[Any]], Image]


def stretch(image: npt.NDArray[np.uint16], sample: npt.NDArray[np.uint16] | None = None) -> Image:
    """16-bit grey (H, W) to 8 bits: the 0.5th to the 99.5th percentile becomes 0 to 255.

    Thermal cameras use 14 bits at most, and of those a small part that moves with the temperature,
    so dropping the low byte would leave nothing to see. Percentiles are taken on `sample`, by
    default every fourth row and column, and a few dead or burning pixels do not darken the rest.
    """
    if sample is None:
        sample = image[2::4, 2::4] if min(image.shape) > 2 else image
    low, high = np.percentile(sample, (LOW_PERCENTILE, HIGH_PERCENTILE))
    scale = 255.0 / max(high - low, MIN_SPAN)
    return cv2.convertScaleAbs(np.maximum(image, np.uint16(low)), alpha=scale, beta=-low * scale)


def _as_is(image: npt.NDArray[Any]) -> Image:
    return image


def _convert(code: int) -> Callable[[npt.NDArray[Any]], Image]:
    return lambda image: cv2.cvtColor(image, code)


def _demosaic(code: int) -> Callable[[npt.NDArray[Any]], Image]:
    """Colours of a Bayer pattern; of 16-bit samples after stretching them as `stretch` does."""

    def convert(image: npt.NDArray[Any]) -> Image:
        if min(image.shape) < 2:
            raise InputError(f"Bayer image of {image.shape[1]}x{image.shape[0]}: no whole pattern")
        if image.dtype == np.uint16:
            corners = [image[y::8, x::8].ravel() for y in (0, 1) for x in (0, 1)]
            image = stretch(image, np.concatenate(corners))  # of all four colours alike
        return cv2.cvtColor(np.ascontiguousarray(image), code)

    return convert


_BAYER = {
    # ROS names the first two pixels of the first two rows, OpenCV those of the second row and
    # column: the same pattern has another name there.
    "bayer_rggb": cv2.COLOR_BayerBG2RGB,
    "bayer_bggr": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg": cv2.COLOR_BayerGR2RGB,
    "bayer_grbg": cv2.COLOR_BayerGB2RGB,
}
_ENCODINGS = {
    "rgb8": _Encoding(3, 1, _as_is),
    "bgr8": _Encoding(3, 1, _convert(cv2.COLOR_BGR2RGB)),
    "rgba8": _Encoding(4, 1, _convert(cv2.COLOR_RGBA2RGB)),
    "bgra8": _Encoding(4, 1, _convert(cv2.COLOR_BGRA2RGB)),
    "mono8": _Encoding(1, 1, _as_is),
    "mono16": _Encoding(1, 2, stretch),
    # OpenCV's own names, which some drivers use.
    "8UC1": _Encoding(1, 1, _as_is),
    "8UC3": _Encoding(3, 1, _convert(cv2.COLOR_BGR2RGB)),
    "16UC1": _Encoding(1, 2, stretch),
    **{f"{name}8": _Encoding(1, 1, _demosaic(code)) for name, code in _BAYER.items()},
    **{f"{name}16": _Encoding(1, 2, _demosaic(code)) for name, code in _BAYER.items()},
}

KNOWN_ENCODINGS = tuple(_ENCODINGS)
"""Encodings of sensor_msgs/Image that `decode_raw` reads."""


def image_array(message: Any) -> Image:
    """The picture in a sensor_msgs/Image or CompressedImage, from rclpy, the runtime or rosbags.

    Raises:
        InputError: as `decode_raw` and `decode_compressed` do.
    """
    if hasattr(message, "format"):
        return decode_compressed(message.data)
    return decode_raw(
        message.data,
        encoding=message.encoding,
        width=message.width,
        height=message.height,
        step=message.step,
        big_endian=bool(message.is_bigendian),
    )


def decode_raw(
    data: Any, *, encoding: str, width: int, height: int, step: int, big_endian: bool = False
) -> Image:
    """The image in a sensor_msgs/Image; it may be a view of ``data``.

    Args:
        data: anything with the buffer protocol.
        encoding: one of ``KNOWN_ENCODINGS``.
        width: pixels per row.
        height: rows.
        step: bytes per row, padding included; 0 if there is none.
        big_endian: byte order of 16-bit samples.

    Raises:
        InputError: unknown encoding, or data that do not fit the size.
    """
    kind = _ENCODINGS.get(encoding)
    if kind is None:
        raise InputError(
            f"image encoding {encoding!r} is not supported; known: {', '.join(KNOWN_ENCODINGS)}"
        )
    row_bytes = width * kind.channels * kind.sample_bytes
    step = step or row_bytes
    flat = np.frombuffer(data, np.uint8)
    if width < 1 or height < 1 or step < row_bytes or flat.size < step * height:
        raise InputError(
            f"{encoding} image of {width}x{height} with step {step} needs {row_bytes} bytes a row "
            f"and {step * height} in all, but it has {flat.size}; check the camera driver"
        )
    rows = flat[: step * height].reshape(height, step)[:, :row_bytes]
    if kind.sample_bytes == 2:
        order = ">u2" if big_endian else "<u2"
        image = np.ascontiguousarray(rows).view(order).astype(np.uint16)
        return kind.to_image(image)
    if kind.channels == 1:
        return kind.to_image(rows)
    return kind.to_image(rows.reshape(height, width, kind.channels))


def decode_compressed(data: Any) -> Image:
    """The image in a sensor_msgs/CompressedImage: JPEG, PNG or whatever else OpenCV reads.

    Raises:
        InputError: the data are not an image.
    """
    flat = np.frombuffer(data, np.uint8)
    try:
        # Unchanged keeps grey grey, and rotates nothing: boxes belong to the pixels as sent.
        image = cv2.imdecode(flat, cv2.IMREAD_UNCHANGED) if flat.size else None
    except cv2.error:
        image = None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        head = flat[:8].tobytes().hex(" ")
        raise InputError(
            f"compressed image of {flat.size} bytes (first: {head}) cannot be read; "
            "expected JPEG or PNG"
        )
    if image.dtype == np.uint16:
        if image.ndim == 2:
            return stretch(image)
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 2:
        return image
    code = cv2.COLOR_BGRA2RGB if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, code)
