# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rclpy gives a subscription of ours the time of arrival with every message."""

import time

from sc2_ros.nodes.arrivals import timed


def test_messages_come_with_their_arrival(node, spin_until, monkeypatch):
    from rclpy.subscription import Subscription
    from std_msgs.msg import UInt8MultiArray

    monkeypatch.setattr(
        "sc2_ros.nodes.arrivals.TELLS_ARRIVAL", hasattr(Subscription, "CallbackType")
    )
    took = []
    node.create_subscription(
        UInt8MultiArray, "packets", timed(lambda *message: took.append(message)), 10
    )
    publisher = node.create_publisher(UInt8MultiArray, "packets", 10)
    spin_until(publisher.get_subscription_count, "a subscription")
    begun_s = time.monotonic()
    publisher.publish(UInt8MultiArray(data=[1, 2, 3]))
    spin_until(lambda: took, "a message")
    message, came_s = took[0]
    assert list(message.data) == [1, 2, 3]
    assert begun_s <= came_s <= time.monotonic()
