# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Several cameras of a drone in one process: a node each, in a namespace of its own."""

from __future__ import annotations

from sc2_ros.errors import ParameterError

CAMERAS = "--cameras"


def words(args: list[str]) -> list[str]:
    """A command line in which `--cameras=front,down` is two words, as `--cameras front,down` is."""
    return [
        part
        for word in args
        for part in (word.split("=", 1) if word.startswith(f"{CAMERAS}=") else [word])
    ]


def apart(args: list[str]) -> tuple[list[str], list[str]]:
    """The namespaces of the cameras of a command line, and what is left of it.

    `--cameras front,down … -r __ns:=/drone1` gives `/drone1/front` and `/drone1/down`, whose nodes
    share the encoder.

    Raises:
        ParameterError: the names are no names, or one comes twice.
    """
    at = args.index(CAMERAS)
    cameras = [name.strip() for name in "".join(args[at + 1 : at + 2]).split(",")]
    if not all(name.isidentifier() for name in cameras):
        raise ParameterError(f"{CAMERAS} takes names, such as front,down")
    if len(set(cameras)) < len(cameras):
        raise ParameterError(f"{CAMERAS}: a name comes twice")
    rest = args[:at] + args[at + 2 :]
    given = [rule for rule in rest if rule.startswith("__ns:=")]
    for rule in given:
        place = rest.index(rule)
        del rest[place - 1 : place + 1]
    base = given[-1].removeprefix("__ns:=").rstrip("/") if given else ""
    return [f"{base}/{camera}" for camera in cameras], rest
