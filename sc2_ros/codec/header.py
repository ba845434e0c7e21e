# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every packet tells of itself, in whichever form it travels."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sc2_ros.errors import MismatchError, PacketError

VERSIONS = (1, 2, 3)
"""Version 2 adds predicted slices and the origin; what needs neither is sent as version 1. Version
3 is laid out as 2, its symbols coded with the checkpoint's learned context model."""
LEARNED_VERSION = 3
MAX_GRID = 16
MAX_RATE_CODE = 64


class PacketType(enum.IntEnum):
    """What the payload is."""

    FEATURES = 0
    STREAM_INFO = 1
    FEEDBACK = 2
    REPAIR = 3


@dataclass(frozen=True)
class Header:
    """Everything of a packet but its payload.

    `rows` x `cols` is the grid of slices of the frame, `slice` the number of this one in
    row-major order. `reference` is 0 for a slice that needs no other frame, else the distance in
    frames to the one it was predicted from. `capture_time_ns` is the stamp of the source image.
    Of a repair packet, `slice` is its number among the repair packets of its frame. All packets of
    a frame have the same `version`. `checkpoint_id` is 0 where the short form does not tell it.
    """

    type: PacketType
    stream: int
    checkpoint_id: int
    frame: int
    slice: int = 0
    rows: int = 1
    cols: int = 1
    rate_code: int = 0
    reference: int = 0
    capture_time_ns: int = 0
    version: int = 1

    @property
    def place(self) -> int:
        """The packet's number in its frame: repair packets count on from the slices."""
        first = self.rows * self.cols if self.type is PacketType.REPAIR else 0
        return first + self.slice

    @property
    def is_short(self) -> bool:
        """Whether it travels in the short form (short.py): a predicted slice of version 3."""
        features = self.type is PacketType.FEATURES
        return features and self.version == LEARNED_VERSION and self.reference > 0

    def check_checkpoint(self, checkpoint_id: int) -> None:
        """Raise MismatchError if it is of another checkpoint; the short form tells by its hash."""
        if not self.is_short and self.checkpoint_id != checkpoint_id:
            raise MismatchError(
                f"packet of checkpoint {self.checkpoint_id:08x}, but {checkpoint_id:08x} is "
                "loaded; start both ends with the same checkpoint"
            )


def check(header: Header) -> None:
    """Refuse numbers that the bytes of the wire can hold but the format does not allow."""
    if header.version not in VERSIONS:
        raise PacketError(f"packet version {header.version}; known are 1 to 3")
    if not (1 <= header.rows <= MAX_GRID and 1 <= header.cols <= MAX_GRID):
        raise PacketError(f"grid of {header.rows}x{header.cols} slices; at most 16x16")
    if header.type is PacketType.FEATURES:
        if header.slice >= header.rows * header.cols:
            raise PacketError(f"slice {header.slice} of a grid of {header.rows}x{header.cols}")
    elif header.type is PacketType.REPAIR:
        if header.rows * header.cols + header.slice >= MAX_GRID * MAX_GRID:
            raise PacketError(
                f"repair packet {header.slice} of a grid of {header.rows}x{header.cols} slices"
            )
        if header.reference:
            raise PacketError("a repair packet has no reference")
    if header.type in (PacketType.FEATURES, PacketType.REPAIR):
        if header.rate_code > MAX_RATE_CODE:
            raise PacketError(f"rate code {header.rate_code}; at most {MAX_RATE_CODE}")
    elif (header.slice, header.rows, header.cols, header.rate_code, header.reference) != (
        (0, 1, 1, 0, 0)
    ):
        raise PacketError(f"a {header.type.name} packet has no slice, grid, rate or reference")
