# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
r"""Starts one ground node for several drones: `ros2 launch sc2_ros fleet.launch.py drones:=a,b,c`.

    /drone1/features --\               /--> /drone1/detections, mask, preview, feedback
    /drone2/features ---> [ground_node] ----> /drone2/detections, ...
    /drone3/features --/               \--> /drone3/detections, ...

Each drone runs onboard.launch.py with its namespace. `simulate:=true` starts their cameras, drones
and radio links on this machine, too.

`stations:=3` spreads the drones over three ground nodes, ground_node1 to ground_node3; each stands
in for the one before it, should that die. `station:=2` starts only the second, on a machine of its
own. With `transport:=udp air.local:=0.0.0.0:5600` the first drone is heard at port 5600 of every
station, the second at 5601, and so on.
"""

from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import PushRosNamespace

from launch import LaunchContext, LaunchDescription
from sc2_ros.errors import ParameterError
from sc2_ros.nodes import launch_parts as parts
from sc2_ros.nodes.stations import shares, sockets


def generate_launch_description() -> LaunchDescription:
    """Ground nodes, and on demand as many simulated drones as are named."""
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
            "stations", default_value="1", description="Ground nodes that share the drones"
        ),
        DeclareLaunchArgument(
            "station", default_value="0", description="The one that runs here, from 1; 0: all"
        ),
        DeclareLaunchArgument(
            "simulate", default_value="false", description="Start the drones here, too"
        ),
        parts.link(),
    ]
    ground = OpaqueFunction(function=_stations)
    drones = GroupAction(
        [OpaqueFunction(function=_simulated)],
        condition=IfCondition(LaunchConfiguration("simulate")),
    )
    namespace = PushRosNamespace(LaunchConfiguration("namespace"))
    names = ("ground_node", "camera_node", "onboard_node", "link_emulator_node")
    return parts.description(__file__, names, arguments, GroupAction([namespace, ground, drones]))


def _stations(context: LaunchContext) -> list[OpaqueFunction]:
    """The ground nodes of this machine."""
    total, here = (_number(context, name) for name in ("stations", "station"))
    names = _names(context)
    shared = shares(names, total)
    if here > total:
        raise ParameterError(f"station:={here} of {total}; give 1 to {total}, or 0 for all")
    if total == 1:
        return [parts.node("ground_node", "params_file", {"drones": ",".join(names)})]
    heard = {}
    given = parts.given(context, "ground_node")
    if given.get("transport", "topic") != "topic":
        heard = sockets(given.get("air.local", "0.0.0.0:5600"), names)
    nodes = []
    for number, (own, others) in enumerate(shared, 1):
        values = {"drones": ",".join(own), "standby": ",".join(others)}
        if heard:
            values["air.local"] = ",".join(heard[name] for name in own + others)
        if here in (0, number):
            nodes.append(
                parts.node("ground_node", "params_file", values, named=f"ground_node{number}")
            )
    return nodes


def _names(context: LaunchContext) -> list[str]:
    names = LaunchConfiguration("drones").perform(context).split(",")
    return [name.strip() for name in names if name.strip()]


def _number(context: LaunchContext, name: str) -> int:
    text = LaunchConfiguration(name).perform(context)
    if not text.isdecimal():
        raise ParameterError(f"{name}:={text} is no number")
    return int(text)


def _simulated(context: LaunchContext) -> list[GroupAction]:
    """Camera, drone and radio link of every name, each in a namespace of its own."""
    return [_drone(name, number) for number, name in enumerate(_names(context))]


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
