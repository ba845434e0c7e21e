# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""One row of the parameter table: name, default, range, and what is wrong with a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sc2_ros.errors import ParameterError

Value = bool | int | float | str
"""What a parameter may hold; lists are comma-separated strings, which a terminal can type."""
LARGEST_WEIGHT = 1000.0


@dataclass(frozen=True)
class Row:
    """One parameter of one node.

    `fixed` is the reason why it cannot change while the node runs; empty for a live parameter.
    `check` gives a sentence about what is wrong with a value of the right type, or None.
    """

    name: str
    default: Value
    description: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    check: Callable[[Value], str | None] | None = None
    fixed: str = ""
    number_as_text: bool = False
    """Whether a number stands for its digits: `-p input:=0` gives 0, not "0"."""

    def problem(self, value: object) -> str | None:
        """What is wrong with a value, as a sentence; None where it may be used."""
        if type(value) is not type(self.default):
            return f"{self.name} takes {self.description_of_type()}, not {value!r}"
        if self.low is not None and self.high is not None:
            assert isinstance(value, int | float)
            if not self.low <= value <= self.high:
                return f"{self.name} = {value} is out of range: {self.description_of_values()}"
        if self.choices and value not in self.choices:
            return f"{self.name} = {value!r} is unknown: {self.description_of_values()}"
        if self.check is not None:
            assert isinstance(value, bool | int | float | str)
            found = self.check(value)
            return None if found is None else f"{self.name} = {value!r}: {found}"
        return None

    def description_of_type(self) -> str:
        """The type and an example in words."""
        return f"{VALUE_NAMES[type(self.default)]}, for example {self.default!r}"

    def description_of_values(self) -> str:
        """The permitted values in words, e.g. `0.0 to 1.0`."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        if self.low is not None and self.high is not None:
            return f"{self.low} to {self.high}"
        return VALUE_NAMES[type(self.default)]


VALUE_NAMES = {bool: "true or false", int: "a whole number", float: "a decimal number", str: "text"}


def parse_size(text: str) -> tuple[int, int]:
    """Width and height in pixels of "640x512"; (0, 0), the source's own size, for empty text.

    Raises:
        ParameterError: for anything else, and outside 32 to 4096.
    """
    if not text:
        return (0, 0)
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if match is None:
        raise ParameterError(f"a size is written WIDTHxHEIGHT, for example 640x512, not {text!r}")
    width, height = int(match[1]), int(match[2])
    if not (32 <= width <= 4096 and 32 <= height <= 4096):
        raise ParameterError(f"a size may be 32x32 to 4096x4096, not {text}")
    return (width, height)


def parse_names(text: str) -> tuple[str, ...]:
    """The names in "person, car"; () for empty text."""
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def parse_weights(text: str) -> dict[str, float]:
    """The weights in "drone1=4, drone2=0.5".

    Raises:
        ParameterError: one is no positive number, or has no name.
    """
    weights = {}
    for part in parse_names(text):
        name, _, number = part.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            weight = 0.0
        if not name.strip() or not 0 < weight <= LARGEST_WEIGHT:
            raise ParameterError(
                f"{part!r} is no weight; give NAME=WEIGHT, above 0 and at most {LARGEST_WEIGHT:g}"
            )
        weights[name.strip()] = weight
    return weights


def problem_of(rows: tuple[Row, ...], values: Mapping[str, object]) -> str | None:
    """The first thing that is wrong with a set of values, as a sentence; None if they may be used.

    Names that the table does not have (`use_sim_time`, `qos_overrides.…`) are not its business.
    """
    by_name = {row.name: row for row in rows}
    for name, value in values.items():
        found = by_name[name].problem(value) if name in by_name else None
        if found is not None:
            return found
    return None
