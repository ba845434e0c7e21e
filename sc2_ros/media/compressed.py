# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures as files: JPEG, PNG and what else Pillow reads, from a CompressedImage or a disk.

::

    bytes -> samples at the smallest scale that is large enough -> 8 bits, RGB or grey

Pillow, because libjpeg and libpng tell it of their troubles by errors, where through OpenCV they
write to stderr and half a picture passes for a whole one.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image as Pillow
from PIL import ImageOps, UnidentifiedImageError

from sc2_ros.errors import InputError
from sc2_ros.media.encodings import (
    BAYER_ENCODINGS,
    Gains,
    Image,
    Samples,
    Size,
    fit,
    layout_of,
)

_KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "GIF")
_BLOCK = 8
"""Side of a JPEG block in px."""
_NO_SIGNAL = 128
"""What libjpeg puts where data are missing."""


@dataclass(frozen=True)
class Format:
    """What the `format` of a CompressedImage says, as compressed_image_transport writes it.

    ::

        rgb8; jpeg compressed bgr8       bayer_rggb8; png compressed       jpeg

    Attributes:
        encoding: that of the image before it was compressed; empty if it does not say.
        stored: that of what was compressed; empty if it does not say, and then it is `encoding`.
    """

    encoding: str = ""
    stored: str = ""

    @staticmethod
    def parse(text: str) -> Format:
        """Read it.

        Raises:
            InputError: it is no picture but a depth image, or something that only a decoder of
                video reads.
        """
        if "compressedDepth" in text:
            raise InputError(
                f"the topic carries {text!r}: depth of compressed_depth_image_transport, no "
                "picture; take the depth image itself (image_transport: raw) or a colour camera"
            )
        encoding, split, rest = text.partition(";")
        if not split:
            return Format()
        return Format(encoding.strip(), rest.partition("compressed")[2].strip())


def read_size(data: Any) -> Size | None:
    """Width and height of a picture from its first bytes, undecoded; None if they do not tell."""
    try:
        with warnings.catch_warnings(), Pillow.open(io.BytesIO(data), formats=_KINDS) as picture:
            return picture.size
    except Exception:  # of a damaged header Pillow's plugins raise whatever they stumble over
        return None


def decode_compressed(
    data: Any,
    *,
    format: str = "",
    size: Size | None = None,
    gains: Gains | None = None,
    upright: bool = False,
) -> Image:
    """The picture in a sensor_msgs/CompressedImage or in a file.

    Args:
        data: anything with the buffer protocol.
        format: the message's field of that name.
        size: the size to bring the picture to; None keeps its own.
        gains: what the camera's last images have settled; None for a picture by itself.
        upright: turn it as its EXIF data say; boxes belong to the pixels as they were sent.

    Raises:
        InputError: the data are not a picture, or only a part of one.
    """
    told = Format.parse(format)
    # What was compressed as bgr8 or mono8 is no mosaic any more.
    mosaic = told.encoding in BAYER_ENCODINGS and told.stored in ("", told.encoding)
    samples = _decode(data, None if mosaic or upright else size, upright)
    gains = gains or Gains()
    if mosaic and samples.ndim == 2:
        if samples.dtype not in (np.uint8, np.uint16):
            raise InputError(f"a Bayer pattern in a picture of {samples.dtype} cannot be read")
        layout = layout_of(told.encoding.rstrip("0168") + str(8 * samples.dtype.itemsize))
        assert layout is not None
        return fit(layout.finish(samples, gains), size)
    samples = fit(samples, size)
    if samples.ndim == 3:
        if told.encoding[:3] in ("rgb", "bgr") and told.stored.startswith("rgb"):
            samples = samples[..., ::-1]  # put into the file in the wrong order, and said so
        return np.ascontiguousarray(samples)
    if samples.dtype == np.uint8:
        if told.encoding in ("mono16", "16UC1"):  # the upper half of a thermal image's bits
            samples = samples.astype(np.uint16) * 257
        else:
            return samples
    return gains.grey(samples, gains.stamp_ns)


def _decode(data: Any, size: Size | None, upright: bool) -> Samples:
    """Grey samples (H, W) of any type or RGB uint8 (H, W, 3), no smaller than `size`."""
    title = _title(data)
    try:
        with Pillow.open(io.BytesIO(data), formats=_KINDS) as picture:
            full_width = picture.width
            if size is not None:
                picture.draft(picture.mode, size)
            upright_picture = ImageOps.exif_transpose(picture) if upright else picture
            samples = _samples(upright_picture)
            jpeg = picture.format == "JPEG"
    except UnidentifiedImageError:
        return _by_opencv(data)
    except Exception as error:  # truncated and damaged data: plugins raise what they stumble over
        raise InputError(
            f"{title} is cut off or damaged ({error}): is the camera's or the network's buffer "
            "too small?"
        ) from error
    if jpeg and _may_be_cut(samples, samples.shape[1] / full_width) and not _decodes_whole(data):
        raise InputError(
            f"{title} is cut off or damaged, though it has an end: is the camera's buffer or its "
            "USB bandwidth too small?"
        )
    return samples


def _samples(picture: Pillow.Image) -> Samples:
    if picture.mode.startswith("I;16") or picture.mode in ("I", "F", "L", "RGB"):
        samples = np.asarray(picture)
        if picture.mode == "I" and samples.size and 0 <= samples.min() <= samples.max() < 65536:
            return samples.astype(np.uint16)  # 16 bits, of a release of Pillow before 11
        return samples.astype(samples.dtype.newbyteorder("="), copy=False)
    grey = picture.mode in ("1", "LA", "La")
    return np.asarray(picture.convert("L" if grey else "RGB"))


def _by_opencv(data: Any) -> Samples:
    """What Pillow does not read: TIFF of three times 16 bits, OpenEXR where it is compiled in."""
    flat = np.frombuffer(data, np.uint8)
    try:
        image: Any = cv2.imdecode(flat, cv2.IMREAD_UNCHANGED) if flat.size else None
    except cv2.error:
        image = None
    if image is None or image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{_title(data)} cannot be read; expected JPEG or PNG")
    if image.ndim == 2:
        return np.asarray(image)
    if image.dtype == np.uint16:
        image = cv2.convertScaleAbs(image, alpha=255 / 65535)
    code = cv2.COLOR_BGRA2RGB if image.shape[2] == 4 else cv2.COLOR_BGR2RGB
    return np.asarray(cv2.cvtColor(image, code))


def _may_be_cut(samples: npt.NDArray[Any], scale: float) -> bool:
    """Whether a decoded JPEG looks as where data are missing, in its last corner or in a block.

    Some real pictures do too, so this only says that it is worth looking closer. Four points of
    every block tell nearly all; at a small scale only the corner is looked at.
    """
    side = max(round(_BLOCK * scale), 1)
    corner = samples[-max(side // 2, 1) :, -max(side // 2, 1) :]
    if (corner == _NO_SIGNAL).all():
        return True
    rows, columns = samples.shape[0] // side, samples.shape[1] // side
    if side < 4 or not rows or not columns:
        return False
    blank = np.ones((rows, columns), bool)
    for y, x in ((0, 0), (side - 1, side - 1), (0, side - 1), (side - 1, 0)):
        same = samples[y::side, x::side][:rows, :columns] == _NO_SIGNAL
        blank &= same if same.ndim == 2 else same.all(2)
    return bool(blank.any())


def _decodes_whole(data: Any) -> bool:
    """Whether a JPEG has data for all its blocks, by ffmpeg's decoder, which is strict if asked.

    Where PyAV is not installed, as on a drone, the doubt is in the picture's favour.
    """
    try:
        import av
    except ModuleNotFoundError:
        return True
    decoder = av.CodecContext.create("mjpeg", "r")
    decoder.options = {"err_detect": "explode"}
    try:
        return bool(decoder.decode(av.Packet(bytes(data))))
    except av.error.PatchWelcomeError:
        return True  # a kind of JPEG that ffmpeg does not know
    except av.FFmpegError:
        return False


def _title(data: Any) -> str:
    flat = np.frombuffer(data, np.uint8)
    return f"compressed image of {flat.size} bytes (first: {flat[:8].tobytes().hex(' ')})"
