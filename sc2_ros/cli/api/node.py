# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Runs one of the nodes in this process, for `sc2 onboard` and `sc2 ground`."""

import argparse
import importlib


def add_ros_arguments(parser: argparse.ArgumentParser) -> None:
    """Say that what comes after --ros-args is for ROS (see cli/main.py)."""
    parser.usage = "%(prog)s [-h] [--ros-args -p NAME:=VALUE -r FROM:=TO --params-file FILE ...]"
    parser.set_defaults(takes_ros_arguments=True)


def run_node(name: str, ros_args: list[str]) -> int:
    """Run a node until it is told to stop; returns its exit status."""
    module = importlib.import_module(f"sc2_ros.nodes.{name}")
    return int(module.main([name, *ros_args]))
