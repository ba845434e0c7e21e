# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A private DDS domain, a small checkpoint on disk, and the nodes as real processes."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from domains import own_domain
from started import processes

pytest.importorskip("cyclonedds")

from sc2_ros.runtime.ros import Node, rclpy

DEADLINE_S = 300.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def private_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.delenv("CYCLONEDDS_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with random weights."""
    import torch

    from sc2_ros import checkpoint

    path = tmp_path_factory.mktemp("model") / "untrained.safetensors"
    card = checkpoint.default_card()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        encoder, ground = checkpoint.build_networks(card)
    checkpoint.save(path, encoder, ground, checkpoint.untrained(0).tables, card)
    return path


@pytest.fixture
def node(private_domain: None) -> Iterator[Node]:
    """A node of this process, with parameters from a command line."""
    rclpy.init(args=["tester"])
    yield Node("tester")
    rclpy.try_shutdown()


@pytest.fixture
def spin_until(node: Node) -> Callable[[Callable[[], object], str], None]:
    """Spin the tester until a condition holds; the test fails where it never does."""

    def spin(condition: Callable[[], object], what: str) -> None:
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up, f"{what} did not come about in {DEADLINE_S:.0f} s"
            rclpy.spin_once(node, timeout_sec=0.05)

    return spin


@pytest.fixture
def start(private_domain: None) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a node as a process: `start("camera_node", "-p", "fps:=5.0")`."""
    with processes(DEADLINE_S) as run:

        def begin(name: str, *ros_args: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", f"sc2_ros.nodes.{name}", "--ros-args", *ros_args]
            return run(command, env=os.environ)

        yield begin


@pytest.fixture
def start_in(private_domain: None) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a node in a network namespace: `start_in(name, "camera_node", "-p", "fps:=5.0")`."""
    with processes(DEADLINE_S) as run:

        def begin(
            namespace: str, name: str, *ros_args: str, **environment: str
        ) -> subprocess.Popen[str]:
            command = ["ip", "netns", "exec", namespace, sys.executable, "-m"]
            command += [f"sc2_ros.nodes.{name}", "--ros-args", *ros_args]
            return run(command, env=os.environ | environment)

        yield begin
