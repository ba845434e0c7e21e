# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""After a fault a node with autostart begins anew, unless somebody has been quicker."""

import time

import pytest

from sc2_ros.nodes import managed
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.lifecycle import STATES
from sc2_ros.runtime.ros import rclpy


@pytest.fixture
def broken(private_domain, model, monkeypatch):
    """A node just after a fault in flight; it may begin anew at once."""
    monkeypatch.setattr(managed, "RETRY_S", 0.0)
    rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}"])
    node = OnboardNode()
    node.autostart()

    def fail():
        raise RuntimeError("the worker is broken")

    node._worker.change(fail)
    give_up = time.monotonic() + 60.0
    while node._stage == "active":
        assert time.monotonic() < give_up
        node._report()
    yield node
    rclpy.try_shutdown()


def test_a_fault_in_flight_is_tried_again(broken):
    assert STATES[broken._state] == "unconfigured"

    broken._report()

    assert STATES[broken._state] == "active"


def test_who_has_been_quicker_may_clean_up_for_good(broken):
    for step in ("configure", "activate", "deactivate", "cleanup"):
        getattr(broken, f"trigger_{step}")()

    broken._report()

    assert STATES[broken._state] == "unconfigured"
