# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""Starts one ground node for several drones: `ros2 launch sc2_ros fleet.launch.py drones:=a,b,c`.

    /drone1/features --\               /--> /drone1/detections, mask, preview, feedback
    /drone2/features ---> [ground_node] ----> /drone2/detections, ...
    /drone3/features --/               \--> /drone3/detections, ...

Each drone runs onboard.launch.py with its namespace. `simulate:=true` starts their cameras, drones
and radio links on this machine, too.
"""

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node, PushRosNamespace
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription


def generate_launch_description() -> LaunchDescription:
    """One ground node, and on demand as many simulated drones as are named."""
    config = get_package_share_path("sc2_ros") / "config"
    arguments = [
        DeclareLaunchArgument(
            "drones",
            default_value="drone1,drone2,drone3",
            description="Namespaces of the drones, comma-separated",
        ),
        DeclareLaunchArgument(
            "namespace", default_value="", description="Namespace above all of them"
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(config / "ground.yaml"),
            description="ROS parameter file of the ground's side",
        ),
        DeclareLaunchArgument(
            "drone_params_file",
            default_value=str(config / "onboard.yaml"),
            description="ROS parameter file of simulated drones",
        ),
        DeclareLaunchArgument(
            "use_sim_time", default_value="false", description="Take the time from /clock"
        ),
        DeclareLaunchArgument(
            "simulate", default_value="false", description="Start the drones here, too"
        ),
        DeclareLaunchArgument(
            "link", default_value="1mbit,40ms,1%", description="Radio link of a simulated drone"
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="Log level"),
    ]
    ground = _node(
        "ground_node",
        LaunchConfiguration("params_file"),
        {"drones": ParameterValue(LaunchConfiguration("drones"), value_type=str)},
    )
    drones = GroupAction(
        [OpaqueFunction(function=_simulated)],
        condition=IfCondition(LaunchConfiguration("simulate")),
    )
    namespace = PushRosNamespace(LaunchConfiguration("namespace"))
    return LaunchDescription([*arguments, GroupAction([namespace, ground, drones])])


def _simulated(context: LaunchContext) -> list[GroupAction]:
    """Camera, drone and radio link of every name, each in a namespace of its own."""
    names = LaunchConfiguration("drones").perform(context).split(",")
    return [_drone(name.strip(), number) for number, name in enumerate(names) if name.strip()]


def _drone(name: str, number: int) -> GroupAction:
    file = LaunchConfiguration("drone_params_file")
    link = ParameterValue(LaunchConfiguration("link"), value_type=str)
    return GroupAction(
        [
            PushRosNamespace(name),
            _node("camera_node", file, {"input": f"synthetic:{number}"}),
            _node(
                "onboard_node",
                file,
                {},
                ("features", "radio/features"),
                ("feedback", "radio/feedback"),
            ),
            _node(
                "link_emulator_node",
                LaunchConfiguration("params_file"),
                {"link": link, "seed": number},
                ("features_in", "radio/features"),
                ("features_out", "features"),
                ("feedback_in", "feedback"),
                ("feedback_out", "radio/feedback"),
            ),
        ]
    )


def _node(
    name: str, file: LaunchConfiguration, parameters: dict, *remappings: tuple[str, str]
) -> Node:
    use_sim_time = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
    return Node(
        package="sc2_ros",
        executable=name,
        name=name,
        output="screen",
        sigterm_timeout="20",  # a busy computer needs its time to unload torch
        parameters=[file, {**parameters, "use_sim_time": use_sim_time}],
        remappings=list(remappings),
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
    )
