# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The parameter table, and the files that are made from it."""

from pathlib import Path

import jsonschema
import pytest
import yaml

from sc2_ros.errors import ParameterError
from sc2_ros.nodes import parameter_docs, parameter_schema
from sc2_ros.nodes.parameters import (
    GROUND,
    LINK_EMULATOR,
    ONBOARD,
    TABLES,
    parse_names,
    parse_size,
    parse_weights,
    problem_of,
)

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("node", TABLES)
def test_every_default_may_be_used(node):
    defaults = {row.name: row.default for row in TABLES[node]}

    assert problem_of(TABLES[node], defaults) is None


@pytest.mark.parametrize("node", TABLES)
def test_names_are_unique_and_described(node):
    names = [row.name for row in TABLES[node]]

    assert len(set(names)) == len(names)
    assert all(row.description.endswith(".") for row in TABLES[node])


@pytest.mark.parametrize(
    ("rows", "name", "value", "words"),
    [
        (ONBOARD, "rate.index", 1.01, "out of range: 0.0 to 1.0"),
        (ONBOARD, "rate.index", float("nan"), "out of range"),
        (ONBOARD, "rate.index", 1, "a decimal number"),
        (ONBOARD, "rate.mode", "adaptive", "one of auto, budget, fixed"),
        (ONBOARD, "stream", 256, "out of range"),
        (ONBOARD, "stream", True, "a whole number"),
        (ONBOARD, "frame.size", "640 by 512", "WIDTHxHEIGHT"),
        (ONBOARD, "frame.size", "8x8", "32x32"),
        (ONBOARD, "device", "tpu", "auto, cpu, cuda, cuda:N or tensorrt"),
        (GROUND, "device", "tpu", "cpu, cuda or cuda:N"),
        (GROUND, "mask", 1, "true or false"),
        (LINK_EMULATOR, "link", "fast", "fast"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_permitted(rows, name, value, words):
    problem = problem_of(rows, {name: value})

    assert problem is not None
    assert name in problem
    assert words in problem


def test_parameters_of_ros_itself_are_not_judged():
    assert problem_of(ONBOARD, {"use_sim_time": "yes"}) is None


@pytest.mark.parametrize(("text", "size"), [("", (0, 0)), ("640x512", (640, 512))])
def test_sizes(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["640", "x", "640x", "-1x50", "5000x5000", "64x64x3", "640X512"])
def test_wrong_sizes_are_refused(text):
    with pytest.raises(ParameterError, match="size"):
        parse_size(text)


def test_weights():
    assert parse_weights("drone1=4, air/two=0.5,") == {"drone1": 4.0, "air/two": 0.5}


@pytest.mark.parametrize("text", ["drone1", "drone1=", "=2", "a=0", "a=-1", "a=nan", "a=1e9"])
def test_wrong_weights_are_refused(text):
    with pytest.raises(ParameterError, match="NAME=WEIGHT"):
        parse_weights(text)


def test_names_may_have_spaces_around_them():
    assert parse_names(" person, other vehicle ,") == ("person", "other vehicle")


def test_documentation_is_in_step():
    path = ROOT / "docs" / "parameters.md"

    assert path.read_text("utf-8") == parameter_docs.markdown(), (
        "run python -m sc2_ros.nodes.parameter_docs"
    )


@pytest.mark.parametrize("name", parameter_docs.YAML_FILES)
def test_shipped_yaml_is_the_table(name):
    shipped = yaml.safe_load((ROOT / "config" / name).read_text("utf-8"))

    for node in parameter_docs.YAML_FILES[name]:
        values = shipped[f"/**/{node}"]["ros__parameters"]
        assert values == {row.name: row.default for row in TABLES[node]}
        assert problem_of(TABLES[node], values) is None


def problems(text):
    validator = jsonschema.Draft202012Validator(parameter_schema.schema())
    return [error.message for error in validator.iter_errors(yaml.safe_load(text))]


def test_the_schema_is_a_schema_and_in_step():
    jsonschema.Draft202012Validator.check_schema(parameter_schema.schema())
    shipped = (ROOT / "config" / parameter_schema.FILE).read_text("utf-8")

    assert shipped == parameter_schema.text(), "run python -m sc2_ros.nodes.parameter_docs"


@pytest.mark.parametrize("name", parameter_docs.YAML_FILES)
def test_shipped_yaml_fits_the_schema(name):
    assert problems((ROOT / "config" / name).read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("node", "line", "words"),
    [
        ("/**/onboard_node", "rate.index: 1.5", "1.5 is greater than the maximum"),
        ("/drone1/onboard_node", "rate.mode: adaptive", "'adaptive' is not one of"),
        ("onboard_node", "rate.modus: auto", "'rate.modus' does not match"),
        ("/**/ground_node", "mask: 1", "1 is not of type 'boolean'"),
        ("/**/camera_node", "input: 1.5", "is not of type 'string', 'integer'"),
    ],
)
def test_the_schema_finds_what_ros_would_refuse(node, line, words):
    (problem,) = problems(f"{node}:\n  ros__parameters:\n    {line}\n")

    assert words in problem


def test_the_schema_lets_pass_what_is_ros_own():
    own = "use_sim_time: true\n    qos_overrides./image.subscription.depth: 3"

    assert problems(f"/**/onboard_node:\n  ros__parameters:\n    {own}\n    rate.index: 1\n") == []
