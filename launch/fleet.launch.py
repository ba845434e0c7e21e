# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""Starts one ground node for several drones: `ros2 launch sc2_ros fleet.launch.py drones:=a,b,c`.

    /drone1/features --\               /--> /drone1/detections, mask, preview, feedback
    /drone2/features ---> [ground_node] ----> /drone2/detections, ...
    /drone3/features --/               \--> /drone3/detections, ...

Each drone runs onboard.launch.py with its namespace. `simulate:=true` starts their cameras, drones
and radio links on this machine, too.
"""

from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import PushRosNamespace

from launch import LaunchContext, LaunchDescription
from sc2_ros.nodes import launch_parts as parts


def generate_launch_description() -> LaunchDescription:
    """One ground node, and on demand as many simulated drones as are named."""
    arguments = [
        *parts.common("Namespace above all of them"),
        parts.params_file("params_file", "ground.yaml", "ground's side"),
        parts.params_file("drone_params_file", "onboard.yaml", "simulated drones"),
        DeclareLaunchArgument(
            "drones",
            default_value="drone1,drone2,drone3",
            description="Namespaces of the drones, comma-separated",
        ),
        DeclareLaunchArgument(
            "simulate", default_value="false", description="Start the drones here, too"
        ),
        parts.link(),
    ]
    ground = parts.node("ground_node", "params_file")
    drones = GroupAction(
        [OpaqueFunction(function=_simulated)],
        condition=IfCondition(LaunchConfiguration("simulate")),
    )
    namespace = PushRosNamespace(LaunchConfiguration("namespace"))
    names = ("ground_node", "camera_node", "onboard_node", "link_emulator_node")
    return parts.description(__file__, names, arguments, GroupAction([namespace, ground, drones]))


def _simulated(context: LaunchContext) -> list[GroupAction]:
    """Camera, drone and radio link of every name, each in a namespace of its own."""
    names = LaunchConfiguration("drones").perform(context).split(",")
    return [_drone(name.strip(), number) for number, name in enumerate(names) if name.strip()]


def _drone(name: str, number: int) -> GroupAction:
    radio = (("features", "radio/features"), ("feedback", "radio/feedback"))
    between = (
        *(("features_in", "radio/features"), ("features_out", "features")),
        *(("feedback_in", "feedback"), ("feedback_out", "radio/feedback")),
    )
    return GroupAction(
        [
            PushRosNamespace(name),
            parts.node("camera_node", "drone_params_file", {"input": f"synthetic:{number}"}),
            parts.node("onboard_node", "drone_params_file", remapped=radio),
            parts.node("link_emulator_node", "params_file", {"seed": number}, between),
        ]
    )
