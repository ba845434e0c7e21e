# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Command lines and parameters of the nodes on real ROS 2."""

import signal
import time

import pytest
import yaml

DEADLINE_S = 300.0

pytestmark = pytest.mark.processes


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("onboard_node", ("-p", "model:=/nowhere.safetensors"), "nowhere"),
        ("onboard_node", ("-p", "rate.index:=2.0"), "rate.index"),
        ("onboard_node", ("-p", "rate.max_kbps:=300"), "rate.max_kbps"),
        ("ground_node", ("--params-file", "/nowhere.yaml"), "nowhere.yaml"),
        ("camera_node", ("-p", "input:=/nowhere.mp4"), "nowhere"),
        ("camera_node", ("-r", "image"), "image"),
        ("camera_node", ("--no-such-argument",), "no-such-argument"),
        ("camera_node", ("-p", "qos_overrides./image.publisher.depth:=many"), "depth"),
    ],
)
def test_what_cannot_start_says_so_in_one_line(start, name, arguments, words):
    process = start("rclpy", name, *arguments)
    _, text = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 2, text
    (line,) = [line for line in text.strip().splitlines() if line.startswith("error: ")]
    assert words in line
    assert "Traceback" not in text


def test_an_override_changes_one_topic_and_no_other(start, node, spin_until):
    from rclpy.qos import QoSReliabilityPolicy

    start(
        *("rclpy", "link_emulator_node", "-p"),
        "qos_overrides./features_out.publisher.reliability:=reliable",
    )

    def found(topic):
        return node.get_publishers_info_by_topic(topic)

    (features,) = spin_until(lambda: found("/features_out"), "the publisher of features")
    (feedback,) = spin_until(lambda: found("/feedback_out"), "the publisher of feedback")
    assert features.qos_profile.reliability == QoSReliabilityPolicy.RELIABLE
    assert feedback.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT


def test_parameters_are_dumped_changed_and_loaded(start, ros2, spin_until, node, tmp_path):
    # Arrange
    start("rclpy", "link_emulator_node")
    spin_until(lambda: "link_emulator_node" in node.get_node_names(), "the node")
    spin = ("--no-daemon", "--spin-time", "5")

    # Act
    dumped = ros2("param", "dump", *spin, "/link_emulator_node")
    values = yaml.safe_load(dumped)
    values["/link_emulator_node"]["ros__parameters"] = {"link": "2mbit,10ms"}
    path = tmp_path / "changed.yaml"
    path.write_text(yaml.safe_dump(values))
    loaded = ros2("param", "load", *spin, "/link_emulator_node", str(path))
    read = ros2("param", "get", *spin, "/link_emulator_node", "link")
    refused = ros2("param", "set", *spin, "/link_emulator_node", "link", "fast")

    # Assert
    assert "link" in yaml.safe_load(dumped)["/link_emulator_node"]["ros__parameters"]
    assert "Set parameter link successful" in loaded
    assert "2mbit,10ms" in read
    assert "fast" in refused
    assert "Setting parameter failed" in refused


def test_the_second_interruption_does_not_break_off_the_end(start, spin_until, node):
    from diagnostic_msgs.msg import DiagnosticArray

    heard = []
    node.create_subscription(DiagnosticArray, "/diagnostics", heard.append, 10)
    process = start("rclpy", "link_emulator_node")
    spin_until(lambda: heard, "the first diagnosis")

    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.1)
    _, text = process.communicate(timeout=DEADLINE_S)

    assert process.returncode == 0, text
    assert "Traceback" not in text


@pytest.mark.parametrize("runtime", ["rclpy", "embedded"])
def test_several_cameras_of_a_drone_have_a_namespace_each(start, model, node, spin_until, runtime):
    start(
        *(runtime, "onboard_node", "--cameras", "front,down", "-r", "__ns:=/drone1"),
        *("-p", f"model:={model}"),
    )
    expected = {("onboard_node", f"/drone1/{camera}") for camera in ("front", "down")}

    spin_until(
        lambda: expected <= set(node.get_node_names_and_namespaces()), "a node for each camera"
    )
    for camera in ("front", "down"):
        topic = f"/drone1/{camera}/image"
        spin_until(lambda: node.count_subscribers(topic), topic)  # noqa: B023


@pytest.mark.parametrize("runtime", ["rclpy", "embedded"])
def test_a_rule_for_one_nodes_namespace_knows_it_by_its_new_name(start, node, spin_until, runtime):
    start(runtime, "link_emulator_node", "-r", "__node:=radio", "-r", "radio:__ns:=/far")

    spin_until(lambda: ("radio", "/far") in node.get_node_names_and_namespaces(), "the node")
