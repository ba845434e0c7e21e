# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node that is cleaned up has let go of its networks, and can be configured again."""

import gc
import weakref

import pytest

from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.ros import TransitionCallbackReturn, rclpy


@pytest.fixture(params=[OnboardNode, GroundNode])
def node(request, private_domain, model):
    rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}"])
    yield request.param()
    rclpy.try_shutdown()


def test_cleanup_lets_go_of_the_networks(node):
    node.autostart()
    present = node._present.networks
    networks = weakref.ref(present[0] if isinstance(present, list) else present)
    del present

    node.trigger_deactivate()
    node.trigger_cleanup()
    gc.collect()

    assert networks() is None
    assert node.trigger_configure() is TransitionCallbackReturn.SUCCESS
    assert node.trigger_activate() is TransitionCallbackReturn.SUCCESS
