# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Viewer layouts and the recording's QoS name topics that the nodes have, as they have them."""

import json
import re
from pathlib import Path

import pytest
import yaml

from sc2_ros.nodes import qos
from sc2_ros.nodes.camera_node import CameraNode
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.link_emulator_node import LinkEmulatorNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.ros import rclpy

CONFIG = Path(__file__).parents[2] / "config"
VIEWERS = sorted((CONFIG / "viewers").iterdir())


@pytest.fixture
def topics(private_domain, model):
    """Every topic that the four nodes publish or listen to."""
    rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}"])
    nodes = [CameraNode(), OnboardNode(), GroundNode(), LinkEmulatorNode()]
    for node in nodes[1:3]:
        node.autostart()
    yield {
        endpoint.topic_name
        for node in nodes
        for endpoint in node.endpoints
        if hasattr(endpoint, "topic_name")
    } | {"/image/compressed"}  # which a driver publishes, and image_transport asks for
    rclpy.try_shutdown()


def topics_in(text):
    """Absolute topic names in a file's quotes or after `Value:`."""
    quoted = re.findall(r"""["'](/[a-z_]+(?:/[a-z_]+)*)(?:\.data)?["']""", text)
    return {name.removesuffix("/data") for name in quoted + re.findall(r"Value: (/\S+)", text)}


def test_viewers_show_topics_that_exist(topics):
    for path in VIEWERS:
        named = topics_in(path.read_text("utf-8"))
        assert named, path
        assert named <= topics, path


def test_viewer_files_can_be_read():
    kinds = {path.suffix for path in VIEWERS}
    assert kinds == {".rviz", ".json", ".perspective"}
    for path in VIEWERS:
        text = path.read_text("utf-8")
        tree = yaml.safe_load(text) if path.suffix == ".rviz" else json.loads(text)
        assert isinstance(tree, dict)
        if path.suffix == ".json":
            panels = set(re.findall(r'"(?:first|second)": "([^"]+)"', text))
            assert panels == set(tree["configById"])


def test_recording_asks_for_the_qos_that_the_topics_have(topics):
    profiles = yaml.safe_load((CONFIG / "record_qos.yaml").read_text("utf-8"))

    assert set(profiles) <= topics
    known = {
        "/features": qos.PACKETS,
        "/feedback": qos.PACKETS,
        "/label_info": qos.LATCHED,
        "/image": qos.SENSOR,
        "/image/compressed": qos.SENSOR,
    }
    for topic, wanted in profiles.items():
        offered = known.get(topic, qos.RESULTS)
        assert wanted["reliability"] == offered.reliability.name.lower(), topic
        assert wanted["durability"] == offered.durability.name.lower(), topic
        assert wanted["depth"] >= offered.depth
