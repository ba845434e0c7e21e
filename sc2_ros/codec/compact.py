# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compact header of predicted slices of version 4, 9 to 20 bytes; all little endian.

::

    0 0x44              1 stream      2 frame u16      4 sliced << 7 | rate code
    5 head bits << 5 | distance - 1                    6 check u16
    8 capture time, relative: zigzag varint, 1 to 10 bytes
      slice             (rows-1) << 4 | cols-1         both only if sliced

Most frames of a camera that stands are one such packet of some 15 bytes, so that the capture time
is told as its difference from what the reference lets expect (capture_time.py). The check is the
lower half of the CRC-32 of the packet with these two bytes zero: it finds every single wrong bit,
and all but one in 65,536 of what else UDP's own checksum has let pass.
"""

from __future__ import annotations

import struct
import zlib

from sc2_ros.codec.header import SKIP_VERSION, Header, PacketType
from sc2_ros.codec.varint import from_zigzag, read_varint, varint, zigzag
from sc2_ros.errors import PacketError

COMPACT = b"\x44"
"""First byte: version 4, and a type that no long header has."""
COMPACT_BYTES = 8
"""Without the capture time."""
USUAL_TIME_BYTES = 3
"""Of the capture time of a camera that keeps its interval to a millisecond."""
SLICED_BYTES = 2
_COMPACT = struct.Struct("<cBHBBH")
_CHECK_AT = 6
_NO_CHECK = bytes(2)
_CHECK = 0xFFFF
_SLICED = 0x80
_TIME_BITS = 64
_DISTANCE = 0x1F
_HEAD_AT = 5


def build_compact(header: Header, payload: bytes) -> bytes:
    """The bytes that go on the wire.

    Raises:
        PacketError: the capture time is not relative, or a field is out of its range.
    """
    if not header.time_is_relative:
        raise PacketError("a compact header wants its capture time relative to the reference's")
    sliced = header.rows * header.cols > 1
    fields = (
        COMPACT,
        header.stream,
        header.frame,
        header.rate_code | _SLICED * sliced,
        header.head_bits << _HEAD_AT | header.reference - 1,
    )
    time_ns = zigzag(header.capture_time_ns)
    try:
        blank = _COMPACT.pack(*fields, 0)
        place = bytes((header.slice, (header.rows - 1) << 4 | header.cols - 1)) if sliced else b""
    except (struct.error, ValueError) as error:
        raise PacketError(f"header field out of range in {header}: {error}") from error
    if time_ns >> _TIME_BITS:
        raise PacketError(f"capture time of {header.capture_time_ns} ns has more than 64 bits")
    rest = varint(time_ns) + place + payload
    return _COMPACT.pack(*fields, zlib.crc32(rest, zlib.crc32(blank)) & _CHECK) + rest


def parse_compact(data: bytes) -> tuple[Header, bytes]:
    """Header, its capture time relative, and payload of what begins with COMPACT.

    The numbers of the header are not checked.

    Raises:
        PacketError: too short, damaged, or with a capture time or grid that nobody builds.
    """
    if len(data) < COMPACT_BYTES:
        raise PacketError(f"packet of {len(data)} bytes: no predicted slice is so short")
    _, stream, frame, code, distance, check = _COMPACT.unpack_from(data)
    blank = zlib.crc32(_NO_CHECK, zlib.crc32(data[:_CHECK_AT]))
    computed = zlib.crc32(data[COMPACT_BYTES:], blank) & _CHECK
    if computed != check:
        raise PacketError(f"checksum {check:04x} in the packet, {computed:04x} computed: damaged")
    time_ns, at = read_varint(data, COMPACT_BYTES, _TIME_BITS)
    number, grid = 0, 0
    if code & _SLICED:
        if len(data) < at + SLICED_BYTES:
            raise PacketError(f"packet of {len(data)} bytes ends before its slice and grid")
        number, grid = data[at], data[at + 1]
        at += SLICED_BYTES
        if not grid:
            raise PacketError("a compact header that tells a grid of 1x1 slices")
    header = Header(
        type=PacketType.FEATURES,
        stream=stream,
        checkpoint_id=0,
        frame=frame,
        slice=number,
        rows=(grid >> 4) + 1,
        cols=(grid & 15) + 1,
        rate_code=code & ~_SLICED,
        reference=(distance & _DISTANCE) + 1,
        capture_time_ns=from_zigzag(time_ns),
        version=SKIP_VERSION,
        head_bits=distance >> _HEAD_AT,
        time_is_relative=True,
    )
    return header, data[at:]
