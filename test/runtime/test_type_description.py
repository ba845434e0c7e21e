# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Descriptions of message types: their type hash follows from them, and a terminal gets them."""

import hashlib
import json

import pytest
from service_clients import Client

from sc2_ros.runtime.messages import STORE, type_hash
from sc2_ros.runtime.type_description import describe

GET = "type_description_interfaces/srv/GetTypeDescription"


def hash_of(description):
    """The RIHS01 hash of a description, as REP-2011 computes it."""

    def single(entry):
        fields = [
            {
                "name": field.name,
                "type": {
                    "type_id": field.type.type_id,
                    "capacity": field.type.capacity,
                    "string_capacity": field.type.string_capacity,
                    "nested_type_name": field.type.nested_type_name,
                },
            }
            for field in entry.fields
        ]
        return {"type_name": entry.type_name, "fields": fields}

    whole = {
        "type_description": single(description.type_description),
        "referenced_type_descriptions": [
            single(entry) for entry in description.referenced_type_descriptions
        ],
    }
    return f"RIHS01_{hashlib.sha256(json.dumps(whole).encode()).hexdigest()}"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "vision_msgs/msg/Detection2DArray",
            "sensor_msgs/msg/Image",
            "sensor_msgs/msg/CameraInfo",
        ),
        *("std_msgs/msg/UInt8MultiArray", "diagnostic_msgs/msg/DiagnosticArray"),
        *("foxglove_msgs/msg/ImageAnnotations", "type_description_interfaces/msg/TypeDescription"),
        "geometry_msgs/msg/PoseWithCovariance",
    ],
)
def test_the_type_hash_is_that_of_the_description(name):
    assert name in STORE.fielddefs
    assert hash_of(describe(name)) == type_hash(name)


@pytest.mark.processes
def test_a_node_describes_what_its_topics_carry_and_nothing_else(node, start_peer):
    start_peer()
    client = Client(node, GET, "/peer/get_type_description")

    def ask(name, digest):
        return client.call(120.0, type_name=name, type_hash=digest)

    found = ask("sensor_msgs/msg/Image", type_hash("sensor_msgs/msg/Image"))
    assert found.successful
    assert hash_of(found.type_description) == type_hash("sensor_msgs/msg/Image")
    names = [entry.type_name for entry in found.type_description.referenced_type_descriptions]
    assert names == ["builtin_interfaces/msg/Time", "std_msgs/msg/Header"]
    imu = "sensor_msgs/msg/Imu"
    for name, digest in ((imu, type_hash(imu)), ("sensor_msgs/msg/Image", "RIHS01_00")):
        refused = ask(name, digest)
        assert (refused.successful, bool(refused.failure_reason)) == (False, True)
