# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's calibration for pictures of another size."""

import numpy as np
import pytest

from sc2_ros.media.camera_info import same_camera, scaled
from sc2_ros.media.messages import header
from sc2_ros.runtime.messages import from_cdr, to_cdr
from sc2_ros.runtime.ros import CameraInfo

POINT = np.array([0.3, -0.2, 2.0, 1.0])


def info(stamp_ns=0, frame_id="cam"):
    message = CameraInfo(height=480, width=640, distortion_model="plumb_bob")
    message.header = header(stamp_ns, frame_id)
    message.d = [0.1, -0.05, 0.0, 0.0, 0.0]
    message.k = np.array([500.0, 0, 320, 0, 510, 240, 0, 0, 1])
    message.r = np.eye(3).ravel()
    message.p = np.array([500.0, 0, 320, -25, 0, 510, 240, 0, 0, 0, 1, 0])
    message.roi.x_offset, message.roi.width = 64, 320
    return message


def project(message, matrix, point):
    image = np.reshape(matrix, (3, -1)) @ point
    return image[:2] / image[2] / (message.width, message.height)


@pytest.mark.parametrize("size", [(1280, 960), (320, 200), (640, 480)])
def test_a_point_falls_on_the_same_place_of_the_picture(size):
    before, after = info(), scaled(info(), size, header(7, "cam"))

    assert (after.width, after.height) == size
    np.testing.assert_allclose(
        project(after, after.k, POINT[:3]), project(before, before.k, POINT[:3])
    )
    np.testing.assert_allclose(project(after, after.p, POINT), project(before, before.p, POINT))
    assert list(after.d) == list(before.d)
    assert after.roi.width / size[0] == 0.5
    assert after.header.stamp.nanosec == 7
    assert from_cdr(to_cdr(after), CameraInfo) == after


def test_the_message_itself_is_not_changed():
    before = info()
    scaled(before, (320, 240), header(7, "other"))

    assert before == info()


def test_a_camera_without_calibration_has_a_size_all_the_same():
    after = scaled(CameraInfo(), (320, 240), header(7, "cam"))

    assert (after.width, after.height) == (320, 240)
    assert not np.any(after.k)


def test_only_the_stamp_may_differ_between_equal_cameras():
    assert same_camera(info(1), info(2))
    assert not same_camera(None, info())
    assert not same_camera(info(), info(frame_id="other"))
    other = info()
    other.k[0] += 1
    assert not same_camera(info(), other)
