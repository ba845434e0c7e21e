# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A node of real ROS 2 in a domain of its own, and this package's nodes as processes beside it.

Everything here is skipped where no ROS 2 is sourced.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from domains import own_domain
from started import processes
from weights import write_untrained

DEADLINE_S = 300.0
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def rclpy() -> Any:
    """The module, where there is one."""
    return pytest.importorskip("rclpy", reason="needs real ROS 2: no rclpy in this environment")


@pytest.fixture
def cyclone(rclpy: Any) -> None:
    """Services of embedded nodes are in the format of rmw_cyclonedds."""
    name = rclpy.get_rmw_implementation_identifier()
    if name != "rmw_cyclonedds_cpp":
        pytest.skip(f"needs RMW_IMPLEMENTATION=rmw_cyclonedds_cpp, which is {name}")


@pytest.fixture(autouse=True)
def private_domain(monkeypatch: pytest.MonkeyPatch) -> int:
    domain = own_domain()
    monkeypatch.setenv("ROS_DOMAIN_ID", str(domain))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("SC2_RUNTIME", "rclpy")  # of what a launch file starts
    return domain


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint with random weights."""
    return write_untrained(tmp_path_factory.mktemp("model") / "untrained.safetensors")


@pytest.fixture
def node(rclpy: Any, private_domain: int) -> Iterator[Any]:
    """A node of this process on rclpy."""
    from rclpy.executors import SingleThreadedExecutor

    context = rclpy.Context()
    rclpy.init(context=context, domain_id=private_domain)
    node = rclpy.create_node("tester", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    yield node
    executor.shutdown()
    node.destroy_node()
    context.try_shutdown()


@pytest.fixture
def spin_until(node: Any) -> Callable[[Callable[[], object], str], Any]:
    """Spin the tester until a condition holds, which it returns; else the test fails."""

    def spin(condition: Callable[[], object], what: str) -> object:
        give_up = time.monotonic() + DEADLINE_S
        while not (found := condition()):
            assert time.monotonic() < give_up, f"{what} did not come about in {DEADLINE_S:.0f} s"
            node.executor.spin_once(timeout_sec=0.05)
        return found

    return spin


@pytest.fixture
def start(rclpy: Any, private_domain: int) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a process: `start("rclpy", "ground_node", "-p", "mask:=false")`, or a command."""
    with processes(DEADLINE_S) as run:

        def begin(runtime: str, name: str, *ros_args: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", f"sc2_ros.nodes.{name}", "--ros-args", *ros_args]
            path = os.pathsep.join((str(ROOT), os.environ.get("PYTHONPATH", "")))
            environment = {**os.environ, "SC2_RUNTIME": runtime, "PYTHONPATH": path}
            return run(command, env=environment)

        yield begin


@pytest.fixture
def fly(
    start: Callable[..., subprocess.Popen[str]], model: Path
) -> Callable[[], list[subprocess.Popen[str]]]:
    """Start a camera, a drone and a station, on rclpy."""
    network = ("-p", f"model:={model}")
    rate = ("-p", "rate.mode:=fixed", "-p", "refresh.period_s:=1.0")

    def begin() -> list[subprocess.Popen[str]]:
        return [
            start("rclpy", "camera_node", "-p", "fps:=5.0", "-p", "size:=96x80"),
            start("rclpy", "onboard_node", *network, *rate),
            start("rclpy", "ground_node", *network, "-p", "score_threshold:=0.0"),
        ]

    return begin


@pytest.fixture
def ros2(rclpy: Any, private_domain: int) -> Callable[..., str]:
    """Run a command of a ROS 2 terminal to its end: `ros2("param", "list", "/ground_node")`."""
    command = shutil.which("ros2")
    if command is None:
        pytest.skip("needs the ros2 command (ros2cli)")

    def run(*words: str) -> str:
        done = subprocess.run([command, *words], capture_output=True, text=True, timeout=DEADLINE_S)
        return done.stdout + done.stderr

    return run
