# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Ends of a topic whose QoS does not fit are named on /diagnostics, whichever runtime they have."""

import pytest

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("runtime", ["rclpy", "embedded"])
def test_a_reliable_subscriber_of_packets_is_named(start, model, node, spin_until, runtime):
    from diagnostic_msgs.msg import DiagnosticArray
    from rclpy.qos import QoSProfile
    from std_msgs.msg import UInt8MultiArray

    said = set()

    def listen(message):
        said.update(status.message for status in message.status)

    node.create_subscription(DiagnosticArray, "/diagnostics", listen, 10)
    node.create_subscription(UInt8MultiArray, "/features", print, QoSProfile(depth=10))
    start(runtime, "onboard_node", "-p", f"model:={model}")

    spin_until(
        lambda: any("a subscriber of /features asks for another RELIABILITY" in s for s in said),
        "the subscriber's name",
    )
