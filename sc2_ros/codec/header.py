# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every packet tells of itself, in whichever form it travels."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sc2_ros.errors import MismatchError, PacketError

VERSIONS = (1, 2, 3, 4)
"""Version 2 adds predicted slices and the origin; what needs neither is sent as version 1. Version
3 is laid out as 2, its symbols coded with the checkpoint's learned context model. In version 4 a
skip network tells which positions of a predicted slice are coded at all."""
LEARNED_VERSION = 3
SKIP_VERSION = 4
MAX_GRID = 16
MAX_RATE_CODE = 64
MAX_DISTANCE = 32
"""The reference of a slice of version 4 is at most so many frames before it."""
MAX_HEAD_BITS = 7


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
    a frame have the same `version`. `checkpoint_id` is 0 where the short and the compact form do
    not tell it.

    A compact header travels with what its capture time differs from the one that its reference lets
    expect, in ns: `capture_time_ns` holds that while `time_is_relative` (capture_time.py). Its
    `head_bits`, 0 .. 7, are the first of the payload's head (version4.py).
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
    head_bits: int = 0
    time_is_relative: bool = False

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

    @property
    def is_compact(self) -> bool:
        """Whether it travels in the compact form (compact.py): a predicted slice of version 4."""
        features = self.type is PacketType.FEATURES
        return features and self.version == SKIP_VERSION and self.reference > 0

    @property
    def tells_checkpoint(self) -> bool:
        """Whether `checkpoint_id` is known: other forms than the long one have it in their hash."""
        return not (self.is_short or self.is_compact)

    def check_checkpoint(self, checkpoint_id: int) -> None:
        """Raise MismatchError if it is of another checkpoint; some tell that by their hash."""
        if self.tells_checkpoint and self.checkpoint_id != checkpoint_id:
            raise MismatchError(
                f"packet of checkpoint {self.checkpoint_id:08x}, but {checkpoint_id:08x} is "
                "loaded; start both ends with the same checkpoint"
            )


def check(header: Header) -> None:
    """Refuse numbers that the bytes of the wire can hold but the format does not allow."""
    if header.version not in VERSIONS:
        raise PacketError(f"packet version {header.version}; known are 1 to 4")
    if not (1 <= header.rows <= MAX_GRID and 1 <= header.cols <= MAX_GRID):
        raise PacketError(f"grid of {header.rows}x{header.cols} slices; at most 16x16")
    _check_compact(header)
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


def _check_compact(header: Header) -> None:
    """Refuse what only a compact header has, in another one, and a reference that none has."""
    if header.is_compact:
        if header.reference > MAX_DISTANCE:
            raise PacketError(
                f"a slice of version 4 with a reference {header.reference} frames before it; at "
                f"most {MAX_DISTANCE}"
            )
        if not 0 <= header.head_bits <= MAX_HEAD_BITS:
            raise PacketError(f"head bits {header.head_bits}; at most {MAX_HEAD_BITS}")
    elif header.head_bits or header.time_is_relative:
        raise PacketError("head bits or a relative capture time in a header that is not compact")
