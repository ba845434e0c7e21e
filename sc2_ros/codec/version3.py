# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What precedes the rANS bytes of a predicted slice of version 3.

::

    0 hash of the reference 30 bits, origin follows 1 bit, motion follows 1 bit: u32
    origin u8, if it is not (0, 0)      motion, 6 bytes, if there is any

The hash covers the checkpoint id, which the short header does not tell. The origin is in pixels, x
in the lower half of its byte; all else is as in version 2.
"""

from __future__ import annotations

import struct
import zlib

from sc2_ros.codec import packet as wire
from sc2_ros.codec.prediction import MOTION_BYTES, Motion, Prediction
from sc2_ros.codec.version2 import PredictedHead, build_predicted_head
from sc2_ros.errors import PacketError

_WORD = struct.Struct("<I")
_BOTH = struct.Struct("<II")
_HASH = (1 << 30) - 1
_ORIGIN, _MOTION = 1 << 30, 1 << 31
_CORNER = (0, 0)


def reference_hash(digest: int, checkpoint_id: int) -> int:
    """30 bits of a reference's digest and its checkpoint's id."""
    return zlib.crc32(_BOTH.pack(digest, checkpoint_id)) & _HASH


def head_bytes(moved: bool, motion: Motion) -> int:
    """Size of a head; moved: the origin is not (0, 0)."""
    return _WORD.size + moved + MOTION_BYTES * (motion != Motion())


def head_of(
    version: int, origin: tuple[int, int], prediction: Prediction, checkpoint_id: int
) -> bytes:
    """The head of a predicted slice, whatever the version."""
    digest, motion = prediction.reference.digest, prediction.motion
    if version < wire.LEARNED_VERSION:
        return build_predicted_head(PredictedHead(origin, motion, digest))
    return build_head(PredictedHead(origin, motion, reference_hash(digest, checkpoint_id)))


def build_head(head: PredictedHead) -> bytes:
    """The head; its digest is a `reference_hash`."""
    word, rest = head.digest, b""
    if head.origin != _CORNER:
        word |= _ORIGIN
        rest += wire.build_origin(head.origin, wire.LEARNED_VERSION)
    if head.motion != Motion():
        word |= _MOTION
        rest += head.motion.to_bytes()
    return _WORD.pack(word) + rest


def parse_head(payload: bytes) -> tuple[PredictedHead, bytes]:
    """The head, and what follows it.

    Raises:
        PacketError: too short, or a reserved bit is set.
    """
    word = _WORD.unpack_from(payload)[0] if len(payload) >= _WORD.size else 0
    at = _WORD.size
    origin_at, motion_at = at, at + bool(word & _ORIGIN)
    end = motion_at + MOTION_BYTES * bool(word & _MOTION)
    if len(payload) < end:
        raise PacketError(f"predicted slice with a payload of {len(payload)} bytes")
    origin = _CORNER
    if word & _ORIGIN:
        origin = wire.parse_origin(payload[origin_at], wire.LEARNED_VERSION)
    motion = Motion.from_bytes(payload[motion_at:end]) if word & _MOTION else Motion()
    return PredictedHead(origin, motion, word & _HASH), payload[end:]
