# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""sensor_msgs/CameraInfo for pictures of another size than the camera's.

Scaling a picture by (sx, sy) scales the first row of K and P by sx and the second by sy; the
distortion coefficients and R are of the rays, not of the pixels, and stay.
"""

from __future__ import annotations

import numpy as np

from sc2_ros.runtime.ros import CameraInfo, Header

FIELDS = ("height", "width", "distortion_model", "d", "k", "r", "p", "binning_x", "binning_y")


def same_camera(one: CameraInfo | None, other: CameraInfo) -> bool:
    """Whether two messages differ in nothing but their stamp."""
    if one is None:
        return False
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in FIELDS) and (
        one.header.frame_id == other.header.frame_id and one.roi == other.roi
    )


def scaled(info: CameraInfo, size: tuple[int, int], header: Header) -> CameraInfo:
    """The calibration of the same view as a picture of `size` (width, height) in px.

    A message without a size, or without a calibration (K is zero), only takes the new size.
    """
    found = CameraInfo(header=header)
    for name in FIELDS:
        setattr(found, name, getattr(info, name))
    sx = size[0] / info.width if info.width else 1.0
    sy = size[1] / info.height if info.height else 1.0
    found.width, found.height = size
    found.k = (np.reshape(info.k, (3, 3)) * [[sx], [sy], [1.0]]).ravel()
    found.p = (np.reshape(info.p, (3, 4)) * [[sx], [sy], [1.0]]).ravel()
    found.roi.x_offset, found.roi.width = round(info.roi.x_offset * sx), round(info.roi.width * sx)
    found.roi.y_offset, found.roi.height = (
        round(info.roi.y_offset * sy),
        round(info.roi.height * sy),
    )
    found.roi.do_rectify = info.roi.do_rectify
    return found
