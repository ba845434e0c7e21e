# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Header and image of a message read from its bytes alone."""

import struct

import pytest

from sc2_ros.runtime.messages import message_type, to_cdr
from sc2_ros.runtime.serialization import header_of, image_of, message_of

Image = message_type("sensor_msgs/msg/Image")
CompressedImage = message_type("sensor_msgs/msg/CompressedImage")


def image(sec, nanosec, frame_id):
    message = Image(height=1, width=2, encoding="mono8", step=2, data=b"\1\2")
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    message.header.frame_id = frame_id
    return message


@pytest.mark.parametrize(
    ("sec", "nanosec", "frame_id"),
    [(0, 0, ""), (1_700_000_000, 999_999_999, "gimbal"), (-3, 5, "x"), (2**31 - 1, 1, "Kamera ö")],
)
def test_the_header_is_that_of_the_whole_message(sec, nanosec, frame_id):
    cdr = to_cdr(image(sec, nanosec, frame_id))

    assert header_of(cdr) == (sec * 10**9 + nanosec, frame_id)
    assert message_of(cdr, Image).header.frame_id == frame_id


def test_a_writer_of_the_other_byte_order_is_understood():
    cdr = b"\0\0\0\0" + struct.pack(">iII", 7, 8, 4) + b"cam\0"

    assert header_of(cdr) == (7_000_000_008, "cam")


def test_bytes_that_end_in_the_header_are_refused():
    cdr = to_cdr(image(1, 2, "camera"))
    whole = 16 + len("camera") + 1

    for length in range(whole):
        with pytest.raises(ValueError, match="without a whole header"):
            header_of(cdr[:length])
    assert header_of(cdr[:whole]) == (1_000_000_002, "camera")


@pytest.mark.parametrize("encoding", ["mono8", "rgb8", "bayer_rggb16", ""])
@pytest.mark.parametrize("frame_id", ["", "a", "ab", "abc", "camera"])
def test_an_image_has_the_fields_of_the_whole_message(encoding, frame_id):
    message = image(5, 6, frame_id)
    message.encoding, message.is_bigendian, message.data = encoding, 1, bytes(range(77))

    found = image_of(to_cdr(message), compressed=False)

    for name in ("height", "width", "encoding", "is_bigendian", "step"):
        assert getattr(found, name) == getattr(message, name)
    assert bytes(found.data) == message.data.tobytes()
    assert (found.header.stamp.sec, found.header.stamp.nanosec) == (5, 6)
    assert found.header.frame_id == frame_id


@pytest.mark.parametrize("text", ["jpeg", "16UC1; png compressed "])
def test_a_compressed_image_has_the_fields_of_the_whole_message(text):
    message = CompressedImage(format=text, data=b"\xff\xd8picture")

    found = image_of(to_cdr(message), compressed=True)

    assert (found.format, bytes(found.data)) == (text, b"\xff\xd8picture")


def test_the_pixels_are_not_copied():
    cdr = memoryview(to_cdr(image(1, 2, "camera")))

    assert image_of(cdr, compressed=False).data.obj is cdr.obj


@pytest.mark.parametrize("compressed", [False, True])
def test_an_image_that_ends_early_is_refused(compressed):
    whole = to_cdr(CompressedImage(format="x", data=b"abc") if compressed else image(1, 2, "cam"))

    for length in range(len(whole)):
        with pytest.raises(ValueError, match="bytes"):
            image_of(whole[:length], compressed=compressed)
