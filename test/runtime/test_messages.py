# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Messages behave as rclpy's, and their CDR is the type store's."""

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rosbags.serde import SerdeError
from rosbags.typesys import Stores, get_typestore

from sc2_ros.runtime.messages import from_cdr, message_type, to_cdr, type_hash

Image = message_type("sensor_msgs/msg/Image")
Bytes = message_type("std_msgs/msg/UInt8MultiArray")
Status = message_type("diagnostic_msgs/msg/DiagnosticStatus")
Value = message_type("rcl_interfaces/msg/ParameterValue")


def test_defaults_are_those_of_the_definitions():
    pose = message_type("geometry_msgs/msg/Pose")()

    assert (pose.orientation.x, pose.orientation.w) == (0.0, 1.0)
    assert Image().header.stamp.sec == 0
    assert Image().encoding == ""
    assert Image().data == array.array("B")
    assert Status().level == Status.OK == b"\x00"


def test_nested_defaults_are_not_shared():
    first, second = Image(), Image()

    first.header.frame_id = "camera"

    assert second.header.frame_id == ""


@pytest.mark.parametrize(
    "pixels",
    [bytes(range(6)), array.array("B", range(6)), np.arange(6, dtype=np.uint8).reshape(1, 2, 3)],
    ids=["bytes", "array", "numpy"],
)
def test_an_image_round_trips_from_every_kind_of_buffer(pixels):
    image = Image(height=1, width=2, encoding="rgb8", step=6, data=pixels)
    image.header.stamp.sec = 1_700_000_000
    image.header.frame_id = "camera"

    back = from_cdr(to_cdr(image), Image)

    assert back == image
    assert isinstance(back.data, array.array)
    assert bytes(back.data) == bytes(range(6))


def test_every_kind_of_field_round_trips():
    value = Value(type=3, bool_value=True, integer_value=-5, double_value=1.5, string_value="ü")
    value.byte_array_value = [b"a", b"\xff"]
    value.bool_array_value = [True, False]
    value.integer_array_value = [1, -2]
    value.double_array_value = [0.5]
    value.string_array_value = ["one", ""]
    status = Status(level=Status.STALE, name="link", values=[])
    gid = message_type("rmw_dds_common/msg/Gid")(data=np.arange(16))

    for message in (value, status, gid):
        assert from_cdr(to_cdr(message), type(message)) == message


def test_a_detection_is_the_same_bytes_as_the_type_store_makes():
    store = get_typestore(Stores.ROS2_JAZZY)
    header = message_type("std_msgs/msg/Header")(frame_id="camera")
    header.stamp.sec, header.stamp.nanosec = 3, 4
    plain = store.types["std_msgs/msg/Header"]
    time = store.types["builtin_interfaces/msg/Time"]

    expected = store.serialize_cdr(plain(time(3, 4), "camera"), "std_msgs/msg/Header")

    assert to_cdr(header) == bytes(expected)


@pytest.mark.parametrize(
    ("field", "value"),
    [("width", 1.0), ("width", -1), ("width", 2**32), ("encoding", b"rgb8"), ("header", None),
     ("data", "pixels"), ("data", np.zeros(3)), ("data", array.array("H", [1]))],
)  # fmt: skip
def test_a_wrong_type_is_refused_where_it_is_assigned(field, value):
    with pytest.raises(AssertionError, match=f"sensor_msgs/msg/Image.{field}"):
        setattr(Image(), field, value)


def test_an_unknown_field_is_refused():
    with pytest.raises(AttributeError, match="no field 'colour'"):
        Image().colour = 1
    with pytest.raises(AssertionError, match="no field 'colour'"):
        Image(colour=1)


@given(st.binary(max_size=64))
def test_random_bytes_are_a_message_or_a_serde_error(data):
    try:
        back = from_cdr(b"\x00\x01\x00\x00" + data, Bytes)
    except SerdeError:
        return
    assert len(back.data) <= len(data)


def test_the_type_hash_is_the_one_ros_has():
    published = "RIHS01_df668c740482bbd48fb39d76a70dfd4bd59db1288021743503259e948f6b1a18"

    assert type_hash("std_msgs/msg/String") == published
