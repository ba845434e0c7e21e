# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Declared types, ranges, callbacks and what is refused, without a network."""

import array

import pytest

from sc2_ros.runtime.parameters import (
    FloatingPointRange,
    IntegerRange,
    InvalidParameterTypeException,
    InvalidParameterValueException,
    Parameter,
    ParameterAlreadyDeclaredException,
    ParameterDescriptor,
    ParameterNotDeclaredException,
    ParameterTable,
    SetParametersResult,
)


class Events(list):
    def __call__(self, kind, parameter):
        self.append((kind, parameter.name, parameter.value))


@pytest.fixture
def events():
    return Events()


@pytest.fixture
def table(events):
    table = ParameterTable({"rate": 0.75, "size": "big"}, events)
    limits = FloatingPointRange(from_value=0.0, to_value=1.0)
    table.declare("rate", 0.5, ParameterDescriptor(floating_point_range=[limits]), False)
    steps = IntegerRange(from_value=0, to_value=60, step=16)
    table.declare("width", 32, ParameterDescriptor(integer_range=[steps]), False)
    return table


def test_an_override_replaces_the_default_unless_ignored(table):
    assert table.get("rate").value == 0.75
    table.overrides["depth"] = 3
    assert table.declare("depth", 1, None, True).value == 1


def test_an_override_of_another_type_or_out_of_range_is_refused(table):
    with pytest.raises(InvalidParameterTypeException, match="expected 'INTEGER' got 'STRING'"):
        table.declare("size", 640, None, False)
    table.overrides["loss"] = 2.0
    limits = ParameterDescriptor(
        floating_point_range=[FloatingPointRange(from_value=0.0, to_value=1.0)]
    )
    with pytest.raises(InvalidParameterValueException, match="out of range"):
        table.declare("loss", 0.0, limits, False)
    assert "loss" not in table.values


def test_declaring_twice_or_asking_for_nothing_is_refused(table):
    with pytest.raises(ParameterAlreadyDeclaredException):
        table.declare("rate", 0.1, None, False)
    with pytest.raises(ParameterNotDeclaredException):
        table.get("speed")
    with pytest.raises(ParameterNotDeclaredException):
        table.set([Parameter("speed", value=1)])
    with pytest.raises(ValueError, match="needs a default value or a type"):
        table.declare("nothing", None, None, False)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [("rate", 1.5, "out of range"), ("rate", -0.1, "out of range"), ("rate", float("nan"), "range"),
     ("rate", 1, "expected 'DOUBLE' got 'INTEGER'"), ("rate", None, "cannot be undeclared"),
     ("width", 40, "not a valid step"), ("width", 61, "out of range"), ("width", True, "'BOOL'")],
)  # fmt: skip
def test_a_value_that_is_not_allowed_changes_nothing(table, events, name, value, reason):
    before, seen = table.get(name).value, len(events)

    result = table.set([Parameter(name, value=value)])

    assert not result.successful
    assert reason in result.reason
    assert table.get(name).value == before
    assert len(events) == seen


@pytest.mark.parametrize(("name", "value"), [("rate", 0.0), ("rate", 1.0), ("width", 60)])
def test_the_edges_of_a_range_are_allowed_whatever_the_step(table, name, value):
    assert table.set([Parameter(name, value=value)]).successful
    assert table.get(name).value == value


def test_several_are_set_together_or_not_at_all(table, events):
    result = table.set([Parameter("rate", value=0.1), Parameter("width", value=1000)])

    assert not result.successful
    assert table.get("rate").value == 0.75

    assert table.set([Parameter("rate", value=0.1), Parameter("width", value=16)]).successful
    assert events[-2:] == [("changed", "rate", 0.1), ("changed", "width", 16)]


def test_a_callback_may_refuse_and_a_later_one_hears_what_was_set(table):
    heard = []
    table.on_set.append(lambda ps: SetParametersResult(successful=ps[0].value < 0.9, reason="hot"))
    table.post_set.append(lambda ps: heard.extend(p.value for p in ps))

    refused = table.set([Parameter("rate", value=0.95)])
    table.set([Parameter("rate", value=0.2)])

    assert (refused.successful, refused.reason) == (False, "hot")
    assert heard == [0.2]


def test_read_only_is_set_by_its_override_and_then_never(table):
    table.overrides["model"] = "small"
    table.declare("model", "default", ParameterDescriptor(read_only=True), False)

    result = table.set([Parameter("model", value="large")])

    assert table.get("model").value == "small"
    assert not result.successful
    assert "read-only" in result.reason


def test_an_empty_list_takes_the_declared_type(table):
    table.declare("classes", ["car"], None, False)

    assert table.set([Parameter("classes", Parameter.Type.STRING_ARRAY, [])]).successful
    assert table.get("classes").value == []
    assert table.get("classes").type_ == Parameter.Type.STRING_ARRAY


def test_names_below_a_prefix(table):
    for name in ("link.loss", "link.delay.min"):
        table.declare(name, 1, None, False)

    assert table.names([], 0) == ["link.delay.min", "link.loss", "rate", "width"]
    assert table.names([], 1) == ["rate", "width"]
    assert table.names(["link"], 0) == ["link.delay.min", "link.loss"]
    assert table.names(["link"], 1) == ["link.loss"]


@pytest.mark.parametrize(
    "value",
    [None, True, 3, 0.5, "text", [b"a"], [True], [1, 2], [0.5], ["a"], array.array("q", [1])],
)
def test_every_type_survives_its_message(value):
    parameter = Parameter("p", value=value)

    back = Parameter.from_parameter_msg(parameter.to_parameter_msg())

    assert back.type_ == parameter.type_
    several = isinstance(value, list | array.array)
    assert (list(back.value) if several else back.value) == (list(value) if several else value)


def test_what_ros_has_no_type_for_is_refused():
    with pytest.raises(TypeError):
        Parameter("p", value=[1, "a"])
    with pytest.raises(ValueError, match="do not agree"):
        Parameter("p", Parameter.Type.DOUBLE, 1)
