# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Starts camera, drone, radio link and ground station on this machine.

    camera_node -image-> onboard_node -drone/features-> link_emulator_node -features-> ground_node
                                  ^---drone/feedback---'              ^-----feedback-----'

`ros2 launch sc2_ros demo.launch.py input:=flight.mp4 link:=500kbit,40ms,2%`
"""

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument, GroupAction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

DRONE = ("drone_features", "drone/features"), ("drone_feedback", "drone/feedback")
TOPICS = (
    *("image", "features", "feedback", "detections", "mask", "mask_color", "preview"),
    "label_info",
)


def generate_launch_description() -> LaunchDescription:
    """Four nodes in one namespace; every topic they use is an argument."""
    config = get_package_share_path("sc2_ros") / "config"
    arguments = [
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of all nodes"),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(config / "onboard.yaml"),
            description="ROS parameter file of the drone's side",
        ),
        DeclareLaunchArgument(
            "ground_params_file",
            default_value=str(config / "ground.yaml"),
            description="ROS parameter file of the ground's side",
        ),
        DeclareLaunchArgument(
            "use_sim_time", default_value="false", description="Take the time from /clock"
        ),
        DeclareLaunchArgument(
            "input",
            default_value="synthetic",
            description="synthetic[:SEED], a video, a folder, a bag or a camera number",
        ),
        DeclareLaunchArgument(
            "link", default_value="1mbit,40ms,1%", description="RATE[,DELAY[,LOSS%]] or a trace"
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="Log level"),
        *(
            DeclareLaunchArgument(name, default_value=topic, description=f"Topic for `{topic}`")
            for name, topic in (*((topic, topic) for topic in TOPICS), *DRONE)
        ),
    ]
    use_sim_time = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
    drone_file = LaunchConfiguration("params_file")
    ground_file = LaunchConfiguration("ground_params_file")

    def text(name: str) -> ParameterValue:
        """An argument as text: camera number 0 must not become an integer."""
        return ParameterValue(LaunchConfiguration(name), value_type=str)

    def node(name: str, parameters: list, **topics: str) -> Node:
        """A node; `topics` says which argument holds each of its topics."""
        return Node(
            package="sc2_ros",
            executable=name,
            name=name,
            output="screen",
            sigterm_timeout="20",  # a busy computer needs its time to unload torch
            parameters=[*parameters, {"use_sim_time": use_sim_time}],
            remappings=[(topic, LaunchConfiguration(name)) for topic, name in topics.items()],
            arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        )

    nodes = [
        node("camera_node", [drone_file, {"input": text("input")}], image="image"),
        node(
            "onboard_node",
            [drone_file],
            image="image",
            features="drone_features",
            feedback="drone_feedback",
        ),
        node(
            "link_emulator_node",
            [ground_file, {"link": text("link")}],
            features_in="drone_features",
            features_out="features",
            feedback_in="feedback",
            feedback_out="drone_feedback",
        ),
        node(
            "ground_node",
            [ground_file],
            **{topic: topic for topic in TOPICS if topic != "image"},
        ),
    ]
    namespace = PushRosNamespace(LaunchConfiguration("namespace"))
    return LaunchDescription([*arguments, GroupAction([namespace, *nodes])])
