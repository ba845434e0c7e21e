# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102  (names and meaning are rclpy's)
"""`--ros-args`: parameters, parameter files, remaps, node name, namespace and log level."""

import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import parameter_yaml
from .errors import RosError


class RosArgumentError(RosError):
    """An argument after --ros-args, a parameter file or a ROS variable that ROS 2 refuses."""


class RosNameError(RosArgumentError, ValueError):
    """Not a name that ROS takes for a topic, a service, a node or a namespace."""


# Taken, and of no meaning here.
_WITH_A_VALUE = ("-e", "--enclave", "--log-config-file", "--log-file-name")


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
    # For every node name or pattern (such as "/**") its parameters; as in rcl a pattern that is
    # first named later wins, whatever is added to one before it.
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    log_levels: dict[str, str] = field(default_factory=dict)  # "" = every logger

    def node_name(self, name: str) -> str:
        return self._special(name, ("__node", "__name")) or name

    def node_namespace(self, name: str, namespace: str) -> str:
        found = self._special(name, ("__ns",))
        namespace = found if found is not None else namespace
        return "/" + namespace.strip("/")

    def overrides(self, full_name: str) -> dict[str, Any]:
        """Parameter values given for the node `/ns/name`."""
        found: dict[str, Any] = {}
        for pattern, values in self.parameters.items():
            if _matches(pattern, full_name):
                found |= values
        return found

    def add_parameters(self, pattern: str, values: dict[str, Any]) -> None:
        self.parameters.setdefault(pattern, {}).update(values)

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
            value = _checked(parameter_yaml.read_value, rule.source, rule.target)
            found.add_parameters(f"/{rule.node or '**'}", {rule.source: value})
        elif argument == "--params-file":
            file = _value(argument, remaining)
            for pattern, values in _checked(parameter_yaml.read_file, file).items():
                found.add_parameters(pattern, values)
        elif argument == "--log-level":
            name, _, level = _value(argument, remaining).rpartition(":=")
            found.log_levels[name] = level
        elif argument in _WITH_A_VALUE:
            _value(argument, remaining)
        elif not re.fullmatch(r"--(en|dis)able-(rosout|stdout|external-lib)-logs", argument):
            raise RosArgumentError(f"unknown ROS argument '{argument}'")
    return found


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


def _checked(read: Callable[..., Any], *words: str) -> Any:
    try:
        return read(*words)
    except ValueError as error:
        raise RosArgumentError(str(error)) from None
