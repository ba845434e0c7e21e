# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that is cleaned up has let go of its networks, and can be configured again."""

import gc
import weakref

import pytest

from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.ros import TransitionCallbackReturn, rclpy


@pytest.fixture
def node(private_domain, model):
    rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}"])
    yield OnboardNode()
    rclpy.try_shutdown()


def test_cleanup_lets_go_of_the_networks(node):
    node.autostart()
    networks = weakref.ref(node._present.networks)

    node.trigger_deactivate()
    node.trigger_cleanup()
    gc.collect()

    assert networks() is None
    assert node.trigger_configure() is TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() is TransitionCallbackReturn.SUCCESS
