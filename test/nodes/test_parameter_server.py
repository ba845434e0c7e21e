# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Parameters on a node: declared from the table, changed together or not at all."""

import pytest

from sc2_ros.errors import ParameterError
from sc2_ros.nodes.link_emulator_node import LinkEmulatorNode
from sc2_ros.nodes.onboard_node import OnboardNode, configuration
from sc2_ros.nodes.parameter_server import ParameterServer, describe
from sc2_ros.nodes.parameters import CAMERA, GROUND, ONBOARD
from sc2_ros.runtime.ros import Node, Parameter, rclpy


@pytest.fixture
def with_arguments(private_domain):
    """Make a node as if its process had been started with these ROS arguments."""

    def make(*ros_args):
        rclpy.init(args=["tester", "--ros-args", *ros_args])
        return Node("tester")

    yield make
    rclpy.try_shutdown()


def test_defaults_come_from_the_table(node):
    server = ParameterServer(node, GROUND)

    assert server.values == {row.name: row.default for row in GROUND}
    assert node.get_parameter("score_threshold").value == 0.3


def test_descriptors_tell_range_choices_and_why_something_is_fixed():
    rows = {row.name: row for row in ONBOARD}

    assert describe(rows["rate.index"]).floating_point_range[0].to_value == 1.0
    assert describe(rows["stream"]).integer_range[0].to_value == 255
    assert "auto, budget, fixed" in describe(rows["rate.mode"]).additional_constraints
    assert not describe(rows["model"]).read_only
    assert describe(rows["image_transport"]).read_only
    assert "restart" in describe(rows["image_transport"]).additional_constraints


def test_the_command_line_overrides_defaults(with_arguments):
    node = with_arguments("-p", "rate.mode:=budget", "-p", "rate.max_kbps:=250.0")

    server = ParameterServer(node, ONBOARD)

    assert (server["rate.mode"], server["rate.max_kbps"]) == ("budget", 250.0)


def test_a_camera_number_needs_no_quotes(with_arguments):
    assert ParameterServer(with_arguments("-p", "input:=2"), CAMERA)["input"] == "2"


def test_one_warning_names_what_is_given_in_vain(with_arguments, tmp_path, capfd):
    file = tmp_path / "mine.yaml"
    file.write_text("/**:\n  ros__parameters:\n    rate:\n      maxkbps: 300.0\n    mask: true\n")
    qos = "qos_overrides./features.publisher.depth:=5"
    arguments = ("--params-file", str(file), "-p", "banana:=1", "-p", "stream:=3", "-p", qos)

    server = ParameterServer(with_arguments(*arguments, "-p", "use_sim_time:=true"), ONBOARD)

    (line,) = (line for line in capfd.readouterr().err.splitlines() if "does not have" in line)
    assert line.endswith(
        "does not have: banana; mask (of ground_node); rate.maxkbps (did you mean rate.max_kbps?)"
    )
    assert server["stream"] == 3


def test_no_warning_where_every_name_is_known(with_arguments, capfd):
    ParameterServer(with_arguments("-p", "stream:=3"), ONBOARD)

    assert "does not have" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("rate.index:=1.5", "0.0 to 1.0"),
        ("rate.max_kbps:=500", "a decimal number"),
        ("rate.mode:=adaptive", "one of auto, budget, fixed"),
        ("frame.size:=big", "640x512"),
    ],
)
def test_a_wrong_start_value_is_refused_with_what_is_permitted(with_arguments, argument, words):
    with pytest.raises(ParameterError, match=argument.split(":")[0]) as caught:
        ParameterServer(with_arguments("-p", argument), ONBOARD)

    assert words in str(caught.value)


def test_changes_are_applied_together(node):
    applied = []
    server = ParameterServer(node, ONBOARD)
    server.watch(configuration, applied.append)

    result = node.set_parameters_atomically(
        [
            Parameter("rate.mode", Parameter.Type.STRING, "budget"),
            Parameter("frame.size", Parameter.Type.STRING, "320x256"),
        ]
    )

    assert result.successful
    (config,) = applied
    assert (config.rate_mode, config.frame_width, config.frame_height) == ("budget", 320, 256)
    assert server["frame.size"] == "320x256"


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("rate.index", 1.5, "out of range"),
        ("rate.mode", "adaptive", "one of auto, budget, fixed"),
        ("frame.size", "9x9", "32x32"),
        ("image_transport", "compressed", "read-only"),
        ("stream", "seven", "type"),
    ],
)
def test_one_wrong_value_refuses_the_whole_change(node, name, value, reason):
    applied = []
    server = ParameterServer(node, ONBOARD)
    server.watch(configuration, applied.append)

    result = node.set_parameters_atomically(
        [Parameter("rate.max_kbps", value=123.0), Parameter(name, value=value)]
    )

    assert not result.successful
    assert reason in result.reason
    assert applied == []
    assert server["rate.max_kbps"] == 4000.0
    assert node.get_parameter("rate.max_kbps").value == 4000.0


def test_values_that_do_not_go_together_are_refused(node):
    def build(values):
        if values["mask"] and values["preview"]:
            raise ParameterError("mask and preview are both on")
        return values

    applied = []
    server = ParameterServer(node, GROUND)
    server.watch(build, applied.append)

    refused = node.set_parameters([Parameter("max_detections", value=5)])[0]
    accepted = node.set_parameters([Parameter("mask", value=False)])[0]

    assert (refused.successful, refused.reason) == (False, "mask and preview are both on")
    assert accepted.successful
    assert [values["max_detections"] for values in applied] == [200]


def test_humble_has_only_the_first_callback(node, monkeypatch):
    monkeypatch.delattr(type(node), "add_post_set_parameters_callback")
    applied = []
    server = ParameterServer(node, ONBOARD)
    server.watch(configuration, applied.append)

    assert node.set_parameters([Parameter("rate.index", value=0.75)])[0].successful
    assert not node.set_parameters([Parameter("rate.mode", value="adaptive")])[0].successful

    assert [config.rate_index for config in applied] == [0.75]
    assert server["rate.index"] == 0.75


@pytest.mark.parametrize(
    ("override", "meant"),
    [
        ("features_in.subscription.reliability", "/a/features_in.subscription.reliability"),
        ("/features_in.subscription.depth", "/a/features_in.subscription.depth"),
        ("/a/features_in.subscription.reliable", "/a/features_in.subscription.reliability"),
    ],
)
def test_a_qos_override_of_no_topic_is_told(with_arguments, capfd, override, meant):
    right = "qos_overrides./a/features_out.publisher.depth:=7"
    wrong = f"qos_overrides.{override}:=5"
    with_arguments("-r", "__ns:=/a", "-p", right, "-p", wrong)

    LinkEmulatorNode()

    (line,) = (line for line in capfd.readouterr().err.splitlines() if "no topic" in line)
    assert line.endswith(
        f"no topic that is open: qos_overrides.{override} (did you mean qos_overrides.{meant}?)"
    )


def test_a_managed_node_tells_it_when_its_topics_are_open(with_arguments, model, capfd):
    wrong, right = (f"qos_overrides.{topic}.subscription.depth" for topic in ("/img", "/image"))
    with_arguments("-p", f"model:={model}", "-p", f"{wrong}:=2", "-p", f"{right}:=3")
    node = OnboardNode()
    assert "no topic" not in capfd.readouterr().err

    node.autostart()

    assert f"no topic that is open: {wrong} (did you mean {right}?)" in capfd.readouterr().err
