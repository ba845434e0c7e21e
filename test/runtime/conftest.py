# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A private corner of DDS for every test, and a second process to talk to."""

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

from sc2_ros.runtime import embedded
from sc2_ros.runtime.node import Node

DEADLINE_S = 120.0


@pytest.fixture(autouse=True)
def private_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", str(own_domain()))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.delenv("CYCLONEDDS_URI", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[2]))


@pytest.fixture
def node(private_domain: None) -> Iterator[Node]:
    embedded.init(args=[])
    yield Node("tester", namespace="/test")
    embedded.try_shutdown()


@pytest.fixture
def spin_until(node: Node) -> Callable[[Callable[[], object]], None]:
    """Spin the tester until a condition holds; the test fails where it never does."""

    def spin(condition: Callable[[], object]) -> None:
        give_up = time.monotonic() + DEADLINE_S
        while not condition():
            assert time.monotonic() < give_up, "the condition did not come about in time"
            embedded.spin_once(node, timeout_sec=0.05)

    return spin


@pytest.fixture
def start_peer(private_domain: None) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start peer.py or another script; whatever still runs at the end is stopped."""
    with processes(DEADLINE_S) as run:

        def start(*arguments: str, script: str = "peer.py") -> subprocess.Popen[str]:
            command = [sys.executable, str(Path(__file__).with_name(script)), *arguments]
            return run(command, stdout=subprocess.PIPE, env=os.environ)

        yield start
