# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which runtime the nodes of a process take."""

import sys

import pytest

from sc2_ros.runtime.choice import rclpy_chosen
from sc2_ros.runtime.errors import RosError


@pytest.fixture
def rclpy_installed(tmp_path, monkeypatch):
    (tmp_path / "rclpy.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "rclpy", raising=False)


@pytest.fixture
def rclpy_missing(monkeypatch):
    monkeypatch.setattr("sc2_ros.runtime.choice.find_spec", lambda name: None)


@pytest.mark.parametrize(("wanted", "chosen"), [("", True), ("rclpy", True), ("embedded", False)])
def test_rclpy_is_taken_where_it_is_unless_told_otherwise(
    rclpy_installed, monkeypatch, wanted, chosen
):
    monkeypatch.setenv("SC2_RUNTIME", wanted)

    assert rclpy_chosen() is chosen


@pytest.mark.parametrize("wanted", ["", "embedded"])
def test_without_rclpy_the_runtime_is_the_embedded_one(rclpy_missing, monkeypatch, wanted):
    monkeypatch.setenv("SC2_RUNTIME", wanted)

    assert not rclpy_chosen()


def test_an_rclpy_that_is_not_there_is_an_error(rclpy_missing, monkeypatch):
    monkeypatch.setenv("SC2_RUNTIME", "rclpy")

    with pytest.raises(RosError, match="no ROS 2 is sourced"):
        rclpy_chosen()


def test_another_value_is_an_error(monkeypatch):
    monkeypatch.setenv("SC2_RUNTIME", "ros1")

    with pytest.raises(RosError, match="SC2_RUNTIME is 'ros1'"):
        rclpy_chosen()
