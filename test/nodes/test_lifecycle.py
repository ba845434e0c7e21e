# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Onboard and ground as managed nodes: their transitions, faults, and networks changed live."""

import json
import threading
import time

import numpy as np
import pytest
from safetensors.torch import save_file

from sc2_ros import checkpoint
from sc2_ros.ground import results
from sc2_ros.media.messages import header, image_message, to_ns
from sc2_ros.nodes import managed, qos
from sc2_ros.nodes.ground_station import GroundNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.lifecycle import STATES
from sc2_ros.runtime.ros import (
    CameraInfo,
    DiagnosticArray,
    Image,
    LabelInfo,
    Parameter,
    SingleThreadedExecutor,
    TransitionCallbackReturn,
    UInt8MultiArray,
    rclpy,
)

SUCCESS, ERROR = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.ERROR
DEADLINE_S = 300.0


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
    assert topic not in topics_taken(node)
    for _ in range(2):
        assert node.trigger_activate() is SUCCESS
        assert state_of(node) == "active"
        assert topic in topics_taken(node)
        assert node.trigger_deactivate() is SUCCESS
        assert state_of(node) == "inactive"
    assert node.trigger_cleanup() is SUCCESS

    assert len(node.endpoints) == before
    assert node.trigger_shutdown() is SUCCESS
    assert state_of(node) == "finalized"


def topics_taken(node):
    return {taker.topic_name[1:] for taker in node.takers if hasattr(taker, "topic_name")}


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


@pytest.fixture
def spinning(fly):
    """Make a node that has started itself, and a function that spins it until a condition holds."""

    def make(kind, *words):
        node = fly(kind, *words)
        node.autostart()
        executor = SingleThreadedExecutor()
        executor.add_node(node)

        def until(condition):
            def found():
                executor.spin_once(0.01)
                return condition()

            wait_for(found)

        return node, until

    return make


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
@pytest.mark.parametrize("active", [True, False])
def test_another_checkpoint_is_taken_live(spinning, kind, active, model, other_model):
    node, until = spinning(kind)
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
    until(lambda: pipeline_of(node) is not before)
    assert pipeline_of(node)._checkpoint_id != before._checkpoint_id
    assert pipeline_of(node).stats is before.stats
    assert state_of(node) == ("active" if active else "inactive")

    assert node.set_parameters([Parameter("precision", value="bf16")])[0].successful
    loaded = node._present
    until(lambda: node._present is not loaded)
    until(lambda: pipeline_of(node).config.precision == "bf16")


@pytest.fixture
def slow_load(monkeypatch):
    """Loading waits for this event."""
    go_on, load = threading.Event(), checkpoint.load

    def slow(*words):
        assert go_on.wait(DEADLINE_S)
        return load(*words)

    def begin():
        monkeypatch.setattr(checkpoint, "load", slow)
        return go_on

    yield begin
    go_on.set()


def test_the_stream_and_other_changes_do_not_wait_for_a_checkpoint(
    spinning, slow_load, model, other_model
):
    # Arrange
    node, until = spinning(OnboardNode, "-p", "rate.mode:=fixed")
    go_on = slow_load()
    camera = node.create_publisher(Image, "image", 1)
    before = pipeline_of(node)
    started = before.stats.frames_sent

    def frames(count):
        camera.publish(image_message(np.zeros((64, 64), np.uint8), time.time_ns(), "camera"))
        return before.stats.frames_sent >= started + count

    # Act and assert
    assert node.set_parameters([Parameter("model", value=str(other_model))])[0].successful
    assert node.set_parameters([Parameter("rate.index", value=0.25)])[0].successful
    until(lambda: frames(3))
    assert pipeline_of(node) is before
    go_on.set()
    until(lambda: pipeline_of(node) is not before)
    until(lambda: pipeline_of(node).config.rate_index == 0.25)
    assert node.get_parameter("model").value == str(other_model)


def test_who_asks_for_the_old_checkpoint_again_keeps_it(spinning, slow_load, model, other_model):
    node, until = spinning(GroundNode)
    go_on = slow_load()
    before = pipeline_of(node)

    for path in (other_model, model):
        assert node.set_parameters([Parameter("model", value=str(path))])[0].successful
    go_on.set()
    assert node.set_parameters([Parameter("max_detections", value=7)])[0].successful
    until(lambda: pipeline_of(node).config.max_detections == 7)

    assert pipeline_of(node) is before


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
def test_a_checkpoint_asked_for_is_there_once_the_node_is_active_again(
    spinning, kind, model, other_model
):
    node, _ = spinning(kind)
    before = pipeline_of(node)

    assert node.set_parameters([Parameter("model", value=str(other_model))])[0].successful
    node.trigger_deactivate()
    node.trigger_activate()

    assert state_of(node) == "active"
    assert pipeline_of(node)._checkpoint_id != before._checkpoint_id
    assert pipeline_of(node).stats is before.stats


@pytest.mark.parametrize("kind", [OnboardNode, GroundNode])
def test_weights_that_do_not_fit_their_card_bring_the_old_value_back(
    spinning, kind, model, other_model, tmp_path, capsys
):
    metadata, tensors = checkpoint.read_file(other_model, checkpoint.FORMAT, "this test")
    card = json.loads(metadata["card"])
    card["network"]["ground_widths"] = [16, 16, 16]
    broken = tmp_path / "broken.safetensors"
    save_file(tensors, broken, {**metadata, "card": json.dumps(card)})
    node, until = spinning(kind)
    before = pipeline_of(node)

    assert node.set_parameters([Parameter("model", value=str(broken))])[0].successful
    until(lambda: node.get_parameter("model").value == str(model))

    assert pipeline_of(node) is before
    assert state_of(node) == "active"
    assert "do not fit" in capsys.readouterr().err


def test_a_checkpoint_without_a_class_that_is_reported_is_refused(spinning, other_model, tmp_path):
    boats = with_names(other_model, tmp_path / "boats.safetensors", "detection_classes")
    node, until = spinning(GroundNode, "-p", "classes:=person")

    result = node.set_parameters([Parameter("model", value=str(boats))])[0]
    assert (result.successful, "person" in result.reason) == (False, True)

    both = [Parameter("model", value=str(boats)), Parameter("classes", value="boat")]
    assert node.set_parameters_atomically(both).successful
    until(lambda: pipeline_of(node).config.classes == ("boat",))


def test_who_listens_late_hears_the_names_of_the_networks_that_work(spinning, model, tmp_path):
    node, until = spinning(GroundNode)
    boats = with_names(model, tmp_path / "boats.safetensors", "mask_classes")

    assert node.set_parameters([Parameter("model", value=str(boats))])[0].successful
    until(lambda: node._streams[0].decoder.mask_classes[0] == "boat")
    heard = []
    node.create_subscription(LabelInfo, "label_info", heard.append, qos.LATCHED)
    until(lambda: heard)

    assert heard[0].class_map[0].class_name == "boat"


def test_every_transition_says_one_line(fly, capfd):
    node = fly(GroundNode, "-p", "autostart:=false")
    capfd.readouterr()
    steps = ("configure", "activate", "deactivate", "activate", "deactivate", "cleanup", "shutdown")
    said = []
    for step in steps:
        getattr(node, f"trigger_{step}")()
        said.append(capfd.readouterr().err.splitlines())

    assert [len(lines) for lines in said] == [1] * len(steps)
    assert "deactivated" in said[2][0]
    assert "cleaned up" in said[5][0]
    assert "shut down" in said[6][0]


@pytest.mark.parametrize(
    ("words", "topic", "named"),
    [
        ((), "features", "a subscriber of /features asks for another RELIABILITY"),
        (
            ("-p", "qos_overrides./image.subscription.reliability:=reliable"),
            "image",
            "no image on /image yet: a publisher of /image offers another RELIABILITY",
        ),
    ],
)
def test_ends_of_a_topic_that_do_not_fit_are_named(spinning, words, topic, named):
    node, until = spinning(OnboardNode, *words)
    reported = []

    def listen(message):
        reported.extend(status.message for status in message.status)

    node.create_subscription(DiagnosticArray, "/diagnostics", listen, qos.RESULTS)
    if topic == "features":
        node.create_subscription(UInt8MultiArray, "features", print, qos.RESULTS)
    else:
        node.create_publisher(Image, "image", qos.SENSOR)

    until(lambda: any(named in message for message in reported))


def test_frames_go_on_with_the_new_networks(spinning, other_model):
    node, until = spinning(OnboardNode, "-p", "rate.mode:=fixed")
    packets = []
    node.create_subscription(UInt8MultiArray, "features", packets.append, qos.PACKETS)
    camera = node.create_publisher(Image, "image", 1)
    ids = set()

    def seen(count):
        camera.publish(image_message(np.zeros((64, 64), np.uint8), time.time_ns(), "camera"))
        ids.update(bytes(packet.data)[2:6] for packet in packets)
        return len(ids) >= count

    until(lambda: seen(1))
    assert node.set_parameters([Parameter("model", value=str(other_model))])[0].successful
    until(lambda: seen(2))


def with_names(path, other, names):
    """A copy of a checkpoint whose card calls its first class a boat."""
    metadata, tensors = checkpoint.read_file(path, checkpoint.FORMAT, "this test")
    card = json.loads(metadata["card"])
    card[names][0] = "boat"
    save_file(tensors, other, {**metadata, "card": json.dumps(card)})
    return other


def pipeline_of(node):
    return node._pipeline if isinstance(node, OnboardNode) else node._streams[0].pipeline


def wait_for(condition):
    give_up = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < give_up
        time.sleep(0.002)


def test_the_calibration_goes_over_the_radio_once_and_comes_out_with_every_frame(fly):
    drone = fly(OnboardNode, "-p", "rate.mode:=fixed", "-r", "image:=/front/image_raw")
    ground = GroundNode()
    executor = SingleThreadedExecutor()
    for node in (drone, ground):
        node.autostart()
        executor.add_node(node)
    camera = drone.create_publisher(Image, "/front/image_raw", 1)
    driver = drone.create_publisher(CameraInfo, "/front/camera_info", 1)
    told, mask, preview = [], [], []
    drone.create_subscription(CameraInfo, "features/camera_info", told.append, qos.LATCHED)
    drone.create_subscription(CameraInfo, "mask/camera_info", mask.append, 5)
    drone.create_subscription(CameraInfo, "preview/camera_info", preview.append, 5)
    info = CameraInfo(width=1600, height=800)
    info.k = np.array([500.0, 0, 800, 0, 500, 400, 0, 0, 1])
    picture = np.zeros((800, 1600), np.uint8)

    def seen():
        info.header = header(time.time_ns(), "front")
        driver.publish(info)
        camera.publish(image_message(picture, time.time_ns(), "front"))
        executor.spin_once(0.05)
        return len(mask) > 2 and len(preview) > 2

    assert drone.set_parameters([Parameter("frame.size", value="96x64")])[0].successful
    wait_for(seen)

    assert len(told) == 1
    assert (mask[-1].width, mask[-1].height, mask[-1].header.frame_id) == (1600, 800, "front")
    assert (preview[-1].width, preview[-1].height) == (1280, 640)
    np.testing.assert_allclose(preview[-1].k[[0, 2, 4, 5]], [400, 640, 400, 320])
    assert to_ns(mask[0].header.stamp) < to_ns(mask[-1].header.stamp)


def test_a_start_on_the_cpu_makes_one_engine(fly, monkeypatch):
    made = []

    class Counting(results.TorchGroundEngine):
        def __init__(self, *words):
            made.append(words)
            super().__init__(*words)

    monkeypatch.setattr(results, "TorchGroundEngine", Counting)
    node = fly(GroundNode, "-p", "device:=cpu", "-p", "precision:=bf16")
    node.autostart()
    node.trigger_deactivate()
    node.trigger_activate()

    assert len(made) == 1
