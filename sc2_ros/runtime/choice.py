# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which of the two runtimes the nodes of this process use."""

import os
from importlib.util import find_spec

from .errors import RosError

VARIABLE = "SC2_RUNTIME"


def rclpy_chosen() -> bool:
    """Whether to run on rclpy: what `SC2_RUNTIME` says, else whether rclpy is installed.

    Raises:
        RosError: the variable has another value, or asks for an rclpy that is not there.
    """
    wanted = os.environ.get(VARIABLE, "")
    if wanted not in ("", "rclpy", "embedded"):
        raise RosError(f"{VARIABLE} is '{wanted}', use rclpy, embedded, or leave it out")
    installed = find_spec("rclpy") is not None
    if wanted == "rclpy" and not installed:
        raise RosError(f"{VARIABLE} asks for rclpy, but no ROS 2 is sourced in this shell")
    return installed and wanted != "embedded"
