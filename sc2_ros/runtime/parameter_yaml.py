# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Values of parameters and files of them, in YAML as ROS 2 (rcl_yaml_param_parser) reads it.

Its words for true and false, its numbers and its texts are not those of PyYAML: `y` is true, `1e3`
and `inf` are numbers, `1:30`, `1_000`, `null` and a date are text.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

_BOOLEANS = {
    spelt: value
    for words, value in (("y yes true on", True), ("n no false off", False))
    for word in words.split()
    for spelt in (word, word.capitalize(), word.upper())
}
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")
_NUMBER = re.compile(r"[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?(\.?inf|\.?nan|infinity)", re.IGNORECASE)
_TEXT = "tag:yaml.org,2002:str"


class _Composer(yaml.BaseLoader):
    """YAML as a tree of nodes, whose tag is empty where none is written."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError(f"ROS 2 takes no alias such as *{self.peek_event().anchor}")
        return super().compose_node(parent, index)


def read_value(name: str, text: str) -> Any:
    """The value of a parameter on a command line.

    Raises:
        ValueError: says what ROS 2 does not take.
    """
    try:
        node = yaml.compose(text, _Composer)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise ValueError(f"parameter {name} = {text}: {said}; put quotes around text") from None
    return _value(name, node)


def read_file(path: str | Path) -> dict[str, dict[str, Any]]:
    """The parameters in a file, for every node name or pattern in it (such as "/**").

    Raises:
        ValueError: says what ROS 2 does not take.
    """
    try:
        tree = yaml.compose(Path(path).read_text(encoding="utf-8"), _Composer)
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ValueError(f"cannot read parameter file '{path}': {error}") from None
    found: dict[str, dict[str, Any]] = {}
    if tree is None:  # nothing but comments
        return found
    if not isinstance(tree, yaml.MappingNode):
        raise ValueError(f"parameter file '{path}' has no node names at its top level")
    try:
        for pattern, name, value in _of_nodes(tree, ""):
            found.setdefault(pattern, {})[name] = value
    except ValueError as error:
        raise ValueError(f"parameter file '{path}': {error}") from None
    return found


def named(parameters: Mapping[str, Mapping[str, Any]], node: str) -> dict[str, Any]:
    """The parameters for nodes of a name, whatever their namespace."""
    found: dict[str, Any] = {}
    for pattern, values in parameters.items():
        if pattern.rpartition("/")[2] in (node, "*", "**"):
            found |= values
    return found


def _of_nodes(tree: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, str, Any]]:
    for key, node in _entries(tree):
        if key != "ros__parameters":
            if not isinstance(node, yaml.MappingNode):
                raise ValueError(f"'{key}' is outside ros__parameters; put it below a node's name")
            yield from _of_nodes(node, f"{prefix}/{key.strip('/')}")
        elif not isinstance(node, yaml.MappingNode):
            raise ValueError(f"ros__parameters of '{prefix}' is no map")
        elif not prefix:
            raise ValueError("ros__parameters stands below no node's name")
        else:
            yield from ((prefix, name, value) for name, value in _flat(node, ""))


def _flat(tree: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, Any]]:
    for key, node in _entries(tree):
        if isinstance(node, yaml.MappingNode):
            yield from _flat(node, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _value(f"{prefix}{key}", node)


def _entries(tree: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    for key, node in tree.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ValueError(f"a name in line {key.start_mark.line + 1} is no text")
        yield key.value, node


def _value(name: str, node: yaml.Node | None) -> Any:
    """The value of a parameter, if ROS has a type for it."""
    if isinstance(node, yaml.ScalarNode):
        return _scalar(name, node)
    entries = node.value if isinstance(node, yaml.SequenceNode) else [node]
    if all(isinstance(entry, yaml.ScalarNode) for entry in entries):
        values = [_scalar(name, entry) for entry in entries]
        if len({type(value) for value in values}) < 2:
            return values
    raise ValueError(
        f"parameter {name} = {_source(node)} is neither true or false, a number, text nor a list "
        "of one of these; put quotes around text"
    )


def _scalar(name: str, node: yaml.ScalarNode) -> bool | int | float | str:
    text: str = node.value
    if node.tag == _TEXT or node.style in ("'", '"'):
        return text
    if not text:
        raise ValueError(f"parameter {name} has no value; empty text is ''")
    return read_plain(text)


def read_plain(text: str) -> bool | int | float | str:
    """What ROS 2 makes of a word without quotes."""
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        digits = text.lstrip("+-").lower()
        base = 16 if digits.startswith("0x") else 8 if digits.startswith("0") else 10
        if -(2**63) <= (number := int(text, base)) < 2**63:
            return number  # a longer one is a double
    if _NOT_FINITE.fullmatch(text):
        return float(text.replace(".", ""))
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _source(node: yaml.Node | None) -> str:
    if node is None:
        return ""
    start, end = node.start_mark, node.end_mark
    return str(start.buffer[start.pointer : end.pointer]).strip()
