# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages to arrays and back."""

import cv2
import numpy as np
import pytest

from sc2_ros.errors import InputError
from sc2_ros.media.image_reader import image_array
from sc2_ros.media.messages import (
    boxes_message,
    compressed_message,
    header,
    image_message,
    label_info_message,
    packet_bytes,
    packet_message,
    to_ns,
    to_time,
)
from sc2_ros.runtime.ros import CompressedImage, Image

STAMP_NS = 1_700_000_000_123_456_789


@pytest.fixture
def colour():
    return np.random.default_rng(1).integers(0, 256, (24, 36, 3), np.uint8)


def raw(encoding, array, step=None, big_endian=0):
    message = Image(header=header(STAMP_NS, "cam"), encoding=encoding, is_bigendian=big_endian)
    message.height, message.width = array.shape[:2]
    rows = np.ascontiguousarray(array).view(np.uint8).reshape(message.height, -1)
    message.step = step or rows.shape[1]
    padding = np.full((message.height, message.step - rows.shape[1]), 77, np.uint8)
    message.data = np.hstack([rows, padding]).tobytes()
    return message


def test_rgb8_is_taken_as_it_is(colour):
    np.testing.assert_array_equal(image_array(raw("rgb8", colour)), colour)


def test_bgr8_is_turned_round(colour):
    np.testing.assert_array_equal(image_array(raw("bgr8", colour[..., ::-1])), colour)


def test_mono8_stays_grey(colour):
    np.testing.assert_array_equal(image_array(raw("mono8", colour[..., 0])), colour[..., 0])


def test_rows_may_be_padded(colour):
    padded = raw("rgb8", colour, step=36 * 3 + 4)

    np.testing.assert_array_equal(image_array(padded), colour)


def test_mono16_of_either_byte_order_gives_the_same_grey():
    thermal = (np.arange(24 * 36, dtype=np.uint16).reshape(24, 36) * 7 + 20_000).astype("<u2")

    little = image_array(raw("mono16", thermal))
    big = image_array(raw("mono16", thermal.astype(">u2"), big_endian=1))

    assert little.dtype == np.uint8
    assert little.shape == (24, 36)
    assert int(little.max()) - int(little.min()) > 80
    np.testing.assert_array_equal(little, big)


def test_png_is_exact(colour):
    message = CompressedImage(format="png")
    message.data = cv2.imencode(".png", colour[..., ::-1])[1].tobytes()

    np.testing.assert_array_equal(image_array(message), colour)


def test_jpeg_comes_back_nearly_the_same():
    ramp = np.dstack([np.tile(np.arange(64, dtype=np.uint8) * 3, (48, 1))] * 3)
    ramp[..., 2] = 40

    message = compressed_message(ramp, STAMP_NS, "cam")
    difference = image_array(message).astype(int) - ramp

    assert "jpeg" in message.format
    assert to_ns(message.header.stamp) == STAMP_NS
    assert np.abs(difference).mean() < 4


def test_unknown_encodings_are_refused_with_their_name(colour):
    with pytest.raises(InputError, match="yuv999.*known: mono8"):
        image_array(raw("yuv999", colour))


def test_images_shorter_than_they_say_are_refused(colour):
    message = raw("rgb8", colour)
    message.height = 25

    with pytest.raises(InputError, match="36x25"):
        image_array(message)


def test_files_that_are_no_images_are_refused():
    with pytest.raises(InputError, match="JPEG or PNG"):
        image_array(CompressedImage(format="jpeg", data=b"not a picture"))


@pytest.mark.parametrize("shape", [(5, 7, 3), (5, 7)])
def test_images_survive_the_way_there_and_back(shape):
    image = np.random.default_rng(2).integers(0, 256, shape, np.uint8)

    message = image_message(image, STAMP_NS, "cam")

    assert message.encoding == ("rgb8" if len(shape) == 3 else "mono8")
    assert message.header.frame_id == "cam"
    assert to_ns(message.header.stamp) == STAMP_NS
    np.testing.assert_array_equal(image_array(message), image)


def test_views_are_published_as_what_they_show():
    image = np.random.default_rng(3).integers(0, 256, (10, 12, 3), np.uint8)[::2, ::3]

    np.testing.assert_array_equal(image_array(image_message(image, 0, "")), image)


@pytest.mark.parametrize("stamp_ns", [0, 1, STAMP_NS, 2**31 * 10**9 - 1, -1])
def test_stamps_survive(stamp_ns):
    assert to_ns(to_time(stamp_ns)) == stamp_ns


def test_a_stamp_that_ros_cannot_hold_becomes_zero():
    assert to_ns(to_time(2**62)) == 0


def test_packets_survive():
    packet = bytes(range(256)) * 4

    assert packet_bytes(packet_message(packet)) == packet


def test_detections_have_centre_size_name_and_score():
    boxes = np.array([[10, 20, 30, 60], [0, 0, 4, 4]], np.float32)

    message = boxes_message(
        boxes,
        np.array([1, 0]),
        np.array([0.75, 0.5], np.float32),
        ("person", "car"),
        header(STAMP_NS, "cam"),
    )

    first = message.detections[0]
    assert (first.bbox.center.position.x, first.bbox.center.position.y) == (20.0, 40.0)
    assert (first.bbox.size_x, first.bbox.size_y) == (20.0, 40.0)
    assert first.results[0].hypothesis.class_id == "car"
    assert first.results[0].hypothesis.score == 0.75
    assert [entry.header.frame_id for entry in message.detections] == ["cam", "cam"]
    assert to_ns(message.header.stamp) == STAMP_NS


def test_label_info_names_the_values_of_the_mask():
    message = label_info_message(("road", "building"), 0.25, STAMP_NS)

    assert {entry.class_id: entry.class_name for entry in message.class_map} == {
        0: "road",
        1: "building",
    }
    assert message.threshold == 0.25


def test_image_transport_s_republish_reads_the_compressed_picture():
    """By the rules of compressed_subscriber.cpp of image_transport_plugins."""
    image = np.zeros((32, 48, 3), np.uint8)
    image[..., 0] = 200
    message = compressed_message(image, 0, "camera")

    encoding, compressed = message.format.split(";")
    decoded = cv2.imdecode(np.frombuffer(message.data, np.uint8), cv2.IMREAD_UNCHANGED)
    if "compressed bgr" in compressed and encoding == "rgb8":
        decoded = cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB)

    assert (encoding, "jpeg" in compressed) == ("rgb8", True)
    assert np.abs(decoded.astype(int) - image).max() < 12
