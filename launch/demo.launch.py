# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts camera, drone, radio link and ground station on this machine.

    camera_node -image-> onboard_node -drone/features-> link_emulator_node -features-> ground_node
                                  ^---drone/feedback---'              ^-----feedback-----'

`ros2 launch sc2_ros demo.launch.py input:=flight.mp4 link:=500kbit,40ms,2%`
"""

from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import PushRosNamespace

from launch import LaunchDescription
from sc2_ros.nodes import launch_parts as parts

DRONE = {"drone_features": "drone/features", "drone_feedback": "drone/feedback"}
TOPICS = (
    *("image", "features", "feedback", "detections", "mask", "mask_color", "preview"),
    "label_info",
)


def generate_launch_description() -> LaunchDescription:
    """Four nodes in one namespace; every topic and every parameter is an argument."""
    arguments = [
        *parts.common(respawn=False),
        parts.params_file("params_file", "onboard.yaml", "drone's side"),
        parts.params_file("ground_params_file", "ground.yaml", "ground's side"),
        DeclareLaunchArgument(
            "input",
            default_value="",
            description="synthetic[:SEED], a video, a folder, a bag or a camera number; empty "
            "leaves it to the file",
        ),
        parts.link(),
        *parts.topics({topic: topic for topic in TOPICS} | DRONE),
    ]
    nodes = [
        _node("camera_node", "params_file", image="image"),
        _node(
            "onboard_node",
            "params_file",
            image="image",
            features="drone_features",
            feedback="drone_feedback",
        ),
        _node(
            "link_emulator_node",
            "ground_params_file",
            features_in="drone_features",
            features_out="features",
            feedback_in="feedback",
            feedback_out="drone_feedback",
        ),
        _node(
            "ground_node",
            "ground_params_file",
            **{topic: topic for topic in TOPICS if topic != "image"},
        ),
    ]
    namespace = PushRosNamespace(LaunchConfiguration("namespace"))
    names = ("camera_node", "onboard_node", "link_emulator_node", "ground_node")
    return parts.description(__file__, names, arguments, GroupAction([namespace, *nodes]))


def _node(name: str, file: str, **topics: str) -> OpaqueFunction:
    """A node; `topics` says which argument holds each of its topics."""
    remapped = [
        (topic, LaunchConfiguration(parts.topic_argument(argument)))
        for topic, argument in topics.items()
    ]
    return parts.node(name, file, remapped=remapped)
