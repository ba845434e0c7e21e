# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The short packet form of predicted slices: 11 to 29 bytes before the rANS bytes; little endian.

::

    0 0x14              1 stream      2 frame u16      4 sliced << 7 | rate code
    5 share class << 6 | moved << 5 | distance - 1     6 check u16
    8 capture time offset: zigzag varint, 1 to 10 bytes
      slice             (rows-1) << 4 | cols-1         both only if sliced
      hash of the reference u16
      origin            motion, 6 bytes                both only if moved

If nothing moves, a frame is one such packet of some 15 bytes, so the capture time is only the
difference from what the reference makes expect (capture_time.py). The check is the lower half of
the CRC-32 of the packet with these two bytes zero: it finds every single wrong bit, and all but one
in 65,536 of what else UDP's own checksum has let pass. The hash covers the checkpoint id.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from sc2_ros.codec.wire.header import (
    MAX_DISTANCE,
    MAX_PACKET_BYTES,
    VERSION,
    PacketId,
    PacketType,
    check,
    grid_byte,
    grid_of,
    origin_byte,
    origin_of,
)
from sc2_ros.errors import PacketError

PREDICTED = bytes([VERSION << 4 | 4])
"""First byte: the version, and a type that no complete header has."""
FIXED_BYTES = 8
"""Of the header, before the capture time offset."""
USUAL_OFFSET_BYTES = 3
"""Of the capture time offset of a camera that keeps its interval to a millisecond."""
SLICED_BYTES = 2
SHARES = 4
"""Classes of the share of a slice's positions that are coded; class 0: none."""

_FIXED = struct.Struct("<cBHBBH")
_MOTION = struct.Struct("<hhbb")
_HASH = struct.Struct("<H")
_BOTH = struct.Struct("<II")
_CHECK_AT = 6
_CHECK = 0xFFFF
_SLICED = 0x80
_DISTANCE_BITS = 5
_OFFSET_BITS = 64


@dataclass(frozen=True)
class Motion:
    """Where a position (x, y) of a frame's grid lies on the reference's, pixels from its middle.

    ::

        x' = x + dx + (zoom x - turn y) / 1024
        y' = y + dy + (turn x + zoom y) / 1024

    dx, dy are i16, between the corners of the two grids; zoom, turn i8: up to an eighth.
    """

    dx: int = 0
    dy: int = 0
    zoom: int = 0
    turn: int = 0


TURN_UNIT = 1 / 1024
"""What 1 in `Motion.zoom` and `Motion.turn` stands for."""
NO_MOTION = Motion()
_MOVED_BYTES = 1 + _MOTION.size


@dataclass(frozen=True)
class PredictedHead:
    """How a predicted slice refers to its reference.

    Attributes:
        distance: frames from the reference to this one, 1 .. 32.
        reference_hash: u16, see `reference_hash`.
        share: class 0 .. 3 of the share of its positions that are coded.
        origin: (x, y) of the frame's grid, as in Header.
        motion: of the frame against the reference.
    """

    distance: int
    reference_hash: int
    share: int = 0
    origin: tuple[int, int] = (0, 0)
    motion: Motion = NO_MOTION

    @property
    def bits(self) -> int:
        """The upper three bits of byte 5: share class, and whether origin and motion follow."""
        return self.share << 1 | is_moved(self.origin, self.motion)

    def to_bytes(self) -> bytes:
        """What precedes the rANS bytes.

        Raises:
            PacketError: a field is out of its range.
        """
        if not (1 <= self.distance <= MAX_DISTANCE and 0 <= self.share < SHARES):
            raise PacketError(
                f"distance {self.distance}, share class {self.share}; expected 1 to "
                f"{MAX_DISTANCE} and 0 to {SHARES - 1}"
            )
        motion = (self.motion.dx, self.motion.dy, self.motion.zoom, self.motion.turn)
        try:
            data = _HASH.pack(self.reference_hash)
            if self.bits & 1:
                data += bytes([origin_byte(self.origin)]) + _MOTION.pack(*motion)
        except struct.error as error:
            raise PacketError(f"field out of range in {self}: {error}") from error
        return data

    @classmethod
    def parse(cls, distance: int, bits: int, data: bytes) -> tuple[PredictedHead, bytes]:
        """The head, and the rANS bytes that follow it; bits: as the property.

        Raises:
            PacketError: too short, or the distance is out of range.
        """
        if not 1 <= distance <= MAX_DISTANCE:
            raise PacketError(f"reference {distance} frames before; expected 1 to {MAX_DISTANCE}")
        end = _HASH.size + _MOVED_BYTES * (bits & 1)
        if len(data) < end:
            raise PacketError(f"predicted slice that ends after {len(data)} bytes of its head")
        (digest,) = _HASH.unpack_from(data)
        origin, motion = (0, 0), NO_MOTION
        if bits & 1:
            origin = origin_of(data[_HASH.size])
            motion = Motion(*_MOTION.unpack_from(data, _HASH.size + 1))
        return cls(distance, digest, bits >> 1, origin, motion), data[end:]


@dataclass(frozen=True)
class PredictedPacket:
    """A predicted slice as it travels: only with its reference is its capture time known.

    Attributes:
        header: which slice of which frame.
        head: how it refers to its reference.
        offset_ns: its capture time less the one that the reference makes expect, i64.
        payload: its rANS bytes.
    """

    header: PacketId
    head: PredictedHead
    offset_ns: int
    payload: bytes


def reference_hash(digest: int, checkpoint_id: int) -> int:
    """16 bits of a reference's digest (reference.py) and its checkpoint's id."""
    return zlib.crc32(_BOTH.pack(digest, checkpoint_id)) & 0xFFFF


def is_moved(origin: tuple[int, int], motion: Motion) -> bool:
    """Whether a head has to hold origin and motion."""
    return origin != (0, 0) or motion != NO_MOTION


def header_bytes(slices: int) -> int:
    """Size of the header of one of so many slices, of a camera that keeps its interval."""
    return FIXED_BYTES + USUAL_OFFSET_BYTES + SLICED_BYTES * (slices > 1)


def head_bytes(*, moved: bool) -> int:
    """Size of a head; moved: of `is_moved`."""
    return _HASH.size + _MOVED_BYTES * moved


def build_predicted(packet: PredictedPacket) -> bytes:
    """The bytes that go on the wire.

    Raises:
        PacketError: a field is out of its range, or the packet would exceed MAX_PACKET_BYTES.
    """
    header, head = packet.header, packet.head
    check(header)
    sliced = header.slices > 1
    rest = varint(zigzag(packet.offset_ns))
    if sliced:
        rest += bytes([header.slice, grid_byte(header)])
    rest += head.to_bytes() + packet.payload
    if FIXED_BYTES + len(rest) > MAX_PACKET_BYTES:
        raise PacketError(
            f"packet of {FIXED_BYTES + len(rest)} bytes; at most {MAX_PACKET_BYTES} are sent"
        )
    fields = (
        PREDICTED,
        header.stream,
        header.frame,
        header.rate_code | _SLICED * sliced,
        head.bits << _DISTANCE_BITS | head.distance - 1,
    )
    try:
        blank = _FIXED.pack(*fields, 0)
    except struct.error as error:
        raise PacketError(f"header field out of range in {header}: {error}") from error
    return _FIXED.pack(*fields, zlib.crc32(rest, zlib.crc32(blank)) & _CHECK) + rest


def parse_predicted(data: bytes) -> PredictedPacket:
    """Check and take apart what begins with PREDICTED.

    Raises:
        PacketError: too short, damaged, or with numbers that nobody builds.
    """
    if len(data) < FIXED_BYTES:
        raise PacketError(f"packet of {len(data)} bytes: no predicted slice is so short")
    _, stream, frame, code, place, wanted = _FIXED.unpack_from(data)
    blank = zlib.crc32(bytes(2), zlib.crc32(data[:_CHECK_AT]))
    computed = zlib.crc32(data[FIXED_BYTES:], blank) & _CHECK
    if computed != wanted:
        raise PacketError(f"checksum {wanted:04x} in the packet, {computed:04x} computed: damaged")
    folded, at = read_varint(data, FIXED_BYTES, _OFFSET_BITS)
    number, rows, cols = 0, 1, 1
    if code & _SLICED:
        if len(data) < at + SLICED_BYTES:
            raise PacketError(f"packet of {len(data)} bytes ends before its slice and grid")
        number, (rows, cols) = data[at], grid_of(data[at + 1])
        at += SLICED_BYTES
        if rows * cols == 1:
            raise PacketError("a grid of 1x1 slices, which is not sent")
    header = PacketId(
        type=PacketType.FEATURES,
        stream=stream,
        frame=frame,
        slice=number,
        rows=rows,
        cols=cols,
        rate_code=code & ~_SLICED,
    )
    check(header)
    distance = (place & MAX_DISTANCE - 1) + 1
    head, payload = PredictedHead.parse(distance, place >> _DISTANCE_BITS, data[at:])
    return PredictedPacket(header, head, from_zigzag(folded), payload)


def varint(value: int) -> bytes:
    """A number that is not negative, 7 bits a byte, lowest first; the top bit: another follows."""
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return bytes(result)


def read_varint(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """The number that begins at byte `at`, and where it ends.

    Raises:
        PacketError: it is cut off, has more than `bits` bits or more bytes than it needs.
    """
    value = 0
    for shift in range(0, bits, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> bits or (shift and not byte):
                break
            return value, at
    raise PacketError(f"a number that is cut off, over {bits} bits or longer than it needs be")


def zigzag(value: int) -> int:
    """An i64 as a u64 that is small where the i64 is near 0: 0, -1, 1, -2 become 0, 1, 2, 3.

    Raises:
        PacketError: it is no i64.
    """
    if not -(1 << 63) <= value < 1 << 63:
        raise PacketError(f"capture time offset of {value} ns has more than 64 bits")
    return value << 1 ^ value >> 63


def from_zigzag(value: int) -> int:
    """The inverse of `zigzag`."""
    return value >> 1 ^ -(value & 1)
