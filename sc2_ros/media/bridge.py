# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""cv_bridge's conversions, where ROS has them; None where it does not.

Its result for the encodings that we read too is that of `encodings` within three grey levels
(test/media/cv_bridge_colours.json), so nobody's pictures depend on whether it is installed. What it
alone reads, a later release perhaps, becomes readable by it.
"""

from __future__ import annotations

from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

READS = (
    *(f"{name}{bits}" for name in ("bgr", "rgba", "bgra") for bits in (8, 16)),
    "rgb16",
    *(f"bayer_{pattern}8" for pattern in ("rggb", "bggr", "gbrg", "grbg")),
    "yuv422",
    "yuv422_yuy2",
)
"""Encodings that it turns into rgb8; `rgb8` itself needs no conversion."""


@cache
def _bridge() -> Any | None:
    try:
        from cv_bridge import CvBridge

        found = CvBridge()
        found.encoding_to_cvtype2("rgb8")  # loads its compiled part
    except Exception:  # not installed, or compiled for another numpy: its errors are many-fold
        return None
    return found


def to_rgb(samples: npt.NDArray[Any], encoding: str) -> npt.NDArray[np.uint8] | None:
    """uint8 RGB (H, W, 3) of samples (H, W[, C]) in this machine's byte order."""
    if encoding not in READS or _bridge() is None:
        return None
    samples = np.ascontiguousarray(samples)
    height, width = samples.shape[:2]
    return read(samples.data.cast("B"), encoding, width, height, samples.strides[0], False)


def read(
    data: Any, encoding: str, width: int, height: int, step: int, big_endian: bool
) -> npt.NDArray[np.uint8] | None:
    """uint8 RGB (H, W, 3) of a sensor_msgs/Image's fields."""
    found = _bridge()
    if found is None:
        return None
    message = SimpleNamespace(
        data=data,
        encoding=encoding,
        width=width,
        height=height,
        step=step,
        is_bigendian=int(big_endian),
    )
    try:
        image = found.imgmsg_to_cv2(message, "rgb8")
    except Exception:  # CvBridgeError, and what numpy and OpenCV say of data that do not fit
        return None
    return np.asarray(image, np.uint8)
