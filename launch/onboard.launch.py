# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts the drone's node: `ros2 launch sc2_ros onboard.launch.py image:=/camera/image_raw`."""

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """One node; every topic it uses is an argument."""
    defaults = get_package_share_path("sc2_ros") / "config" / "onboard.yaml"
    topics = ("image", "features", "feedback")
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node"),
        DeclareLaunchArgument(
            "params_file", default_value=str(defaults), description="ROS parameter file"
        ),
        DeclareLaunchArgument(
            "use_sim_time", default_value="false", description="Take the time from /clock"
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="Log level"),
        *(
            DeclareLaunchArgument(topic, default_value=topic, description=f"Topic for `{topic}`")
            for topic in topics
        ),
    ]
    node = Node(
        package="sc2_ros",
        executable="onboard_node",
        name="onboard_node",
        namespace=LaunchConfiguration("namespace"),
        output="screen",
        sigterm_timeout="20",  # a busy computer needs its time to unload torch
        parameters=[
            LaunchConfiguration("params_file"),
            {"use_sim_time": ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)},
        ],
        remappings=[(topic, LaunchConfiguration(topic)) for topic in topics],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
    return LaunchDescription([*arguments, node])
