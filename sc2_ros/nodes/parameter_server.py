# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Declares a table's parameters on a node; changes are validated as a set, then applied."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from sc2_ros.errors import ParameterError, Sc2Error
from sc2_ros.nodes.parameters import TABLES, Row, Value, problem_of
from sc2_ros.runtime.ros import (
    FloatingPointRange,
    IntegerRange,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    Node,
    ParameterDescriptor,
    SetParametersResult,
)

Config = TypeVar("Config")
QOS = "qos_overrides."


class ParameterServer:
    """The parameters of one node.

    Args:
        node: the node that owns them.
        rows: its table.

    Raises:
        ParameterError: where the command line or a YAML file gives a value that is not permitted.
    """

    def __init__(self, node: Node, rows: tuple[Row, ...]) -> None:
        self._node = node
        self._rows = rows
        self.values: dict[str, Value] = {}
        for row in rows:
            self.values[row.name] = self._declare(row)
        self._warn_of_unknown()

    def _declare(self, row: Row) -> Value:
        try:
            parameter = self._node.declare_parameter(row.name, row.default, describe(row))
        except (InvalidParameterTypeException, InvalidParameterValueException) as error:
            raise ParameterError(
                f"{error} ({row.name} takes {row.description_of_type()};"
                f" permitted: {row.description_of_values()})"
            ) from error
        value: Value = str(parameter.value) if row.number_as_text else parameter.value
        problem = row.problem(value)
        if problem is not None:
            raise ParameterError(f"parameter {problem}")
        return value

    def _warn_of_unknown(self) -> None:
        """Name what a command line or YAML file gives in vain; ROS takes it without a word."""
        unknown = [name for name in self._undeclared() if not name.startswith(QOS)]
        if unknown:
            names = [row.name for row in self._rows]
            what = "; ".join(_advice(name, names) for name in sorted(unknown))
            self._node.get_logger().warning(f"parameters that this node does not have: {what}")

    def warn_of_unused(self) -> None:
        """Name the QoS overrides of no topic; to be called when the topics are opened."""
        unused = [name for name in self._undeclared() if name.startswith(QOS)]
        if unused:
            own = self._node.get_parameters_by_prefix(QOS.rstrip("."))
            names = [QOS + name for name in own]
            what = "; ".join(_advice(name, names) for name in sorted(unused))
            self._node.get_logger().warning(f"QoS overrides of no topic that is open: {what}")

    def _undeclared(self) -> list[str]:
        """What a command line or YAML file gives and the node has not declared."""
        # Not public in rclpy, Humble to Rolling, nor to be had otherwise once it is not declared.
        given: Iterable[str] = getattr(self._node, "_parameter_overrides", ())
        return [name for name in given if not self._node.has_parameter(name)]

    def __getitem__(self, name: str) -> Any:
        return self.values[name]

    def watch(
        self,
        build: Callable[[dict[str, Value]], Config],
        apply: Callable[[Config], None],
    ) -> None:
        """Let parameters change live.

        Args:
            build: makes a configuration of all values, networks and all; whatever it raises
                refuses the whole change.
            apply: takes the configuration, once every value of the change is accepted.
        """
        built: list[tuple[dict[str, Value], Config]] = []

        def validate(changes: list[Any]) -> SetParametersResult:
            new = {change.name: change.value for change in changes}
            problem = problem_of(self._rows, new)
            if problem is None:
                try:
                    built[:] = [(self._merged(new), build(self._merged(new)))]
                except Sc2Error as error:
                    problem = str(error)
                except Exception as error:  # such as a GPU whose memory is full
                    problem = " ".join(f"{type(error).__name__}: {error}".split())
            if problem is not None:
                return SetParametersResult(successful=False, reason=problem)
            if not applies_after:
                take(changes)
            return SetParametersResult(successful=True, reason="")

        def take(changes: list[Any]) -> None:
            values = self._merged({change.name: change.value for change in changes})
            known, config = built.pop() if built else (None, None)
            self.values = values
            apply(config if known == values and config is not None else build(values))

        # Humble has no callback after the fact; there the validation, being the only one, applies.
        applies_after = hasattr(self._node, "add_post_set_parameters_callback")
        self._node.add_on_set_parameters_callback(validate)
        if applies_after:
            self._node.add_post_set_parameters_callback(take)

    def _merged(self, new: dict[str, Value]) -> dict[str, Value]:
        return {name: new.get(name, value) for name, value in self.values.items()}


def _advice(name: str, names: list[str]) -> str:
    """An unknown name, and the one that may be meant or the nodes that have it."""
    close = get_close_matches(name, names, n=1)
    if close:
        return f"{name} (did you mean {close[0]}?)"
    owners = [node for node, rows in TABLES.items() if name in (row.name for row in rows)]
    return f"{name} (of {' and '.join(owners)})" if owners else name


def describe(row: Row) -> ParameterDescriptor:
    """The ROS descriptor of a row: description, range, and why it is read-only."""
    descriptor = ParameterDescriptor(description=row.description)
    descriptor.read_only = bool(row.fixed)
    descriptor.dynamic_typing = row.number_as_text
    constraints = [f"one of {', '.join(row.choices)}"] if row.choices else []
    if row.fixed:
        constraints.append(f"read-only: {row.fixed}")
    descriptor.additional_constraints = "; ".join(constraints)
    if row.low is None or row.high is None:
        return descriptor
    if isinstance(row.default, float):
        descriptor.floating_point_range = [
            FloatingPointRange(from_value=row.low, to_value=row.high, step=0.0)
        ]
    else:
        descriptor.integer_range = [
            IntegerRange(from_value=int(row.low), to_value=int(row.high), step=1)
        ]
    return descriptor
