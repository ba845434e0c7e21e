# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every packet says of itself, and the limits of the format."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from sc2_ros.errors import MismatchError, PacketError

VERSION = 1
RATE_CODES = 65
"""Rate codes are 0 (fewest bytes) .. 64."""
MAX_GRID = 16
"""Slices of a frame along one side, at most."""
MAX_DISTANCE = 32
"""A reference is at most so many frames before the frame that is predicted from it."""
HEADER_BYTES = 24
MAX_PACKET_BYTES = 1200
MAX_PAYLOAD_BYTES = MAX_PACKET_BYTES - HEADER_BYTES
STRIDE = 16
"""Pixels per latent position, along both axes."""


class PacketType(enum.IntEnum):
    """What the payload is."""

    FEATURES = 0
    STREAM_INFO = 1
    FEEDBACK = 2
    REPAIR = 3


@dataclass(frozen=True, kw_only=True)
class PacketId:
    """Which packet of which frame: what both packet forms say.

    Attributes:
        type: what the payload is.
        stream: number of the camera stream, u8.
        frame: number of the frame, u16; counts up by one per frame sent and wraps.
        slice: number of the slice in the grid, row-major; of a repair packet, its number among the
            repair packets of its frame.
        rows: of the frame's grid of slices, 1 .. 16.
        cols: the same.
        rate_code: 0 .. 64.
    """

    type: PacketType
    stream: int
    frame: int
    slice: int = 0
    rows: int = 1
    cols: int = 1
    rate_code: int = 0

    @property
    def slices(self) -> int:
        """Slices of the frame."""
        return self.rows * self.cols

    @property
    def number(self) -> int:
        """The packet's number in its frame: repair packets count on from the slices."""
        return self.slice + (self.slices if self.type is PacketType.REPAIR else 0)


@dataclass(frozen=True, kw_only=True)
class Header(PacketId):
    """What the 24-byte header says; also of a predicted slice, once its reference is known.

    Attributes:
        checkpoint_id: u32 of the checkpoint whose tables made the packet.
        capture_time_ns: stamp of the source image, i64 nanoseconds.
        origin: (x, y) of the picture's corner in the latent grid, pixels 0 .. 15.
    """

    checkpoint_id: int = 0
    capture_time_ns: int = 0
    origin: tuple[int, int] = (0, 0)

    def check_checkpoint(self, checkpoint_id: int) -> None:
        """Raise MismatchError if it is of another checkpoint."""
        if self.checkpoint_id != checkpoint_id:
            raise MismatchError(
                f"packet of checkpoint {self.checkpoint_id:08x}, but {checkpoint_id:08x} is "
                "loaded; start both ends with the same checkpoint"
            )


def check(header: PacketId) -> None:
    """Raise PacketError for numbers that the bytes can hold but the format does not allow."""
    grid = f"{header.rows}x{header.cols}"
    if not (1 <= header.rows <= MAX_GRID and 1 <= header.cols <= MAX_GRID):
        raise PacketError(f"grid of {grid} slices; at most {MAX_GRID}x{MAX_GRID}")
    if header.type is PacketType.FEATURES and header.slice >= header.slices:
        raise PacketError(f"slice {header.slice} of a grid of {grid}")
    if header.type is PacketType.REPAIR and header.number >= MAX_GRID * MAX_GRID:
        raise PacketError(f"repair packet {header.slice} of a grid of {grid} slices")
    if header.type in (PacketType.FEATURES, PacketType.REPAIR):
        if header.rate_code >= RATE_CODES:
            raise PacketError(f"rate code {header.rate_code}; at most {RATE_CODES - 1}")
        return
    origin = header.origin if isinstance(header, Header) else (0, 0)
    if (header.slice, header.slices, header.rate_code, origin) != (0, 1, 0, (0, 0)):
        raise PacketError(f"a {header.type.name} packet has no slice, grid, rate or origin")


def origin_byte(origin: tuple[int, int]) -> int:
    """An origin (x, y) as it travels: x in the low nibble, y in the high one.

    Raises:
        PacketError: x or y is not 0 .. 15.
    """
    x, y = origin
    if not (0 <= x < STRIDE and 0 <= y < STRIDE):
        raise PacketError(f"origin {origin}; x and y must be 0 to {STRIDE - 1}")
    return y << 4 | x


def origin_of(byte: int) -> tuple[int, int]:
    """The inverse of `origin_byte`."""
    return byte & 15, byte >> 4


def grid_byte(header: PacketId) -> int:
    """The grid as it travels: rows - 1 in the high nibble, columns - 1 in the low one."""
    return (header.rows - 1) << 4 | (header.cols - 1)


def grid_of(byte: int) -> tuple[int, int]:
    """Rows and columns; the inverse of `grid_byte`."""
    return (byte >> 4) + 1, (byte & 15) + 1
