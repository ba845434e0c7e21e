# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What precedes the rANS bytes of a predicted slice of version 4.

::

    bits 5-7 of byte 5 of the header:   5 origin and motion follow      6-7 share class
    0 hash of the reference u16         origin u8, motion, 6 bytes      both only if they follow

The hash covers the checkpoint id, which the compact header does not tell. The share class, 0 .. 3,
tells how many of the slice's positions are coded. Origin and motion are as in version 3.
"""

from __future__ import annotations

import struct
import zlib

from sc2_ros.codec import packet as wire
from sc2_ros.codec.prediction import MOTION_BYTES, Motion
from sc2_ros.codec.version2 import PredictedHead
from sc2_ros.errors import PacketError

_HASH = struct.Struct("<H")
_BOTH = struct.Struct("<II")
_PLACED_BYTES = 1 + MOTION_BYTES
_PLACED, _SHARE_AT = 1, 1
_CORNER = (0, 0)


def reference_hash(digest: int, checkpoint_id: int) -> int:
    """16 bits of a reference's digest and its checkpoint's id."""
    return zlib.crc32(_BOTH.pack(digest, checkpoint_id)) & 0xFFFF


def head_bytes(moved: bool, motion: Motion) -> int:
    """Size of a head in the payload; moved: the origin is not (0, 0)."""
    return _HASH.size + _PLACED_BYTES * (moved or motion != Motion())


def build_head(head: PredictedHead, share: int) -> tuple[int, bytes]:
    """The head bits of the header, and the head; its digest is a `reference_hash`.

    share: class 0 .. 3 of the coded positions.
    """
    bits, data = share << _SHARE_AT, _HASH.pack(head.digest)
    if head.origin != _CORNER or head.motion != Motion():
        origin = wire.build_origin(head.origin, wire.SKIP_VERSION)
        bits, data = bits | _PLACED, data + origin + head.motion.to_bytes()
    return bits, data


def parse_head(packet: wire.Packet) -> tuple[PredictedHead, int, bytes]:
    """Head, share class and what follows the head, of a packet with a compact header.

    Raises:
        PacketError: too short.
    """
    bits, payload = packet.header.head_bits, packet.payload
    end = _HASH.size + _PLACED_BYTES * (bits & _PLACED)
    if len(payload) < end:
        raise PacketError(f"predicted slice with a payload of {len(payload)} bytes")
    origin, motion = _CORNER, Motion()
    if bits & _PLACED:
        origin = wire.parse_origin(payload[_HASH.size], wire.SKIP_VERSION)
        motion = Motion.from_bytes(payload[_HASH.size + 1 : end])
    (digest,) = _HASH.unpack_from(payload)
    return PredictedHead(origin, motion, digest), bits >> _SHARE_AT, payload[end:]
