# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
# ruff: noqa: D102, N818  (names and meaning are rclpy's)
"""Parameters as rclpy has them: declared with a type and a range, set only after every check."""

import array
import math
from collections.abc import Callable, Iterable
from enum import IntEnum
from typing import Any

from .errors import RosError
from .messages import Message, message_type

FloatingPointRange = message_type("rcl_interfaces/msg/FloatingPointRange")
IntegerRange = message_type("rcl_interfaces/msg/IntegerRange")
ParameterDescriptor = message_type("rcl_interfaces/msg/ParameterDescriptor")
ParameterMsg = message_type("rcl_interfaces/msg/Parameter")
ParameterValue = message_type("rcl_interfaces/msg/ParameterValue")
SetParametersResult = message_type("rcl_interfaces/msg/SetParametersResult")
ListParametersResult = message_type("rcl_interfaces/msg/ListParametersResult")


class ParameterException(RosError):
    """Base of the parameter errors."""


class ParameterNotDeclaredException(ParameterException):
    """The node has no such parameter."""


class ParameterAlreadyDeclaredException(ParameterException):
    """The node has this parameter already."""


class InvalidParameterTypeException(ParameterException):
    """The value given for a declared parameter has another type."""


class InvalidParameterValueException(ParameterException):
    """The value given for a declared parameter is refused."""


class Parameter:
    """Name, type and value."""

    class Type(IntEnum):
        """Types of rcl_interfaces/msg/ParameterType."""

        NOT_SET = 0
        BOOL = 1
        INTEGER = 2
        DOUBLE = 3
        STRING = 4
        BYTE_ARRAY = 5
        BOOL_ARRAY = 6
        INTEGER_ARRAY = 7
        DOUBLE_ARRAY = 8
        STRING_ARRAY = 9

        @classmethod
        def from_parameter_value(cls, value: Any) -> "Parameter.Type":
            """Type of a Python value; TypeError where ROS has none."""
            if value is None:
                return cls.NOT_SET
            for python_type, single, several in _TYPES:
                if isinstance(value, python_type):
                    if single is not None:
                        return single
                elif isinstance(value, list | tuple | array.array) and all(
                    isinstance(entry, python_type) for entry in value
                ):
                    return several
            raise TypeError(f"'{value}' is of none of the types that a parameter may have")

    def __init__(self, name: str, type_: "Parameter.Type | None" = None, value: Any = None) -> None:
        actual = Parameter.Type.from_parameter_value(value)
        empty_list = isinstance(value, list | tuple | array.array) and not value
        if type_ not in (None, actual) and not (empty_list and type_ >= Parameter.Type.BYTE_ARRAY):
            raise ValueError(f"Type '{type_}' and value '{value}' do not agree")
        self.name = name
        self.type_ = actual if type_ is None else type_
        self.value = value

    def get_parameter_value(self) -> Any:
        """As rcl_interfaces/msg/ParameterValue."""
        message = ParameterValue(type=int(self.type_))
        if self.type_ != Parameter.Type.NOT_SET:
            setattr(message, f"{self.type_.name.lower()}_value", self.value)
        return message

    def to_parameter_msg(self) -> Any:
        return ParameterMsg(name=self.name, value=self.get_parameter_value())

    @classmethod
    def from_parameter_msg(cls, message: Any) -> "Parameter":
        type_ = cls.Type(message.value.type)
        return cls(message.name, type_, value_of(message.value))

    def __repr__(self) -> str:
        return f"Parameter({self.name!r}, {self.type_.name}, {self.value!r})"


_TYPES: tuple[tuple[type, Parameter.Type | None, Parameter.Type], ...] = (
    (bytes, None, Parameter.Type.BYTE_ARRAY),
    (bool, Parameter.Type.BOOL, Parameter.Type.BOOL_ARRAY),
    (int, Parameter.Type.INTEGER, Parameter.Type.INTEGER_ARRAY),
    (float, Parameter.Type.DOUBLE, Parameter.Type.DOUBLE_ARRAY),
    (str, Parameter.Type.STRING, Parameter.Type.STRING_ARRAY),
)


ParametersCallback = Callable[[list[Parameter]], Any]


def value_of(message: Any) -> Any:
    """Python value of a rcl_interfaces/msg/ParameterValue."""
    type_ = Parameter.Type(message.type)
    return None if not type_ else getattr(message, f"{type_.name.lower()}_value")


class ParameterTable:
    """The declared parameters of one node, their descriptors, and the callbacks around a change."""

    def __init__(
        self, overrides: dict[str, Any], on_event: Callable[[str, Parameter], Any]
    ) -> None:
        self.overrides = overrides
        self.values: dict[str, Parameter] = {}
        self.descriptors: dict[str, Any] = {}
        self.on_set: list[ParametersCallback] = []
        self.post_set: list[ParametersCallback] = []
        self._on_event = on_event  # called with "new" or "changed" after each change

    def declare(
        self, name: str, value: Any, descriptor: Any = None, ignore_override: bool = False
    ) -> Parameter:
        """Add a parameter whose type is that of `value` (or is `value`, a `Parameter.Type`).

        Raises:
            ParameterAlreadyDeclaredException, InvalidParameterTypeException,
            InvalidParameterValueException: as in rclpy.
        """
        if name in self.values:
            raise ParameterAlreadyDeclaredException(f"parameter already declared: {name}")
        descriptor = descriptor or ParameterDescriptor()
        descriptor.name = name
        if isinstance(value, Parameter.Type):
            descriptor.type, value = int(value), None
        elif not descriptor.dynamic_typing:
            descriptor.type = int(Parameter.Type.from_parameter_value(value))
        if not descriptor.type and not descriptor.dynamic_typing:
            raise ValueError(f"parameter {name} needs a default value or a type")
        if not ignore_override:
            value = self.overrides.get(name, value)
        parameter = _typed(name, value, descriptor)
        problem = _type_problem(parameter, descriptor) if value is not None else None
        if problem:
            raise InvalidParameterTypeException(f"{name} = {value!r}: {problem}")
        problem = _range_problem(parameter, descriptor) or self._refused([parameter])
        if problem:
            raise InvalidParameterValueException(f"{name} = {value!r} is refused: {problem}")
        self._store([parameter], {name: descriptor})
        return parameter

    def set(self, parameters: list[Parameter]) -> Any:
        """Set all of them, or none and say why (SetParametersResult)."""
        for parameter in parameters:
            descriptor = self.describe(parameter.name)
            problem = _type_problem(parameter, descriptor) or _range_problem(parameter, descriptor)
            if descriptor.read_only:
                problem = f"Trying to set a read-only parameter: {parameter.name}."
            if problem:
                return SetParametersResult(successful=False, reason=problem)
        problem = self._refused(parameters)
        if problem is not None:
            return SetParametersResult(successful=False, reason=problem)
        self._store(parameters, {})
        return SetParametersResult(successful=True)

    def get(self, name: str) -> Parameter:
        if name not in self.values:
            raise ParameterNotDeclaredException(f"parameter not declared: {name}")
        return self.values[name]

    def describe(self, name: str) -> Any:
        self.get(name)
        return self.descriptors[name]

    def names(self, prefixes: Iterable[str], depth: int) -> list[str]:
        """Names below any of the prefixes (all where there are none); depth 0 goes all the way."""
        prefixes = tuple(prefixes)

        def wanted(name: str) -> bool:
            below = [name] if not prefixes else []
            below += [name[len(p) + 1 :] for p in prefixes if name == p or name.startswith(p + ".")]
            return any(not depth or rest.count(".") < depth for rest in below)

        return sorted(filter(wanted, self.values))

    def listing(self, prefixes: Iterable[str], depth: int) -> Any:
        """Names below the prefixes and what is above them, as ListParametersResult."""
        names = self.names(prefixes, depth)
        above = sorted({name.rpartition(".")[0] for name in names if "." in name})
        return ListParametersResult(names=names, prefixes=above)

    def _refused(self, parameters: list[Parameter]) -> str | None:
        for callback in self.on_set:
            result = callback(parameters)
            if not result.successful:
                return result.reason or "refused by the node"
        return None

    def _store(self, parameters: list[Parameter], descriptors: dict[str, Message]) -> None:
        self.descriptors.update(descriptors)
        for parameter in parameters:
            known = parameter.name in self.values
            self.values[parameter.name] = parameter
            self._on_event("changed" if known else "new", parameter)
        for callback in self.post_set:
            callback(parameters)


def _typed(name: str, value: Any, descriptor: Any) -> Parameter:
    """A parameter of the declared type where the value leaves it open (an empty list, no value)."""
    several = descriptor.type >= Parameter.Type.BYTE_ARRAY
    if isinstance(value, list | tuple) and not value and several:
        return Parameter(name, Parameter.Type(descriptor.type), value)
    return Parameter(name, value=value)


def _type_problem(parameter: Parameter, descriptor: Any) -> str | None:
    if descriptor.dynamic_typing or parameter.type_ == descriptor.type:
        return None
    if parameter.type_ == Parameter.Type.NOT_SET:
        return "Static parameter cannot be undeclared"
    expected = Parameter.Type(descriptor.type)
    return f"Wrong parameter type, expected '{expected.name}' got '{parameter.type_.name}'"


def _range_problem(parameter: Parameter, descriptor: Any) -> str | None:
    if parameter.type_ == Parameter.Type.INTEGER and descriptor.integer_range:
        limits, exact = descriptor.integer_range[0], True
    elif parameter.type_ == Parameter.Type.DOUBLE and descriptor.floating_point_range:
        limits, exact = descriptor.floating_point_range[0], False
    else:
        return None
    low, high = sorted((limits.from_value, limits.to_value))
    value = parameter.value
    if not exact and any(math.isclose(value, edge, rel_tol=1e-9) for edge in (low, high)):
        return None
    if not low <= value <= high:
        return f"Parameter {parameter.name} out of range. Min: {low}, Max: {high}, value: {value}"
    if limits.step and value != high:
        steps = (value - low) / limits.step
        if not math.isclose(steps, round(steps), abs_tol=0.0 if exact else 1e-6):
            return (
                f"The parameter value for {parameter.name} is not a valid step. "
                f"Min: {low}, max: {high}, value: {value}, step: {limits.step}"
            )
    return None
