# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Run the ground station's node; arguments are ROS's own.

  sc2 ground --ros-args -p score_threshold:=0.4 -p classes:=person,car
  sc2 ground --ros-args --params-file config/ground.yaml

docs/parameters.md lists the parameters.
"""

import argparse

from sc2_ros.cli.api.node import add_ros_arguments, run_node


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take everything for ROS."""
    add_ros_arguments(parser)


def main(args: argparse.Namespace) -> int:
    """Run the node until it is told to stop."""
    return run_node("ground_node", args.ros)
