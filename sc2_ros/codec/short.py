# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The short header of predicted slices of version 3, 18 or 20 bytes; all little endian.

::

    0 0x34        1 stream                2 frame u16           4 sliced << 7 | rate code
    5 reference   6 capture time i64 ns   14 CRC-32 of the packet with these 4 bytes zero
    18 slice      19 (rows-1) << 4 | cols-1                     both only if sliced

Most frames of a camera that stands are one such packet of some 40 bytes. Who has the reference has
its sizes, and its hash, which the payload begins with, covers the checkpoint id.
"""

from __future__ import annotations

import struct
import zlib

from sc2_ros.codec.header import LEARNED_VERSION, Header, PacketType
from sc2_ros.errors import PacketError

SHORT = b"\x34"
"""First byte: version 3, and a type that no long header has."""
SHORT_BYTES = 18
SLICED_BYTES = 2
_SHORT = struct.Struct("<cBHBBqI")
_CRC_AT = 14
_NO_CRC = bytes(4)
_SLICED = 0x80


def build_short(header: Header, payload: bytes) -> bytes:
    """The bytes that go on the wire.

    Raises:
        PacketError: a field is out of its range.
    """
    sliced = header.rows * header.cols > 1
    rest = payload
    if sliced:
        rest = bytes((header.slice, (header.rows - 1) << 4 | (header.cols - 1))) + payload
    fields = (
        SHORT,
        header.stream,
        header.frame,
        header.rate_code | _SLICED * sliced,
        header.reference,
        header.capture_time_ns,
    )
    try:
        blank = _SHORT.pack(*fields, 0)
    except struct.error as error:
        raise PacketError(f"header field out of range in {header}: {error}") from error
    return _SHORT.pack(*fields, zlib.crc32(rest, zlib.crc32(blank))) + rest


def parse_short(data: bytes) -> tuple[Header, bytes]:
    """Header, and payload, of what begins with SHORT; its numbers are not checked.

    Raises:
        PacketError: too short, damaged, or without a reference.
    """
    if len(data) < SHORT_BYTES + SLICED_BYTES:
        raise PacketError(f"packet of {len(data)} bytes: no predicted slice is so short")
    _, stream, frame, code, reference, stamp, crc = _SHORT.unpack_from(data)
    rest = data[SHORT_BYTES:]
    computed = zlib.crc32(rest, zlib.crc32(_NO_CRC, zlib.crc32(data[:_CRC_AT])))
    if computed != crc:
        raise PacketError(f"checksum {crc:08x} in the packet, {computed:08x} computed: damaged")
    if not reference:
        raise PacketError("a short header without a reference")
    number, grid = 0, 0
    if code & _SLICED:
        number, grid, rest = rest[0], rest[1], rest[SLICED_BYTES:]
        if not grid:
            raise PacketError("a short header that tells a grid of 1x1 slices")
    header = Header(
        type=PacketType.FEATURES,
        stream=stream,
        checkpoint_id=0,
        frame=frame,
        slice=number,
        rows=(grid >> 4) + 1,
        cols=(grid & 15) + 1,
        rate_code=code & ~_SLICED,
        reference=reference,
        capture_time_ns=stamp,
        version=LEARNED_VERSION,
    )
    return header, rest
