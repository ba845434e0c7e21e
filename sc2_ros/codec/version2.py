# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What precedes the rANS bytes in a features packet of version 2.

::

    reference = 0:   0 geometry, 8 bytes     8 origin u8
    reference > 0:   0 origin u8             1 motion, 6 bytes       7 hash of the reference u32
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from sc2_ros.codec import packet as wire
from sc2_ros.codec.prediction import MOTION_BYTES, Motion
from sc2_ros.errors import PacketError

INTRA_HEAD_BYTES = wire.GEOMETRY_BYTES + 1
_DIGEST = struct.Struct("<I")
PREDICTED_HEAD_BYTES = 1 + MOTION_BYTES + _DIGEST.size


@dataclass(frozen=True)
class PredictedHead:
    """Origin (x, y) of the frame's grid, its motion against the reference, the reference's hash."""

    origin: tuple[int, int]
    motion: Motion
    digest: int


def build_predicted_head(head: PredictedHead) -> bytes:
    """The first 11 bytes of a predicted slice's payload."""
    return wire.build_origin(head.origin) + head.motion.to_bytes() + _DIGEST.pack(head.digest)


def parse_predicted_head(payload: bytes) -> PredictedHead:
    """Read what `build_predicted_head` made.

    Raises:
        PacketError: too short, or a reserved bit is set.
    """
    if len(payload) < PREDICTED_HEAD_BYTES:
        raise PacketError(f"predicted slice with a payload of {len(payload)} bytes")
    return PredictedHead(
        wire.parse_origin(payload[0]),
        Motion.from_bytes(payload[1 : 1 + MOTION_BYTES]),
        _DIGEST.unpack_from(payload, 1 + MOTION_BYTES)[0],
    )


def build_intra_head(geometry: wire.Geometry, version: int) -> bytes:
    """Sizes of the frame and, in version 2, its origin."""
    sizes = wire.build_geometry(geometry)
    return sizes if version == 1 else sizes + wire.build_origin(geometry.origin, version)


def parse_intra_head(payload: bytes, version: int) -> tuple[wire.Geometry, bytes]:
    """Geometry, and what follows it.

    Raises:
        PacketError: too short, a size out of range, or a reserved bit is set.
    """
    geometry = wire.parse_geometry(payload)
    if version == 1:
        return geometry, payload[wire.GEOMETRY_BYTES :]
    if len(payload) < INTRA_HEAD_BYTES:
        raise PacketError(f"features payload of {len(payload)} bytes has no origin")
    origin = wire.parse_origin(payload[wire.GEOMETRY_BYTES], version)
    moved = wire.Geometry(geometry.encoded_size, geometry.source_size, origin)
    return moved, payload[INTRA_HEAD_BYTES:]
