# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Onboard and ground as managed nodes: their transitions, faults, and networks changed live."""

import time

import numpy as np
import pytest

from sc2_ros.media.messages import image_message
from sc2_ros.nodes import managed, qos
from sc2_ros.nodes.ground_node import GroundNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.lifecycle import STATES
from sc2_ros.runtime.ros import (
    Image,
    Parameter,
    SingleThreadedExecutor,
    TransitionCallbackReturn,
    UInt8MultiArray,
    rclpy,
)

SUCCESS, ERROR = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.ERROR
DEADLINE_S = 60.0


def state_of(node):
    return STATES[node._state]


@pytest.fixture
def fly(private_domain, model):
    """Make a node with a checkpoint and these ROS arguments."""

    def make(kind, *words):
        rclpy.init(args=["node", "--ros-args", "-p", f"model:={model}", *words])
        return kind()

    yield make
    rclpy.try_shutdown()


@pytest.fixture
def other_model(tmp_path, model):
    """A second checkpoint with another id."""
    import torch

    from sc2_ros import checkpoint

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        card = checkpoint.default_card()
        encoder, ground = checkpoint.build_networks(card)
    path = tmp_path / "other.safetensors"
    checkpoint.save(path, encoder, ground, checkpoint.untrained(0).tables, card)
    return path


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
def test_a_node_goes_through_its_states_and_back(fly, kind):
    node = fly(kind, "-p", "autostart:=false")
    topic = "features" if kind is GroundNode else "feedback"
    before = len(node.endpoints)

    node.autostart()
    assert state_of(node) == "unconfigured"
    assert node.trigger_configure() is SUCCESS
    assert not node.count_subscribers(topic)
    for _ in range(2):
        assert node.trigger_activate() is SUCCESS
        assert state_of(node) == "active"
        assert topic in {endpoint.topic_name[1:] for endpoint in node.takers if has_topic(endpoint)}
        assert node.trigger_deactivate() is SUCCESS
        assert state_of(node) == "inactive"
    assert node.trigger_cleanup() is SUCCESS

    assert len(node.endpoints) == before
    assert node.trigger_shutdown() is SUCCESS
    assert state_of(node) == "finalized"


def has_topic(endpoint):
    return hasattr(endpoint, "topic_name")


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
def test_what_cannot_be_loaded_leads_back_to_unconfigured_with_the_reason(fly, kind, model, capsys):
    node = fly(kind, "-p", "autostart:=false", "-p", "model:=nowhere")
    told = []
    node._diagnostics.publish = told.append

    assert node.trigger_configure() is ERROR
    node._report()

    assert state_of(node) == "unconfigured"
    assert "nowhere" in capsys.readouterr().err
    (status,) = told[0].status
    assert status.name.endswith(": lifecycle")
    assert (status.level, "nowhere" in status.message) == (b"\x02", True)

    assert node.set_parameters([Parameter("model", value=str(model))])[0].successful
    assert node.trigger_configure() is SUCCESS
    assert node.trigger_activate() is SUCCESS
    node._report()
    assert told[-1].status[0].name
    lifecycle = [s for message in told for s in message.status if s.name.endswith(": lifecycle")]
    assert (lifecycle[-1].level, lifecycle[-1].message) == (b"\x00", "active")


def test_a_broken_thread_ends_in_the_error_state_and_the_node_begins_anew(fly, monkeypatch, capsys):
    monkeypatch.setattr(managed, "RETRY_S", 0.0)
    node = fly(OnboardNode)
    node.autostart()
    states = []

    def fail() -> None:
        raise ZeroDivisionError("no wood left")

    node._worker.change(fail)
    node._worker._thread.join(DEADLINE_S)
    node._report()
    states.append(state_of(node))
    node._report()
    states.append(state_of(node))

    assert states == ["unconfigured", "active"]
    assert "[FATAL]" in (text := capsys.readouterr().err)
    assert "no wood left" in text


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
@pytest.mark.parametrize("active", [True, False])
def test_another_checkpoint_is_taken_live(fly, kind, active, model, other_model):
    node = fly(kind)
    node.autostart()
    if not active:
        node.trigger_deactivate()
    before = pipeline_of(node)

    refused = node.set_parameters([Parameter("model", value="nowhere")])[0]
    fp16 = node.set_parameters([Parameter("precision", value="fp16")])[0]
    assert (refused.successful, "nowhere" in refused.reason) == (False, True)
    assert (fp16.successful, "CUDA" in fp16.reason) == (False, True)
    assert pipeline_of(node) is before
    assert node.get_parameter("model").value == str(model)

    before.stats.frames = 41
    assert node.set_parameters([Parameter("model", value=str(other_model))])[0].successful
    wait_for(lambda: pipeline_of(node) is not before)
    assert pipeline_of(node)._checkpoint_id != before._checkpoint_id
    assert pipeline_of(node).stats is before.stats
    assert state_of(node) == ("active" if active else "inactive")

    assert node.set_parameters([Parameter("precision", value="bf16")])[0].successful
    wait_for(lambda: pipeline_of(node).config.precision == ("bf16" if active else "fp32"))


def test_frames_go_on_with_the_new_networks(fly, other_model):
    node = fly(OnboardNode, "-p", "rate.mode:=fixed")
    node.autostart()
    packets = []
    node.create_subscription(UInt8MultiArray, "features", packets.append, qos.PACKETS)
    camera = node.create_publisher(Image, "image", 1)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ids = set()

    def seen(count):
        camera.publish(image_message(np.zeros((64, 64), np.uint8), time.time_ns(), "camera"))
        executor.spin_once(0.05)
        ids.update(bytes(packet.data)[2:6] for packet in packets)
        return len(ids) >= count

    wait_for(lambda: seen(1))
    assert node.set_parameters([Parameter("model", value=str(other_model))])[0].successful
    wait_for(lambda: seen(2))


def pipeline_of(node):
    return node._pipeline if isinstance(node, OnboardNode) else node._stations[0].pipeline


def wait_for(condition):
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.002)
