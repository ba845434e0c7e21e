# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the ground station's node: `ros2 launch sc2_ros ground.launch.py namespace:=drone1`."""

from launch.substitutions import LaunchConfiguration

from launch import LaunchDescription
from sc2_ros.nodes import launch_parts as parts

TOPICS = ("features", "feedback", "detections", "mask", "mask_color", "preview", "label_info")


def generate_launch_description() -> LaunchDescription:
    """One node; every topic and every parameter is an argument."""
    node = parts.node(
        "ground_node",
        "params_file",
        remapped=parts.remappings(TOPICS),
        namespace=LaunchConfiguration("namespace"),
    )
    arguments = [
        *parts.common("Namespace of the node"),
        parts.params_file("params_file", "ground.yaml", "ground's side"),
        *parts.topics({topic: topic for topic in TOPICS}),
    ]
    return parts.description(__file__, ["ground_node"], arguments, node)
