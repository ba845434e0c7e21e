# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera's calibration for pictures of another size."""

import json
from pathlib import Path

import numpy as np
import pytest

from sc2_ros.media.camera_info import same_camera, scaled
from sc2_ros.media.messages import header
from sc2_ros.runtime.messages import from_cdr, to_cdr
from sc2_ros.runtime.ros import CameraInfo

GEOMETRY = json.loads(Path(__file__).with_name("image_geometry.json").read_text())
POINT = np.array([0.3, -0.2, 2.0, 1.0])


def info(stamp_ns=0, frame_id="cam"):
    message = CameraInfo(height=480, width=640, distortion_model="plumb_bob")
    message.header = header(stamp_ns, frame_id)
    message.d = [0.1, -0.05, 0.0, 0.0, 0.0]
    message.k = np.array([500.0, 0, 320, 0, 510, 240, 0, 0, 1])
    message.r = np.eye(3).ravel()
    message.p = np.array([500.0, 0, 320, -25, 0, 510, 240, 0, 0, 0, 1, 0])
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


def part(case):
    """The whole sensor's calibration, and which part of it the image is."""
    message = CameraInfo(width=1920, height=1080, distortion_model="plumb_bob")
    message.k, message.p = np.array(GEOMETRY["full_k"]), np.array(GEOMETRY["full_p"])
    message.binning_x, message.binning_y = case["binning"]
    roi = message.roi
    roi.x_offset, roi.y_offset, roi.width, roi.height = case["roi"]
    return message


@pytest.mark.parametrize("name", GEOMETRY["cases"])
def test_a_crop_and_binning_are_what_image_geometry_makes_of_them(name):
    case = GEOMETRY["cases"][name]

    after = scaled(part(case), tuple(case["size"]), header(7, "cam"))

    np.testing.assert_allclose(after.k, case["k"])
    p, expected = np.array(after.p), np.array(case["p"])
    baseline = GEOMETRY["full_p"][3] / max(case["binning"][0], 1)
    # Its C++ divides the baseline by the binning; its Python, which made the table, forgets to.
    assert p[3] == pytest.approx(baseline)
    np.testing.assert_allclose(np.delete(p, 3), np.delete(expected, 3))


@pytest.mark.parametrize("name", GEOMETRY["cases"])
def test_nobody_applies_a_crop_or_binning_again(name):
    case = GEOMETRY["cases"][name]

    once = scaled(part(case), tuple(case["size"]), header(7, "cam"))
    twice = scaled(once, tuple(case["size"]), header(7, "cam"))

    assert twice == once
    assert (once.binning_x, once.roi.x_offset, once.roi.width) == (0, 0, 0)


def test_a_crop_at_half_its_size():
    case = GEOMETRY["cases"]["cropped"]

    after = scaled(part(case), (540, 320), header(7, "cam"))

    np.testing.assert_allclose(after.k, [500, 0, 270.25, 0, 505, 220.625, 0, 0, 1])


@pytest.mark.parametrize("name", ["d", "k", "r", "p"])
def test_nan_equals_nan(name):
    one, other = info(1), info(2)
    for message in (one, other):
        values = np.array(getattr(message, name), float)
        values[0] = np.nan
        setattr(message, name, values if name != "d" else values.tolist())

    assert same_camera(one, other)
    assert not same_camera(one, info())


@pytest.mark.parametrize(
    "change",
    [
        lambda m: setattr(m, "binning_x", 2),
        lambda m: setattr(m, "d", [0.1]),
        lambda m: setattr(m, "distortion_model", "equidistant"),
        lambda m: setattr(m.roi, "width", 7),
        lambda m: setattr(m, "height", 481),
    ],
)
def test_every_other_difference_counts(change):
    other = info()
    change(other)
    assert not same_camera(info(), other)
