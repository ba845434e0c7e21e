# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a node of real ROS 2 sees of a node on the embedded runtime."""

import time

import pytest

pytestmark = pytest.mark.processes


@pytest.fixture
def drone(start, model, spin_until, node):
    """An onboard node on the embedded runtime, discovered."""
    process = start("embedded", "onboard_node", "-r", "__ns:=/drone1", "-p", f"model:={model}")
    spin_until(
        lambda: ("onboard_node", "/drone1") in node.get_node_names_and_namespaces(),
        "the node's name in the graph",
    )
    return process


def test_its_topics_have_types_qualities_and_type_hashes(drone, node, spin_until):
    # Arrange
    from rclpy.qos import QoSDurabilityPolicy, QoSReliabilityPolicy
    from sensor_msgs.msg import Image
    from std_msgs.msg import UInt8MultiArray

    node.create_publisher(Image, "reference/image", 1)
    node.create_publisher(UInt8MultiArray, "reference/packet", 1)

    def entry(found):
        """The one endpoint, once its owner is known (the graph and its nodes come separately)."""
        return found[0] if found and found[0].node_name == "onboard_node" else None

    # Act
    image = spin_until(
        lambda: entry(node.get_subscriptions_info_by_topic("/drone1/image")), "the image's reader"
    )
    features = spin_until(
        lambda: entry(node.get_publishers_info_by_topic("/drone1/features")), "the packets' writer"
    )

    # Assert
    assert (image.topic_type, image.node_namespace) == ("sensor_msgs/msg/Image", "/drone1")
    assert features.topic_type == "std_msgs/msg/UInt8MultiArray"
    for found in (image, features):
        assert found.qos_profile.reliability == QoSReliabilityPolicy.BEST_EFFORT
        assert found.qos_profile.durability == QoSDurabilityPolicy.VOLATILE
    for found, topic in ((image, "/reference/image"), (features, "/reference/packet")):
        (reference,) = spin_until(
            lambda topic=topic: node.get_publishers_info_by_topic(topic), "the reference"
        )
        assert found.topic_type_hash == reference.topic_type_hash
    services = dict(node.get_service_names_and_types_by_node("onboard_node", "/drone1"))
    assert services["/drone1/onboard_node/set_parameters"] == ["rcl_interfaces/srv/SetParameters"]


def test_its_parameters_are_read_described_and_set(cyclone, drone, node, spin_until):
    from rclpy.parameter import Parameter
    from rclpy.parameter_client import AsyncParameterClient

    client = AsyncParameterClient(node, "/drone1/onboard_node")
    spin_until(client.services_are_ready, "the parameter services")

    def answer(future):
        spin_until(future.done, "an answer")
        return future.result()

    assert "rate.max_kbps" in answer(client.list_parameters()).result.names
    (described,) = answer(client.describe_parameters(["rate.index"])).descriptors
    assert described.floating_point_range[0].from_value == 0.0
    accepted, refused = answer(
        client.set_parameters(
            [Parameter("rate.max_kbps", value=321.0), Parameter("rate.mode", value="fast")]
        )
    ).results
    assert accepted.successful
    assert (refused.successful, "budget" in refused.reason) == (False, True)
    (value,) = answer(client.get_parameters(["rate.max_kbps"])).values
    assert value.double_value == 321.0


def test_the_terminal_lists_and_sets(cyclone, drone, ros2):
    assert "/drone1/onboard_node" in ros2("node", "list", "--no-daemon", "--spin-time", "5")
    info = ""
    give_up_s = time.monotonic() + 120.0
    while "Node name: onboard_node" not in info:  # a busy machine discovers slowly
        assert time.monotonic() < give_up_s, info
        info = ros2("topic", "info", "-v", "--no-daemon", "--spin-time", "5", "/drone1/features")
    assert "RIHS01_" in info
    assert "INVALID" not in info
    done = ros2(
        *("param", "set", "--no-daemon", "--spin-time", "5"),
        *("/drone1/onboard_node", "rate.max_kbps", "250.0"),
    )
    assert "Set parameter successful" in done


def test_its_messages_are_described_as_rclpy_describes_them(cyclone, drone, node, spin_until):
    from sensor_msgs.msg import Image
    from type_description_interfaces.srv import GetTypeDescription

    node.create_publisher(Image, "reference/image", 1)
    (endpoint,) = spin_until(
        lambda: node.get_publishers_info_by_topic("/reference/image"), "the tester's own publisher"
    )
    request = GetTypeDescription.Request(type_name="sensor_msgs/msg/Image")
    request.type_hash = str(endpoint.topic_type_hash)

    def described(name):
        client = node.create_client(GetTypeDescription, f"{name}/get_type_description")
        spin_until(client.service_is_ready, f"{name}/get_type_description")
        future = client.call_async(request)
        spin_until(future.done, "an answer")
        assert future.result().successful, future.result().failure_reason
        return future.result().type_description

    assert described("/drone1/onboard_node") == described("/tester")
