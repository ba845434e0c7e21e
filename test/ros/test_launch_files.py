# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The launch files on real ROS 2, as installed by `colcon build`."""

import shutil
import subprocess
from pathlib import Path

import pytest

LONGEST_S = 1500.0

pytestmark = pytest.mark.processes


@pytest.fixture
def installed(rclpy):
    packages = pytest.importorskip("ament_index_python.packages", reason="needs ament_index_python")
    try:
        return packages.get_package_share_path("sc2_ros")
    except packages.PackageNotFoundError:
        pytest.skip("needs `colcon build` and `source install/setup.bash` first")


def test_the_demo_and_a_fleet_fly_take_parameters_and_end(installed):
    launch_test = shutil.which("launch_test")
    if launch_test is None:
        pytest.skip("needs launch_test (launch_testing)")
    command = [launch_test, str(Path(__file__).with_name("launch_flights.py"))]

    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST_S)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["demo", "onboard", "ground", "fleet"])
def test_arguments_are_listed(installed, ros2, name):
    text = ros2("launch", "sc2_ros", f"{name}.launch.py", "--show-args")

    assert "'namespace':" in text
    assert "'params_file':" in text
    assert "Traceback" not in text
