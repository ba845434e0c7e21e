# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a parameter's value, in a sentence; None if nothing is."""

from __future__ import annotations

import re
from collections.abc import Callable

from sc2_ros.errors import AirAddressError, LinkSpecError, ParameterError
from sc2_ros.link.air.address import split
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.nodes.parameter_row import Value, parse_names, parse_size, parse_weights
from sc2_ros.onboard.backend import DEVICE_FORM

Check = Callable[[Value], str | None]


def _read_by(read: Callable[[str], object], refusal: type[Exception]) -> Check:
    """What the reader of a value says against it."""

    def check(value: Value) -> str | None:
        try:
            read(str(value))
        except refusal as error:
            return str(error)
        return None

    return check


def _addresses(text: str) -> None:
    for address in parse_names(text):
        split(address)


check_size = _read_by(parse_size, ParameterError)
"""Of an image, or empty."""
check_weights = _read_by(parse_weights, ParameterError)
"""NAME=WEIGHT, comma-separated."""
check_link = _read_by(parse_link, LinkSpecError)
"""A simulated link."""
check_addresses = _read_by(_addresses, AirAddressError)
"""Of sockets, comma-separated."""


def check_device(value: Value) -> str | None:
    """Of the ground's network."""
    if re.fullmatch(r"cpu|cuda(:\d+)?", str(value)):
        return None
    return "a device is cpu, cuda or cuda:N"


def check_onboard_device(value: Value) -> str | None:
    """Of the encoder."""
    if re.fullmatch(DEVICE_FORM, str(value)):
        return None
    return "a device is auto, cpu, cuda, cuda:N or tensorrt"


def check_drones(value: Value) -> str | None:
    """Namespaces, comma-separated."""
    names = parse_names(str(value))
    for name in names:
        if not re.fullmatch(r"/?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", name, re.ASCII):
            return f"{name} is not a ROS namespace: use letters, digits, '_' and '/'"
    return "a name occurs twice" if len(set(names)) < len(names) else None
