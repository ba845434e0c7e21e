# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CameraInfo of pictures that show what the camera's image shows, at any size.

A CameraInfo describes the whole sensor, and its `roi` and `binning` which part of it the image is.
The matrices of the image are those that image_geometry's PinholeCameraModel computes, the crop
first, then the binning; scaling a picture by (sx, sy) scales the first row of K and P by sx and the
second by sy. The distortion coefficients and R are of the rays, not of the pixels, and stay.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.runtime.ros import CameraInfo, Header

CALIBRATION = b"\0"
"""First byte of a camera_info among the packets of a link, whose first byte is 0x10 or more."""
MOST_COEFFICIENTS = 32
"""Of any distortion model in use; OpenCV's largest has 14."""


def same_camera(one: CameraInfo | None, other: CameraInfo) -> bool:
    """Whether two messages differ in nothing but their stamp; NaN equals NaN."""
    return one is not None and _fields(one) == _fields(other)


def _fields(info: CameraInfo) -> tuple[object, ...]:
    numbers = np.concatenate([np.asarray(m, np.float64) for m in (info.d, info.k, info.r, info.p)])
    roi = info.roi
    return (
        (info.width, info.height, info.binning_x, info.binning_y, len(info.d)),
        (roi.x_offset, roi.y_offset, roi.width, roi.height, roi.do_rectify),
        (info.header.frame_id, info.distortion_model),
        np.where(np.isnan(numbers), np.nan, numbers).tobytes(),
    )


def scaled(info: CameraInfo, size: tuple[int, int], header: Header) -> CameraInfo:
    """The calibration of a picture of `size` (width, height) in px that shows the camera's image.

    It describes that picture alone, without a region or binning that somebody would apply again.
    A message without a size, or without a calibration (K is zero), only takes the new size.
    """
    found = CameraInfo(header=header)
    found.width, found.height = size
    found.distortion_model, found.d, found.r = info.distortion_model, info.d, info.r
    binning = max(info.binning_x, 1), max(info.binning_y, 1)
    roi = info.roi
    whole = not (roi.x_offset or roi.y_offset or roi.width or roi.height)
    region = (info.width, info.height) if whole else (roi.width, roi.height)
    scale = [
        (size[axis] / (region[axis] // binning[axis]) if region[axis] >= binning[axis] else 1.0)
        / binning[axis]
        for axis in (0, 1)
    ]
    offset = np.array([roi.x_offset, roi.y_offset], np.float64)
    found.k = _matrix(np.reshape(info.k, (3, 3)), offset, scale)
    found.p = _matrix(np.reshape(info.p, (3, 4)), offset, scale)
    return found


def _matrix(
    full: npt.NDArray[np.float64], offset: npt.NDArray[np.float64], scale: list[float]
) -> npt.NDArray[np.float64]:
    matrix = np.array(full, np.float64)
    if matrix.any():
        matrix[:2, 2] -= offset
    matrix[0] *= scale[0]
    matrix[1] *= scale[1]
    return matrix.ravel()
