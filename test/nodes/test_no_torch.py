# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The nodes that fly import nothing heavy, neither when they are loaded nor while they work."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {"torch", "torchvision", "compressai", "scipy", "matplotlib", "pandas", "av"}

FLIGHT = """
import sys, time
from sc2_ros.nodes import qos
from sc2_ros.nodes.camera_node import CameraNode
from sc2_ros.nodes.link_emulator_node import LinkEmulatorNode
from sc2_ros.nodes.onboard_node import OnboardNode
from sc2_ros.runtime.ros import SingleThreadedExecutor, UInt8MultiArray, rclpy

parameters = ["-p", "input:=synthetic:3", "-p", "size:=320x256", "-p", "rate.mode:=fixed"]
rclpy.init(args=["flight", "--ros-args", *parameters, "-r", "features:=features_in"])
camera, onboard, emulator = CameraNode(), OnboardNode(), LinkEmulatorNode()
packets = []
camera.create_subscription(UInt8MultiArray, "features_out", packets.append, qos.PACKETS)
executor = SingleThreadedExecutor()
onboard.autostart()
for node in (camera, onboard, emulator):
    executor.add_node(node)
give_up = time.monotonic() + 120
while len(packets) < 10 and time.monotonic() < give_up:
    executor.spin_once(0.05)
print(onboard._pipeline.engine_name, file=sys.stderr)
print("packets came" if len(packets) >= 10 else "no packets", *(HEAVY & sys.modules.keys()))
for node in (camera, onboard, emulator):
    node.destroy_node()
rclpy.try_shutdown()
"""


def _run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"HEAVY = {HEAVY!r}\n{code}"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def test_a_flight_imports_nothing_heavy() -> None:
    done = _run(FLIGHT)
    assert done.stdout.splitlines()[-1:] == ["packets came"], done.stdout + done.stderr
    assert "ONNX Runtime" in done.stderr


@pytest.mark.parametrize("name", ["onboard_node", "camera_node", "link_emulator_node"])
def test_loading_a_node_imports_nothing_heavy(name: str) -> None:
    done = _run(f"import sys, sc2_ros.nodes.{name}\nprint(HEAVY & sys.modules.keys())")
    assert done.stdout == "set()\n", done.stderr
