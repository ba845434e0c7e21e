# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The one place where ROS image encodings become arrays: uint8 (H, W, 3) RGB or (H, W) grey.

::

    bytes -> samples (H, W[, C]) of the encoding's type -> the size wanted -> 8 bits, RGB or grey

It reads every encoding of sensor_msgs/image_encodings.hpp, which are those of cv_bridge and more.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.errors import InputError
from sc2_ros.media import bridge
from sc2_ros.media.thermal import GainControl, ThermalConfig

Image = npt.NDArray[np.uint8]
Samples = npt.NDArray[Any]
Size = tuple[int, int]
"""Width and height in px."""


class Gains:
    """How samples of more than 8 bits become 8: a tone curve for grey, a line for colours."""

    def __init__(self, config: ThermalConfig | None = None) -> None:
        self.grey = GainControl(config)
        # Any other curve would change the hues.
        self.colour = GainControl(ThermalConfig(mode="linear"))
        self.stamp_ns = 0
        """When the image was taken that is being read."""


@dataclass(frozen=True)
class Layout:
    """Type of a sample, how many of them a pixel has, and what they become.

    `finish(samples, gains)` gives the image; `whole` says that samples must not be mixed before it,
    because neighbours stand for different colours.
    """

    dtype: str
    channels: int
    finish: Callable[[Samples, Gains], Image]
    whole: bool = False


def _as_is(samples: Samples, _gains: Gains) -> Image:
    return samples


def _grey(samples: Samples, gains: Gains) -> Image:
    return gains.grey(samples, gains.stamp_ns)


def _colour(encoding: str, code: int) -> Callable[[Samples, Gains], Image]:
    """RGB by cv_bridge where ROS has it, else by OpenCV's conversion `code`; 16 bits scaled."""

    def finish(samples: Samples, _gains: Gains) -> Image:
        found = bridge.to_rgb(samples, encoding)
        if found is not None:
            return found
        if samples.dtype == np.uint16:
            samples = cv2.convertScaleAbs(samples, alpha=255 / 65535)
        return samples if code < 0 else cv2.cvtColor(samples, code)

    return finish


def _any_colour(code: int) -> Callable[[Samples, Gains], Image]:
    """RGB of signed or float samples, which have no natural range."""
    return lambda samples, gains: cv2.cvtColor(gains.colour(samples, gains.stamp_ns), code)


def _mosaic(encoding: str, code: int) -> Callable[[Samples, Gains], Image]:
    """Colours of a Bayer pattern; of 16 bits stretched, for many sensors fill 10 or 12 of them."""
    colour = _colour(encoding.replace("16", "8"), code)

    def finish(samples: Samples, gains: Gains) -> Image:
        if min(samples.shape) < 2:
            raise InputError(
                f"Bayer image of {samples.shape[1]}x{samples.shape[0]}: no whole pattern"
            )
        if samples.dtype == np.uint16:
            samples = gains.colour(samples, gains.stamp_ns)
        return colour(np.ascontiguousarray(samples), gains)

    return finish


def _packed(encoding: str, code: int) -> Callable[[Samples, Gains], Image]:
    """Colours of YUV 4:2:2, two pixels in four bytes."""
    colour = _colour(encoding, code)

    def finish(samples: Samples, gains: Gains) -> Image:
        if samples.shape[1] % 2:
            raise InputError(
                f"{encoding} image of an odd width, {samples.shape[1]}: two pixels share a colour; "
                "set an even width in the camera driver"
            )
        return colour(samples, gains)

    return finish


_FROM_YUV = np.array(
    # ITU-R BT.601, luma 16 to 235, as OpenCV's own conversions have it
    [
        [1.164, 0.0, 1.596, -222.912],
        [1.164, -0.391, -0.813, 135.488],
        [1.164, 2.018, 0.0, -276.928],
    ],
    np.float32,
)


def _planes(flat: Image, encoding: str, width: int, height: int, step: int) -> Image:
    """RGB of a luma plane and a plane of chroma pairs behind it: NV12 and its relatives."""
    share = _PLANAR[encoding]
    if width % 2:
        raise InputError(
            f"{encoding} image of an odd width, {width}: two pixels share a colour; "
            "set an even width in the camera driver"
        )
    luma = flat[: height * step].reshape(height, step)[:, :width]
    chroma_height, chroma_step = -(-height // share), 2 * step // share
    chroma = flat[height * step :][: chroma_height * chroma_step]
    chroma = chroma.reshape(chroma_height, chroma_step)[:, : 2 * width // share]
    pairs = chroma.reshape(chroma_height, width // share, 2)
    if share > 1:
        full = (width, share * chroma_height)
        pairs = cv2.resize(pairs, full, interpolation=cv2.INTER_NEAREST)[:height]
    u, v = np.moveaxis(pairs, 2, 0)[:: -1 if encoding == "nv21" else 1]
    return cv2.transform(cv2.merge([luma, u, v]), _FROM_YUV)


_CODES = {
    # -1: the samples are RGB already.
    "rgb": (3, -1),
    "bgr": (3, cv2.COLOR_BGR2RGB),
    "rgba": (4, cv2.COLOR_RGBA2RGB),
    "bgra": (4, cv2.COLOR_BGRA2RGB),
}
_BAYER = {
    # ROS names the first two pixels of the first two rows, OpenCV those of the second row and
    # column: the same pattern has another name there.
    "bayer_rggb": cv2.COLOR_BayerBG2RGB,
    "bayer_bggr": cv2.COLOR_BayerRG2RGB,
    "bayer_gbrg": cv2.COLOR_BayerGR2RGB,
    "bayer_grbg": cv2.COLOR_BayerGB2RGB,
}
_PACKED = {
    "yuv422": cv2.COLOR_YUV2RGB_UYVY,
    "uyvy": cv2.COLOR_YUV2RGB_UYVY,
    "yuv422_yuy2": cv2.COLOR_YUV2RGB_YUY2,
    "yuyv": cv2.COLOR_YUV2RGB_YUY2,
}
_NAMED = {
    "mono8": Layout("u1", 1, _as_is),
    "mono16": Layout("u2", 1, _grey),
    **{f"{n}8": Layout("u1", c, _colour(f"{n}8", code)) for n, (c, code) in _CODES.items()},
    **{f"{n}16": Layout("u2", c, _colour(f"{n}16", code)) for n, (c, code) in _CODES.items()},
    **{f"{n}8": Layout("u1", 1, _mosaic(f"{n}8", c), whole=True) for n, c in _BAYER.items()},
    **{f"{n}16": Layout("u2", 1, _mosaic(f"{n}16", c), whole=True) for n, c in _BAYER.items()},
    **{n: Layout("u1", 2, _packed(n, c), whole=True) for n, c in _PACKED.items()},
}
_PLANAR = {"nv12": 2, "nv21": 2, "nv24": 1}
"""How many pixels in a row, and rows, share a chroma pair."""
BAYER_ENCODINGS = tuple(name for name in _NAMED if name.startswith("bayer"))
_PLANE = Layout("u1", 1, _as_is, whole=True)
_OPENCV = re.compile(r"(8U|8S|16U|16S|32S|32F|64F)(?:C(\d+))?")
"""OpenCV's own names of types, which say nothing of colours: taken for grey, BGR or BGRA."""

KNOWN_ENCODINGS = (
    *_NAMED,
    *_PLANAR,
    *(f"{t}C{c}" for t in ("8U", "8S", "16U", "16S", "32S", "32F", "64F") for c in (1, 2, 3, 4)),
)
"""Encodings of sensor_msgs/Image that `decode_raw` reads."""


def layout_of(encoding: str) -> Layout | None:
    """What an encoding means; None if it is none that we know."""
    if encoding in _NAMED:
        return _NAMED[encoding]
    match = _OPENCV.fullmatch(encoding)
    if match is None or not 1 <= (channels := int(match[2] or 1)) <= 4:
        return None
    dtype = f"{match[1][-1].lower().replace('s', 'i')}{int(match[1][:-1]) // 8}"
    if channels <= 2:  # of two the first: the second is no colour, but a confidence or an index
        one = _as_is if dtype == "u1" else _grey
        return Layout(dtype, channels, lambda s, g: one(s if s.ndim == 2 else s[..., 0], g))
    code = cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGRA2RGB
    if dtype[0] == "u":
        name = ("bgr" if channels == 3 else "bgra") + str(8 * int(dtype[1]))
        return Layout(dtype, channels, _colour(name, code))
    return Layout(dtype, channels, _any_colour(code))


def decode_raw(
    data: Any,
    *,
    encoding: str,
    width: int,
    height: int,
    step: int,
    big_endian: bool = False,
    size: Size | None = None,
    gains: Gains | None = None,
) -> Image:
    """The image in a sensor_msgs/Image; it may be a view of ``data``.

    Args:
        data: anything with the buffer protocol.
        encoding: one of ``KNOWN_ENCODINGS``, or one that cv_bridge reads where ROS has it.
        width: pixels per row.
        height: rows.
        step: bytes per row, padding included; 0 if there is none.
        big_endian: byte order of samples of more than one byte.
        size: the size to bring the image to; None keeps its own.
        gains: what the camera's last images have settled; None for an image by itself.

    Raises:
        InputError: unknown encoding, or data that do not fit the size.
    """
    layout = _PLANE if encoding in _PLANAR else layout_of(encoding)
    if layout is None:
        found = bridge.read(data, encoding, width, height, step, big_endian)
        if found is None:
            raise InputError(
                f"image encoding {encoding!r} is not supported; known: "
                f"{', '.join(KNOWN_ENCODINGS)}; set the camera driver to one of them"
            )
        return fit(found, size)
    flat, step = _checked(data, layout, encoding, width, height, step)
    if layout is _PLANE:
        return fit(_planes(flat, encoding, width, height, step), size)
    samples = _samples(flat, layout, width, height, step, big_endian)
    gains = gains or Gains()
    if layout.whole:
        return fit(layout.finish(samples, gains), size)
    return layout.finish(fit(samples, size), gains)


def _checked(
    data: Any, layout: Layout, encoding: str, width: int, height: int, step: int
) -> tuple[Image, int]:
    """The bytes and the step, if they can hold such an image."""
    flat = np.frombuffer(data, np.uint8)
    row_bytes = width * layout.channels * np.dtype(layout.dtype).itemsize
    share = _PLANAR.get(encoding, 0)
    rows = height + 2 * -(-height // share) // share if share else height
    step = step or row_bytes
    title = f"{encoding} image of {width}x{height}"
    if width < 1 or height < 1:
        raise InputError(f"{title} has no pixels; check the camera driver")
    if step < row_bytes:
        raise InputError(
            f"{title}: its step is {step} bytes, but {width} pixels need {row_bytes}; "
            "check the camera driver"
        )
    if flat.size < step * (rows - 1) + (step if share else row_bytes):
        raise InputError(
            f"{title}: {rows} rows of {step} bytes need {step * rows} bytes, but it has "
            f"{flat.size}; check the camera driver"
        )
    return flat, step


def _samples(
    flat: Image, layout: Layout, width: int, height: int, step: int, big_endian: bool
) -> Samples:
    """Samples (H, W[, C]) in this machine's byte order."""
    sample = np.dtype(layout.dtype)
    pixel = layout.channels * sample.itemsize
    shape, strides = (height, width), (step, pixel)
    if layout.channels > 1:
        shape, strides = (*shape, layout.channels), (*strides, sample.itemsize)
    samples = np.ndarray(shape, sample, flat, strides=strides)
    if sample.itemsize > 1 and big_endian != (sys.byteorder == "big"):
        samples = samples.byteswap()
    # OpenCV refuses rows that begin in the middle of a sample.
    return samples if samples.flags.aligned else samples.copy()


def fit(samples: Samples, size: Size | None) -> Samples:
    """Samples (H, W[, C]) brought to a size (width, height); the same array if it has it already.

    Area averages when shrinking; when enlarging that would show blocks.
    """
    height, width = samples.shape[:2]
    if size is None or (width, height) == size:
        return samples
    if samples.dtype in (np.int8, np.int32):  # which OpenCV does not scale
        samples = samples.astype(np.int16 if samples.dtype == np.int8 else np.float64)
    shrinking = size[0] * size[1] < width * height
    method = cv2.INTER_AREA if shrinking else cv2.INTER_LINEAR
    return cv2.resize(samples, size, interpolation=method)
