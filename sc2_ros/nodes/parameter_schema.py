# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameter table as a JSON schema, so that editors and `check-jsonschema` know the YAML files.

The schema cannot say everything: ROS also tells 500 from 500.0, sizes and links have a grammar.
"""

from __future__ import annotations

import json
from typing import Any

from sc2_ros.nodes.parameters import TABLES, Row

FILE = "parameters.schema.json"
"""Its name in config/."""

_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string"}


def schema() -> dict[str, Any]:
    """JSON schema (2020-12) of a ROS parameter file for any of the nodes, in any namespace."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Parameter files of sc2_ros",
        "description": "Made by `python -m sc2_ros.nodes.parameter_docs`; do not edit.",
        "type": "object",
        "patternProperties": {rf"^(.*/)?{node}$": {"$ref": f"#/$defs/{node}"} for node in TABLES},
        "$defs": {node: _node(rows) for node, rows in TABLES.items()},
    }


def _node(rows: tuple[Row, ...]) -> dict[str, Any]:
    parameters = {
        "type": "object",
        "properties": {row.name: _parameter(row) for row in rows}
        | {"use_sim_time": {"type": "boolean", "default": False}},
        "patternProperties": {r"^qos_overrides\.": {"type": ["string", "integer"]}},
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"ros__parameters": parameters},
        "required": ["ros__parameters"],
        "additionalProperties": False,
    }


def _parameter(row: Row) -> dict[str, Any]:
    kind = _TYPES[type(row.default)]
    found: dict[str, Any] = {
        "type": ["string", "integer"] if row.number_as_text else kind,
        "default": row.default,
        "description": row.description,
    }
    if row.choices:
        found["enum"] = list(row.choices)
    if row.low is not None:
        found["minimum"] = row.low
    if row.high is not None:
        found["maximum"] = row.high
    if row.fixed:
        found["description"] += f" Read-only: {row.fixed}."
    return found


def text() -> str:
    """The text of the file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"
