# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the launch files have in common: arguments, and nodes that take them.

Every parameter of a node is an argument, too, by its own name (`rate.max_kbps:=300`). `ros2 launch`
runs in the Python of ROS, which has not all that the nodes need: names, types and ranges come from
config/parameters.schema.json, and nothing heavy is imported here.
"""
# mypy: ignore-errors

from __future__ import annotations

import difflib
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import get_package_share_path
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription
from sc2_ros.errors import ParameterError
from sc2_ros.runtime import parameter_yaml

RESPAWN_DELAY_S = 0.2
Value = bool | int | float | str
TYPES = {"boolean": bool, "integer": int, "number": float, "string": str}


@cache
def table(name: str) -> dict[str, dict[str, Any]]:
    """The parameters of a node: type, default, description, enum, minimum and maximum of each."""
    path = get_package_share_path("sc2_ros") / "config" / "parameters.schema.json"
    node = json.loads(path.read_text("utf-8"))["$defs"][name]
    rows = node["properties"]["ros__parameters"]["properties"]
    return {parameter: row for parameter, row in rows.items() if parameter != "use_sim_time"}


def description(
    file: str, nodes: Iterable[str], arguments: Iterable[DeclareLaunchArgument], *actions: Any
) -> LaunchDescription:
    """A launch file: its arguments, the parameters of its nodes, and what it starts.

    Args:
        file: its path; started under this name, it takes no argument that it does not declare.
        nodes: names of the nodes that it starts.
        arguments: its own arguments; one that is called as a parameter is its value.
        actions: what it starts.
    """
    own = list(arguments)
    taken = {argument.name for argument in own}
    rows = {parameter: row for name in nodes for parameter, row in table(name).items()}
    parameters = [
        DeclareLaunchArgument(
            name,
            default_value="",
            description=f"Parameter; empty leaves it to the file. {row['description']}",
        )
        for name, row in rows.items()
        if name not in taken
    ]
    known = taken | set(rows)
    strict = OpaqueFunction(function=_refuse_unknown, args=[Path(file).name, known])
    return LaunchDescription([strict, *own, *parameters, *actions])


def _refuse_unknown(context: LaunchContext, file: str, known: set[str]) -> None:
    """Launch itself ignores an argument that no launch file declares, such as a misspelt one.

    Included in another launch file, this one cannot tell which arguments are its own.
    """
    if file not in (Path(word).name for word in sys.argv):
        return
    for word in context.argv:
        name = word.partition(":=")[0]
        if ":=" in word and name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise ParameterError(f"{file} has no argument {name}: {hint}--show-args lists all")


def given(context: LaunchContext, name: str) -> dict[str, Value]:
    """The parameters of a node that are given as launch arguments, in their own types.

    Raises:
        ParameterError: for a value of another type or out of range.
    """
    given_here = context.launch_configurations
    return {
        parameter: _value(parameter, row, given_here[parameter])
        for parameter, row in table(name).items()
        if given_here.get(parameter)
    }


def _value(name: str, row: Mapping[str, Any], text: str) -> Value:
    kind = row["type"] if isinstance(row["type"], str) else "string"
    value = text if kind == "string" else parameter_yaml.read_plain(text)
    if kind == "number" and type(value) is int:
        value = float(value)
    if type(value) is not TYPES[kind]:
        raise ParameterError(f"{name}:={text} is no {kind}; its default is {row['default']}")
    if "enum" in row and value not in row["enum"]:
        raise ParameterError(f"{name}:={text} is unknown; use one of {', '.join(row['enum'])}")
    if "minimum" in row and not row["minimum"] <= value <= row["maximum"]:
        raise ParameterError(
            f"{name}:={text} is out of range: {row['minimum']} to {row['maximum']}"
        )
    return value


def params_file(argument: str, name: str, side: str) -> DeclareLaunchArgument:
    """An argument for a ROS parameter file, by default the one of this name in config/."""
    path = get_package_share_path("sc2_ros") / "config" / name
    return DeclareLaunchArgument(
        argument, default_value=str(path), description=f"ROS parameter file of the {side}"
    )


def common(
    namespace: str = "Namespace of all nodes", *, respawn: bool = True
) -> list[DeclareLaunchArgument]:
    """The arguments of every launch file.

    Args:
        namespace: the description of that one.
        respawn: whether by default a node that ends is started again.
    """
    arguments = (
        ("namespace", "", namespace),
        ("use_sim_time", "false", "Take the time from /clock"),
        ("log_level", "info", "Log level"),
        ("respawn", str(respawn).lower(), "Start a node again that ends, whatever the reason"),
        # launch's own, which it keeps at 5: a busy computer needs its time to unload torch.
        ("sigterm_timeout", "20", "Seconds after ctrl-C until a node gets SIGTERM"),
        ("sigkill_timeout", "20", "Seconds after that until it gets SIGKILL"),
    )
    return [
        DeclareLaunchArgument(name, default_value=default, description=description)
        for name, default, description in arguments
    ]


def topics(names: Mapping[str, str]) -> list[DeclareLaunchArgument]:
    """An argument for every topic, by `topic_argument` of its name and default."""
    return [
        DeclareLaunchArgument(
            topic_argument(name), default_value=topic, description=f"Topic for `{topic}`"
        )
        for name, topic in names.items()
    ]


def topic_argument(name: str) -> str:
    """The argument that holds a topic: its name, or `mask_topic` beside a parameter `mask`."""
    return f"{name}_topic" if name in table("ground_node") else name


def remappings(names: Iterable[str]) -> list[tuple[str, LaunchConfiguration]]:
    """Topics as their arguments say."""
    return [(name, LaunchConfiguration(topic_argument(name))) for name in names]


def link() -> DeclareLaunchArgument:
    """The argument for a simulated radio link."""
    return DeclareLaunchArgument(
        "link",
        default_value="",
        description="RATE[,DELAY[,LOSS%]] or a trace; empty leaves it to the file",
    )


def _as_it_is(value: Value) -> Value | ParameterValue:
    """Text stays text whatever it looks like: camera number 0, a drone named 1."""
    return ParameterValue(value, value_type=str) if isinstance(value, str) else value


def _in_quotes(dumper: yaml.Dumper, text: str) -> yaml.ScalarNode:
    """Text as launch writes it for a node: 09, 1e3 and n are text for PyYAML, but not for ROS."""
    style = None if isinstance(parameter_yaml.read_plain(text), str) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


yaml.add_representer(str, _in_quotes)


def _section(path: Path, name: str) -> dict[str, Value]:
    """The values that a parameter file has for nodes of a name."""
    return parameter_yaml.named(parameter_yaml.read_file(path), name)


def node(
    name: str,
    file: str,
    parameters: Mapping[str, Value] | None = None,
    remapped: Iterable[tuple[str, Any]] = (),
    named: str = "",
    **options: Any,
) -> OpaqueFunction:
    """One of this package's nodes.

    Args:
        name: the node's and its executable's name.
        file: the argument that holds its parameter file.
        parameters: values that win over the file's; arguments win over both.
        remapped: topics and what they are here.
        named: its name where not the executable's; `parameters` then win over arguments, too.
        options: more of `launch_ros.actions.Node`.
    """

    def start(context: LaunchContext) -> list[Node]:
        values = {**(parameters or {}), **given(context, name)}
        source: Any = LaunchConfiguration(file)
        if named:  # the file's section has the usual name
            values = {**_section(Path(source.perform(context)), name), **values}
            values |= parameters or {}
            source = {}
        values = {key: _as_it_is(value) for key, value in values.items()}
        use_sim_time = ParameterValue(LaunchConfiguration("use_sim_time"), value_type=bool)
        return [
            Node(
                package="sc2_ros",
                executable=name,
                name=named or name,
                output="screen",
                parameters=[source, {**values, "use_sim_time": use_sim_time}],
                remappings=list(remapped),
                arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
                respawn=LaunchConfiguration("respawn").perform(context).lower() == "true",
                respawn_delay=RESPAWN_DELAY_S,
                **options,
            )
        ]

    return OpaqueFunction(function=start)
