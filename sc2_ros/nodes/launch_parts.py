# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files have in common: arguments, and nodes that take them."""
# mypy: ignore-errors

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue


def params_file(argument: str, name: str, side: str) -> DeclareLaunchArgument:
    """An argument for a ROS parameter file, by default the one of this name in config/."""
    path = get_package_share_path("sc2_ros") / "config" / name
    return DeclareLaunchArgument(
        argument, default_value=str(path), description=f"ROS parameter file of the {side}"
    )


def common(namespace: str = "Namespace of all nodes") -> list[DeclareLaunchArgument]:
    """The arguments of every launch file; `namespace` is the description of that one."""
    arguments = (
        ("namespace", "", namespace),
        ("use_sim_time", "false", "Take the time from /clock"),
        ("log_level", "info", "Log level"),
        # launch's own, which it keeps at 5: a busy computer needs its time to unload torch.
        ("sigterm_timeout", "20", "Seconds after ctrl-C until a node gets SIGTERM"),
        ("sigkill_timeout", "20", "Seconds after that until it gets SIGKILL"),
    )
    return [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in arguments
    ]


def topics(names: Mapping[str, str]) -> list[DeclareLaunchArgument]:
    """An argument for every topic, by argument name and default."""
    return [
        DeclareLaunchArgument(name, default_value=topic, description=f"Topic for `{topic}`")
        for name, topic in names.items()
    ]


def link() -> DeclareLaunchArgument:
    """The argument for a simulated radio link."""
    return DeclareLaunchArgument(
        "link", default_value="1mbit,40ms,1%", description="RATE[,DELAY[,LOSS%]] or a trace"
    )


def text(name: str) -> ParameterValue:
    """An argument as text: camera number 0 must not become an integer."""
    return ParameterValue(LaunchConfiguration(name), value_type=str)


def node(
    name: str,
    file: str,
    parameters: Mapping[str, Any] | None = None,
    remappings: Iterable[tuple[str, Any]] = (),
    **options: Any,
) -> Node:
    """One of this package's nodes.

    Args:
        name: the node's and its executable's name.
        file: the argument that holds its parameter file.
        parameters: values that win over the file's.
        remappings: topics and what they are here.
        options: more of `launch_ros.actions.Node`.
    """
    use_sim_time = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
    return Node(
        package="sc2_ros",
        executable=name,
        name=name,
        output="screen",
        parameters=[
            LaunchConfiguration(file),
            {**(parameters or {}), "use_sim_time": use_sim_time},
        ],
        remappings=list(remappings),
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        **options,
    )
