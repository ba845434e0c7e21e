# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""`--ros-args`, parameter files, remaps and names."""

import math

import pytest

from sc2_ros.runtime.arguments import RosArgumentError, expand_name, parse_arguments

NODE = "/drone/onboard"


def test_what_is_not_ros_stays_on_the_command_line():
    found = parse_arguments(["prog", "a", "--ros-args", "-p", "x:=1", "--", "b"])

    assert found.rest == ["prog", "a", "b"]
    assert found.overrides(NODE) == {"x": 1}


def test_values_are_yaml():
    texts = ["i:=3", "d:=3.0", "b:=true", "s:=fp16", "l:=[car, person]", "q:='7'"]
    found = parse_arguments(["--ros-args", *(word for text in texts for word in ("-p", text))])

    assert found.overrides(NODE) == {
        "i": 3, "d": 3.0, "b": True, "s": "fp16", "l": ["car", "person"], "q": "7",
    }  # fmt: skip


def test_a_rule_for_one_node_is_not_for_another():
    found = parse_arguments(["--ros-args", "-p", "onboard:x:=1", "-r", "ground:image:=other"])

    assert found.overrides("/onboard") == {"x": 1}
    assert found.overrides("/ground") == {}
    assert found.overrides(NODE) == {}  # in a namespace it is not that node, as on ROS 2
    assert found.remap("/drone/image", "onboard", NODE) == "/drone/image"
    assert found.remap("/drone/image", "ground", "/drone/ground") == "/drone/other"


def test_a_parameter_file_with_wildcards_and_namespaces(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(
        "/**:\n  ros__parameters: {rate: {index: 0.5}, device: cpu}\n"
        "/drone/onboard:\n  ros__parameters: {rate: {mode: budget, index: 0.25}}\n"
        "drone:\n  ground:\n    ros__parameters: {mask: false}\n"
        "/*/ground:\n  ros__parameters: {preview: true}\n"
    )

    found = parse_arguments(["--ros-args", "--params-file", str(path), "-p", "device:=cuda"])

    assert found.overrides(NODE) == {"rate.mode": "budget", "rate.index": 0.25, "device": "cuda"}
    assert found.overrides("/drone/ground") == {
        "rate.index": 0.5, "device": "cuda", "mask": False, "preview": True,
    }  # fmt: skip


def test_a_pattern_that_is_named_later_wins_whatever_is_added_to_one_before(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text(
        "/drone/onboard: {ros__parameters: {a: 1}}\n/**: {ros__parameters: {a: 2, b: 2}}\n"
        "/*/onboard: {ros__parameters: {b: 3}}\n"
    )

    found = parse_arguments(["--ros-args", "--params-file", str(path), "-p", "b:=4", "-p", "c:=4"])

    assert found.overrides(NODE) == {"a": 2, "b": 3, "c": 4}


@pytest.mark.parametrize(
    "text",
    [
        *("- a\n- b\n", "node:\n  x: 1\n", "node: {ros__parameters: 3}\n", "a: [\n"),
        *("ros__parameters: {x: 1}\n", "/**: {ros__parameters: {x: }}\n", "? [a]\n: {}\n"),
        "/**: {ros__parameters: {x: &same 1, y: *same}}\n",
    ],
)
def test_what_is_no_parameter_file_is_refused(tmp_path, text):
    path = tmp_path / "parameters.yaml"
    path.write_text(text)

    with pytest.raises(RosArgumentError, match=r"parameters\.yaml"):
        parse_arguments(["--ros-args", "--params-file", str(path)])


def test_a_date_is_text_as_in_ros(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text("/**: {ros__parameters: {begun: 2024-13-45, log: 2024-01-01}}")

    found = parse_arguments(["--ros-args", "--params-file", str(path), "-p", "log:=2025-01-01"])

    assert found.overrides(NODE) == {"begun": "2024-13-45", "log": "2025-01-01"}


@pytest.mark.parametrize("value", ["{a: 1}", "[1, a]", "[[1]]", "[1, 2.0]"])
def test_what_no_parameter_can_hold_is_refused(tmp_path, value):
    with pytest.raises(RosArgumentError, match=r"parameter link = "):
        parse_arguments(["--ros-args", "-p", f"link:={value}"])
    if not value.startswith("{"):  # in a file that is a group of parameters
        path = tmp_path / "parameters.yaml"
        path.write_text(f"/**: {{ros__parameters: {{link: {value}}}}}")
        with pytest.raises(RosArgumentError, match=r"parameter link = "):
            parse_arguments(["--ros-args", "--params-file", str(path)])


@pytest.mark.parametrize("value", ["@a", "[", "*a", "|", "#a", " "])
def test_what_is_no_yaml_is_refused_and_not_taken_for_text(value):
    with pytest.raises(RosArgumentError, match=r"parameter link "):
        parse_arguments(["--ros-args", "-p", f"link:={value}"])


@pytest.mark.parametrize(
    "words",
    [["-p", "x"], ["-r"], ["--speed"], ["--params-file", "/none"], ["--enable-speed"]],
)
def test_what_ros_does_not_understand_is_refused(words):
    with pytest.raises(RosArgumentError):
        parse_arguments(["--ros-args", *words])


def test_name_namespace_and_topic_remaps():
    rules = ["__ns:=/drone", "__node:=onboard", "image:=/camera/image", "~/x:=y", "/a:=b"]
    found = parse_arguments(["--ros-args", *(word for rule in rules for word in ("-r", rule))])

    assert found.node_name("sc2") == "onboard"
    assert found.node_namespace("sc2", "") == "/drone"
    assert found.remap("/drone/image", "onboard", NODE) == "/camera/image"
    assert found.remap("/drone/onboard/x", "onboard", NODE) == "/drone/y"
    assert found.remap("/a", "onboard", NODE) == "/drone/b"
    assert found.remap("/image", "onboard", NODE) == "/image"


def test_names_expand_as_in_ros():
    assert expand_name("image", "/", "/n") == "/image"
    assert expand_name("image", "/drone", NODE) == "/drone/image"
    assert expand_name("~/now", "/drone", NODE) == "/drone/onboard/now"
    assert expand_name("/clock", "/drone", NODE) == "/clock"


@pytest.mark.parametrize("name", ["", "1st", "a b", "a//b", "a/", "a__b", "a-b"])
def test_what_is_no_ros_name_is_refused(name):
    with pytest.raises(RosArgumentError, match="is not a ROS topic"):
        expand_name(name, "/", "/n")


def test_an_exponent_makes_a_number_with_or_without_a_point(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text("/**:\n  ros__parameters: {a: 1e3, b: '1e3', c: -2.5E-1, d: 1e, e: .5e+1}\n")

    found = parse_arguments(["--ros-args", "--params-file", str(path), "-p", "f:=4e2"])

    assert found.overrides(NODE) == {
        "a": 1000.0, "b": "1e3", "c": -0.25, "d": "1e", "e": 5.0, "f": 400.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, True) for text in ("y", "Y", "yes", "ON", "True")],
        *[(text, False) for text in ("n", "NO", "off", "false")],
        *[("010", 8), ("0x10", 16), ("09", 9.0), ("+.5", 0.5), ("1.", 1.0), ("1.e3", 1000.0)],
        *[("inf", math.inf), ("-.inf", -math.inf), ("9223372036854775808", 2.0**63)],
        *[(text, text) for text in ("1:30", "1_000", "0b11", "null", "~", "tRUE", "1e999", "=")],
        *[("'1'", "1"), ('"y"', "y"), ("!!str 5", "5"), ("!other 5", 5), ("[null]", ["null"])],
    ],
)
def test_words_and_numbers_are_read_as_in_ros(tmp_path, text, value):
    path = tmp_path / "parameters.yaml"
    path.write_text(f"/**:\n  ros__parameters:\n    x: {text}\n    on: 1\n")

    found = parse_arguments(["--ros-args", "--params-file", str(path), "-p", f"z:={text}"])

    assert repr(found.overrides(NODE)) == repr({"x": value, "on": 1, "z": value})


def test_a_file_of_comments_has_no_parameters(tmp_path):
    path = tmp_path / "parameters.yaml"
    path.write_text("# later\n")

    assert parse_arguments(["--ros-args", "--params-file", str(path)]).overrides(NODE) == {}
