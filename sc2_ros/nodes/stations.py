# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which drones each of several ground stations serves, stands in for, and hears at which port."""

from __future__ import annotations

from collections.abc import Sequence

from sc2_ros.errors import ParameterError


def shares(drones: Sequence[str], stations: int) -> list[tuple[list[str], list[str]]]:
    """The drones of each of several stations, and of the one for which it stands in.

    Raises:
        ParameterError: there are more stations than drones, or none.
    """
    if not 1 <= stations <= max(len(drones), 1):
        raise ParameterError(f"stations:={stations} for {len(drones)} drones; give 1 to as many")
    own = [list(drones[number::stations]) for number in range(stations)]
    return [(own[number], own[number - 1] if stations > 1 else []) for number in range(stations)]


def sockets(first: str, drones: Sequence[str]) -> dict[str, str]:
    """Where each drone is heard, at every station alike: the ports count up from the first one's.

    Raises:
        ParameterError: `first` is not one address that leaves as many ports.
    """
    host, _, port = first.rpartition(":")
    if not host or not port.isdecimal() or int(port) + len(drones) - 1 > 65535 or "," in first:
        raise ParameterError(
            f"air.local:={first}: with several stations give the first drone's address alone, as "
            "0.0.0.0:5600; the others have the ports after it"
        )
    return {drone: f"{host}:{int(port) + number}" for number, drone in enumerate(drones)}
