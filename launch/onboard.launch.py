# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the drone's node: `ros2 launch sc2_ros onboard.launch.py image:=/camera/image_raw`."""

from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription
from sc2_ros.nodes import launch_parts as parts

TOPICS = ("image", "features", "feedback")


def generate_launch_description() -> LaunchDescription:
    """One node; every topic and every parameter is an argument."""
    node = parts.node(
        "onboard_node",
        "params_file",
        remapped=parts.remappings(TOPICS),
        namespace=LaunchConfiguration("namespace"),
    )
    arguments = [
        *parts.common("Namespace of the node"),
        parts.params_file("params_file", "onboard.yaml", "drone's side"),
        *parts.topics({topic: topic for topic in TOPICS}),
    ]
    return parts.description(__file__, ["onboard_node"], arguments, node)
