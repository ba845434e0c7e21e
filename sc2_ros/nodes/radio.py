# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The topic on which a radio tells its signal: which message it is, and what is read from it."""

from __future__ import annotations

from typing import Any

from sc2_ros.errors import ParameterError
from sc2_ros.link.control.radio import radio_status_margin
from sc2_ros.nodes.parameters import RADIO_TYPES
from sc2_ros.runtime.ros import Float32, RadioStatus

_MAVROS, _NUMBER = RADIO_TYPES


def radio_message(kind: str) -> Any:
    """The message class of a type in ``RADIO_TYPES``.

    Raises:
        ParameterError: mavros_msgs is not installed.
    """
    if kind == _NUMBER:
        return Float32
    if RadioStatus is None:
        raise ParameterError(
            f"radio.type {_MAVROS}: the ROS package mavros_msgs is not installed; install it, or "
            f"give a topic of {_NUMBER}"
        )
    return RadioStatus


def signal_db(message: Any) -> float | None:
    """The signal in dB above whatever reference; None where the message does not tell it."""
    if isinstance(message, Float32):
        return float(message.data)
    return radio_status_margin(message.rssi, message.remrssi, message.noise, message.remnoise)
