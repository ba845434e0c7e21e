# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""`--ros-args`: parameters, parameter files, remaps, node name, namespace and log level."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from .errors import RosError


class RosArgumentError(RosError):
    """An argument after --ros-args, a parameter file or a ROS variable that ROS 2 refuses."""


class RosNameError(RosArgumentError, ValueError):
    """Not a name that ROS takes for a topic, a service, a node or a namespace."""


class _Loader(yaml.SafeLoader):
    """YAML as rcl reads it: a date is text, and 1e3 a number, which YAML 1.1 takes for text."""

    yaml_implicit_resolvers = {
        first: [entry for entry in entries if entry[0] != "tag:yaml.org,2002:timestamp"]
        for first, entries in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"),
    list("-+.0123456789"),
)


@dataclass(frozen=True)
class Rule:
    """`from:=to`, for every node or only the one named before a colon."""

    node: str | None
    source: str
    target: str


@dataclass
class RosArguments:
    """What stands after `--ros-args`; `rest` is the command line without it."""

    rest: list[str] = field(default_factory=list)
    remaps: list[Rule] = field(default_factory=list)
    # (node pattern such as "/**", parameter name, value), later ones win
    parameters: list[tuple[str, str, Any]] = field(default_factory=list)
    log_levels: dict[str, str] = field(default_factory=dict)  # "" = every logger

    def node_name(self, name: str) -> str:
        return self._special(name, ("__node", "__name")) or name

    def node_namespace(self, name: str, namespace: str) -> str:
        found = self._special(name, ("__ns",))
        namespace = found if found is not None else namespace
        return "/" + namespace.strip("/")

    def overrides(self, full_name: str) -> dict[str, Any]:
        """Parameter values given for the node `/ns/name`."""
        return {
            parameter: value
            for pattern, parameter, value in self.parameters
            if _matches(pattern, full_name)
        }

    def remap(self, topic: str, node: str, full_name: str) -> str:
        """`topic` (already absolute) after the first remap rule that matches it."""
        namespace = full_name.rsplit("/", 1)[0] or "/"
        for rule in self.remaps:
            for_us = rule.node in (None, node) and not rule.source.startswith("__")
            if for_us and expand_name(rule.source, namespace, full_name) == topic:
                return expand_name(rule.target, namespace, full_name)
        return topic

    def _special(self, node: str, names: tuple[str, ...]) -> str | None:
        for rule in self.remaps:
            if rule.source in names and rule.node in (None, node):
                return rule.target
        return None


def expand_name(name: str, namespace: str, full_name: str) -> str:
    """Absolute form of a topic or service name: relative to the namespace, or `~` the node.

    Raises:
        RosNameError: not a ROS name.
    """
    name = name.removeprefix("rostopic://").removeprefix("rosservice://")
    if name == "~" or name.startswith("~/"):
        name = full_name + name[1:]
    elif not name.startswith("/"):
        name = f"{namespace.rstrip('/')}/{name}"
    if not re.fullmatch(r"(/[A-Za-z_][A-Za-z0-9_]*)+", name) or "__" in name:
        raise RosNameError(
            f"'{name}' is not a ROS topic or service name: use letters, digits, '_' and '/'"
        )
    return name


def parse_arguments(arguments: Sequence[str] | None = None) -> RosArguments:
    """Read a command line (default: this process's).

    Raises:
        RosArgumentError: what stands after --ros-args is not understood.
    """
    found = RosArguments()
    remaining = iter(sys.argv if arguments is None else arguments)
    inside = False
    for argument in remaining:
        if argument in ("--ros-args", "--"):
            inside = argument == "--ros-args"
        elif not inside:
            found.rest.append(argument)
        elif argument in ("-r", "--remap"):
            found.remaps.append(_rule(_value(argument, remaining)))
        elif argument in ("-p", "--param"):
            rule = _rule(_value(argument, remaining))
            pattern = f"/**/{rule.node}" if rule.node else "/**"
            value = _checked(rule.source, _yaml(rule.target))
            found.parameters.append((pattern, rule.source, value))
        elif argument == "--params-file":
            found.parameters += read_parameter_file(_value(argument, remaining))
        elif argument == "--log-level":
            name, _, level = _value(argument, remaining).rpartition(":=")
            found.log_levels[name] = level
        elif argument in ("-e", "--enclave", "--log-config-file"):
            _value(argument, remaining)
        elif not re.fullmatch(r"--(en|dis)able-\S+", argument):
            raise RosArgumentError(f"unknown ROS argument '{argument}'")
    return found


def read_parameter_file(path: str) -> list[tuple[str, str, Any]]:
    """Parameters of a ROS YAML file as (node pattern, parameter, value).

    Raises:
        RosArgumentError: no such file, or not a ROS parameter file.
    """
    try:
        tree = yaml.load(Path(path).read_text(encoding="utf-8"), _Loader)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise RosArgumentError(f"cannot read parameter file '{path}': {error}") from None
    if not isinstance(tree, dict):
        raise RosArgumentError(f"parameter file '{path}' has no node names at its top level")
    found = list(_nodes(tree, "", path))
    return sorted(found, key=lambda entry: "*" not in entry[0])  # exact names win over wildcards


def _nodes(tree: dict[str, Any], prefix: str, path: str) -> Iterator[tuple[str, str, Any]]:
    for key, value in tree.items():
        if key == "ros__parameters":
            if not isinstance(value, dict):
                raise RosArgumentError(f"ros__parameters of '{prefix}' in '{path}' is no map")
            yield from ((prefix, name, leaf) for name, leaf in _flat(value, ""))
        elif isinstance(value, dict):
            yield from _nodes(value, f"{prefix}/{str(key).strip('/')}", path)
        else:
            raise RosArgumentError(
                f"'{key}' in '{path}' is outside ros__parameters; put it below its node's name"
            )


def _flat(tree: dict[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _checked(f"{prefix}{key}", value)


def _matches(pattern: str, full_name: str) -> bool:
    """Whether `/**`, `/*/name` or an exact name means this node; `**` is any number of tokens."""
    expression = re.escape(pattern).replace(r"/\*\*", "(/[^/]+)*").replace(r"\*", "[^/]+")
    return re.fullmatch(expression, full_name) is not None


def _value(option: str, remaining: Iterator[str]) -> str:
    value = next(remaining, None)
    if value is None:
        raise RosArgumentError(f"'{option}' needs a value")
    return value


def _rule(text: str) -> Rule:
    source, separator, target = text.partition(":=")
    node, colon, rest = source.rpartition(":")
    if not separator or not source or not target or (colon and not node):
        raise RosArgumentError(f"'{text}' is not of the form name:=value")
    if "://" in source:  # rostopic://name is a name, not a node
        node, rest = "", source
    return Rule(node or None, rest, target)


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, _Loader)
    except (ValueError, yaml.YAMLError):
        return text


def _checked(name: str, value: Any) -> Any:
    """The value of a parameter, if ROS has a type for it."""
    entries = value if isinstance(value, list) else [value]
    kinds = {type(entry) for entry in entries}
    single = kinds <= {bool, int, float, str} and len(kinds) < 2
    if not (single or value is None):
        raise RosArgumentError(
            f"parameter {name} = {value!r} is neither true or false, a number, text nor a list of "
            "one of these; put quotes around text"
        )
    if kinds == {int} and any(not -(2**63) <= entry < 2**63 for entry in entries):
        raise RosArgumentError(f"parameter {name} = {value!r} is an integer of more than 64 bits")
    return value
