# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground station's process. PyTorch takes a second to load; meanwhile DDS finds the drones.

For example::

    ros2 run sc2_ros ground_node --ros-args -p device:=cuda -p classes:=person,car
"""

from __future__ import annotations

import sys

from sc2_ros.nodes.process import run
from sc2_ros.runtime.ros import Node
from sc2_ros.threads import leave_cores_to_winograd


def create() -> Node:
    """The node; to be called when the process has joined its domain."""
    leave_cores_to_winograd()
    from sc2_ros.nodes.ground_station import GroundNode

    return GroundNode()


def main(args: list[str] | None = None) -> int:
    """Run the node; returns the exit code."""
    return run(create, args)


if __name__ == "__main__":
    sys.exit(main())
