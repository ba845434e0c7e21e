# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The embedded runtime reads a command line and a parameter file as rclpy does."""

from array import array
from collections.abc import Sequence

import pytest

from sc2_ros.runtime.arguments import RosArgumentError, parse_arguments

NODE, NAMESPACE = "onboard", "/drone"
VALUES = (
    *("1", "1.", "1e3", "1E+3", ".5", "+.5", "010", "09", "0x10", "0b11", "1_000", "1:30", "-1"),
    *("y", "N", "yes", "off", "True", "tRUE", "null", "~", "inf", "-.inf", ".nan", "1e999", "e3"),
    *("9223372036854775807", "9223372036854775808", "2024-01-01", "[1, 2]", "[1, 2.0]", "[null]"),
    *("'7'", '"y"', "!!str 5", "!other 5", "{a: 1}", "@a", "[", "*a", "|", "=", "<<", "a#b"),
    *("500kbit,40ms,2%", "/dev/video0", "a: b", ""),
)
FILES = (
    *("", "# nothing\n", "/**:\n", "ros__parameters: {x: 1}\n", "- a\n", "a: {x: 1}\n"),
    "/**: {ros__parameters: {a: {b: 1, c: {d: 2}}, a.e: 3, on: 4, 1: 5}}\n",
    "/drone/onboard: {ros__parameters: {x: 1}}\n/**: {ros__parameters: {x: 2}}\n",
    "/**: {ros__parameters: {x: 2}}\n/drone/onboard: {ros__parameters: {x: 1}}\n",
    "/*/onboard: {ros__parameters: {x: 1}}\n/onboard: {ros__parameters: {x: 2}}\n",
    "drone: {onboard: {ros__parameters: {x: 1}}, ground: {ros__parameters: {x: 2}}}\n",
    "/**: {ros__parameters: {y: &a 1, z: *a}}\n",
)


@pytest.fixture
def same(rclpy, private_domain):
    """Compares what the two make of words after --ros-args: parameters, or a refusal."""

    def of_rclpy(words):
        context = rclpy.Context()
        try:
            rclpy.init(args=["--ros-args", *words], context=context, domain_id=private_domain)
        except Exception:  # RCLError is in none of its modules
            return "refused"
        node = rclpy.create_node(NODE, namespace=NAMESPACE, context=context)
        values = {name: entry.value for name, entry in node._parameter_overrides.items()}
        node.destroy_node()
        context.try_shutdown()
        return {name: list(v) if isinstance(v, Sequence | array) and not isinstance(v, str) else v
                for name, v in sorted(values.items())}  # fmt: skip

    def of_ours(words):
        try:
            found = parse_arguments(["--ros-args", *words])
            return dict(sorted(found.overrides(f"{NAMESPACE}/{NODE}").items()))
        except RosArgumentError:
            return "refused"

    def compare(*words):
        assert repr(of_ours(words)) == repr(of_rclpy(words)), words  # nan is not equal to itself

    return compare


def test_values_on_a_command_line_and_in_a_file(same, tmp_path):
    path = tmp_path / "parameters.yaml"
    for text in VALUES:
        same("-p", f"x:={text}")
        path.write_text(f"/**:\n  ros__parameters:\n    x: {text}\n    z: 1\n")
        same("--params-file", str(path))


def test_files_with_names_patterns_and_what_is_none(same, tmp_path):
    path = tmp_path / "parameters.yaml"
    for text in FILES:
        path.write_text(text)
        for more in ((), ("-p", "x:=3")):
            same("--params-file", str(path), *more)
            same(*more, "--params-file", str(path))


def test_other_arguments(same):
    for words in (
        *(("-p", f"{NODE}:x:=1"), ("-p", "ground:x:=1"), ("-p", "x"), ("-p",), ("-r", "a:=b")),
        *(("--log-level", "info"), ("--log-file-name", "name"), ("--enclave", "/here")),
        *(("--disable-stdout-logs",), ("--enable-rosout-logs",)),
    ):
        same(*words)
