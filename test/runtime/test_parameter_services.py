# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters of a node in another process, through its services."""

import pytest
from service_clients import ParameterClient

from sc2_ros.runtime.messages import message_type
from sc2_ros.runtime.parameters import Parameter

pytestmark = pytest.mark.processes


@pytest.fixture
def peer(node, start_peer):
    start_peer("--ros-args", "-p", "rate:=0.25", "-p",
               "qos_overrides./reliable.subscription.reliability:=reliable")  # fmt: skip
    return ParameterClient(node, "/peer", timeout_s=120.0)


def test_parameters_are_listed_read_and_described(peer):
    assert set(peer.list()) >= {"rate", "size", "model", "classes", "use_sim_time"}
    assert peer.get("rate") == 0.25
    assert peer.get("classes") == ["car", "person"]
    described = peer.describe("rate")
    assert (described.name, described.type) == ("rate", Parameter.Type.DOUBLE)
    assert described.floating_point_range[0].to_value == 1.0
    with pytest.raises(LookupError):
        peer.get("speed")
    with pytest.raises(LookupError):
        peer.describe("speed")


def test_a_qos_override_is_a_read_only_parameter(peer):
    prefix = "qos_overrides./reliable.subscription."

    assert peer.get(prefix + "reliability") == "reliable"
    assert peer.get(prefix + "depth") == 5
    assert not peer.set(prefix + "depth", 3).successful


def test_what_is_refused_comes_with_its_reason(peer):
    for name, value, reason in (
        ("rate", 1.5, "out of range"),
        ("rate", 1, "Wrong parameter type"),
        ("size", 17, "step"),
        ("model", "small", "read-only"),
        ("classes", ["dog"], "no dogs"),
        ("speed", 1, "not declared"),
    ):
        result = peer.set(name, value)

        assert not result.successful
        assert reason in result.reason


def test_a_change_is_answered_applied_and_announced(node, peer, spin_until):
    events = []
    subscription = node.create_subscription(
        message_type("rcl_interfaces/msg/ParameterEvent"), "/parameter_events", events.append, 10
    )
    peer.list()  # the peer is up
    spin_until(lambda: subscription.get_publisher_count() >= 2)

    assert peer.set("rate", 0.75).successful

    assert peer.get("rate") == 0.75
    spin_until(lambda: any(event.changed_parameters for event in events))
    event = next(event for event in events if event.changed_parameters)
    assert event.node == "/peer"
    assert event.changed_parameters[0].value.double_value == 0.75


def test_several_are_set_atomically_and_types_are_told(peer):
    both = [Parameter("rate", value=0.5), Parameter("size", value=1000)]

    messages = [entry.to_parameter_msg() for entry in both]
    assert not peer.call("SetParametersAtomically", parameters=messages).result.successful
    assert peer.get("rate") == 0.25

    types = peer.call("GetParameterTypes", names=["rate", "classes"]).types
    assert list(types) == [Parameter.Type.DOUBLE, Parameter.Type.STRING_ARRAY]


def test_a_node_that_is_not_there_is_a_timeout(node):
    with pytest.raises(TimeoutError, match="/nobody/list_parameters did not appear"):
        ParameterClient(node, "/nobody", timeout_s=0.1).list()
