# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The complete packet form: a 24-byte header with a CRC, then a payload; all little endian.

::

    0 version << 4 | type     1 stream      2 checkpoint id u32     6 frame u16     8 slice
    9 (rows-1) << 4 | cols-1                10 rate code            11 origin y << 4 | x
    12 capture time i64 ns                  20 CRC-32 of the packet with these 4 bytes zero

Predicted slices travel in a shorter form (predicted.py).
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from sc2_ros.codec.wire.header import (
    HEADER_BYTES,
    MAX_PACKET_BYTES,
    MAX_PAYLOAD_BYTES,
    STRIDE,
    VERSION,
    Header,
    PacketType,
    check,
    grid_byte,
    grid_of,
    origin_byte,
    origin_of,
)
from sc2_ros.codec.wire.predicted import PREDICTED, PredictedHead, PredictedPacket, parse_predicted
from sc2_ros.errors import PacketError

MAX_ENCODED_SIDE = 4096
MAX_SOURCE_SIDE = 8192
"""The ground makes a mask of the source's size, so no packet may ask for an arbitrary one."""
MAX_REDUCTION = 64
SMALL_SOURCE = 1 << 22
"""The camera's image has at most so many times the pixels of the picture that is encoded, or four
million: masks are made at its size, whatever the packet's own is."""
MAX_FRAME_ID_BYTES = 255
GEOMETRY_BYTES = 8

_HEADER = struct.Struct("<BBIHBBBBqI")
_GEOMETRY = struct.Struct("<HHHH")
_CRC_AT = 20
_NO_CRC = bytes(4)


@dataclass(frozen=True)
class Packet:
    """A packet whose header is complete.

    Attributes:
        header: with its capture time.
        payload: what follows the header; of a predicted slice, its rANS bytes.
        head: how a predicted slice refers to its reference; None of every other packet.
    """

    header: Header
    payload: bytes
    head: PredictedHead | None = None


@dataclass(frozen=True)
class Geometry:
    """How a frame's latent grid lies on its picture.

    Attributes:
        encoded_size: (width, height) in pixels of the network's input before padding.
        source_size: (width, height) in pixels of the camera's image.
        origin: (x, y) of the picture's corner in the grid, pixels 0 .. 15. The grid is moved
            against the picture to lie as it did on the reference's.
    """

    encoded_size: tuple[int, int]
    source_size: tuple[int, int]
    origin: tuple[int, int] = (0, 0)

    @property
    def latent_shape(self) -> tuple[int, int]:
        """Height and width of the latent grid."""
        width, height = self.encoded_size
        x, y = self.origin
        return -(-(y + height) // STRIDE), -(-(x + width) // STRIDE)


def build(header: Header, payload: bytes) -> bytes:
    """The bytes of a packet in the complete form.

    Raises:
        PacketError: a field is out of its range, or the packet would exceed MAX_PACKET_BYTES.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise PacketError(
            f"payload of {len(payload)} bytes; a packet carries at most {MAX_PAYLOAD_BYTES}"
        )
    check(header)
    fields = (
        VERSION << 4 | header.type,
        header.stream,
        header.checkpoint_id,
        header.frame,
        header.slice,
        grid_byte(header),
        header.rate_code,
        origin_byte(header.origin),
        header.capture_time_ns,
    )
    try:
        blank = _HEADER.pack(*fields, 0)
    except struct.error as error:
        raise PacketError(f"header field out of range in {header}: {error}") from error
    return _HEADER.pack(*fields, zlib.crc32(payload, zlib.crc32(blank))) + payload


def coded_bytes(packet: Packet | PredictedPacket) -> int:
    """Entropy-coded bytes of a features packet, without all headers; 0 for any other."""
    if packet.header.type is not PacketType.FEATURES:
        return 0
    is_keyframe = isinstance(packet, Packet) and packet.head is None
    return len(packet.payload) - GEOMETRY_BYTES * is_keyframe


def parse(data: bytes) -> Packet | PredictedPacket:
    """Check and take apart what came from the wire.

    Raises:
        PacketError: whatever is wrong with it; no other exception leaves, whatever the bytes.
    """
    data = bytes(data)
    if len(data) > MAX_PACKET_BYTES:
        raise PacketError(f"packet of {len(data)} bytes; at most {MAX_PACKET_BYTES}")
    if data[:1] == PREDICTED:
        return parse_predicted(data)
    if len(data) < HEADER_BYTES:
        raise PacketError(f"packet of {len(data)} bytes; at least {HEADER_BYTES}")
    first, stream, checkpoint_id, frame, number, grid, code, origin, time_ns, crc = (
        _HEADER.unpack_from(data)
    )
    if first >> 4 != VERSION:
        raise PacketError(f"packet version {first >> 4}; this program reads version {VERSION}")
    payload = data[HEADER_BYTES:]
    computed = zlib.crc32(payload, zlib.crc32(_NO_CRC, zlib.crc32(data[:_CRC_AT])))
    if computed != crc:
        # No packet of ours has such a type: it may be the air link's, with a key.
        sealed = (
            ", or sealed: set air.key_file on both sides" if first & 15 > PREDICTED[0] & 15 else ""
        )
        raise PacketError(
            f"checksum {crc:08x} in the packet, {computed:08x} computed: damaged{sealed}"
        )
    try:
        kind = PacketType(first & 15)
    except ValueError:
        raise PacketError(f"packet type {first & 15} is reserved") from None
    rows, cols = grid_of(grid)
    header = Header(
        type=kind,
        stream=stream,
        checkpoint_id=checkpoint_id,
        frame=frame,
        slice=number,
        rows=rows,
        cols=cols,
        rate_code=code,
        origin=origin_of(origin),
        capture_time_ns=time_ns,
    )
    check(header)
    return Packet(header, payload)


def most_source_pixels(encoded_size: tuple[int, int]) -> int:
    """Pixels of the camera's image at most, by the size at which it is encoded."""
    return max(MAX_REDUCTION * encoded_size[0] * encoded_size[1], SMALL_SOURCE)


def build_geometry(geometry: Geometry) -> bytes:
    """The sizes, the first 8 bytes of a keyframe slice's payload; the origin is in the header."""
    try:
        return _GEOMETRY.pack(*geometry.encoded_size, *geometry.source_size)
    except struct.error as error:
        raise PacketError(f"frame size out of range in {geometry}: {error}") from error


def parse_geometry(payload: bytes, origin: tuple[int, int] = (0, 0)) -> Geometry:
    """Read and check the first 8 bytes of a keyframe slice's payload; origin: of its header.

    Raises:
        PacketError: too short, a side is zero, the encoded size is over 4096 x 4096, or the source
            is over 8192 x 8192.
    """
    if len(payload) < GEOMETRY_BYTES:
        raise PacketError(f"features payload of {len(payload)} bytes has no frame size")
    width, height, source_width, source_height = _GEOMETRY.unpack_from(payload)
    if not (0 < width <= MAX_ENCODED_SIDE and 0 < height <= MAX_ENCODED_SIDE):
        raise PacketError(
            f"encoded size {width}x{height}; each side must be 1 to {MAX_ENCODED_SIDE}"
        )
    if not (0 < source_width <= MAX_SOURCE_SIDE and 0 < source_height <= MAX_SOURCE_SIDE):
        raise PacketError(
            f"source size {source_width}x{source_height}; each side must be 1 to {MAX_SOURCE_SIDE}"
        )
    return Geometry((width, height), (source_width, source_height), origin)


def build_stream_info(
    *, stream: int, checkpoint_id: int, frame: int, capture_time_ns: int, frame_id: str
) -> bytes:
    """A packet with the ROS frame_id of a stream (cut at 255 bytes of UTF-8)."""
    name = frame_id.encode("utf-8", "replace")[:MAX_FRAME_ID_BYTES]
    name = name.decode("utf-8", "ignore").encode("utf-8")
    header = Header(
        type=PacketType.STREAM_INFO,
        stream=stream,
        checkpoint_id=checkpoint_id,
        frame=frame,
        capture_time_ns=capture_time_ns,
    )
    return build(header, name)


def parse_stream_info(packet: Packet) -> str:
    """The frame_id in a stream info packet.

    Raises:
        PacketError: another type of packet, too long, or not UTF-8.
    """
    if packet.header.type is not PacketType.STREAM_INFO:
        raise PacketError(f"expected a stream info packet, got {packet.header.type.name}")
    if len(packet.payload) > MAX_FRAME_ID_BYTES:
        raise PacketError(f"frame_id of {len(packet.payload)} bytes; at most {MAX_FRAME_ID_BYTES}")
    try:
        return packet.payload.decode("utf-8")
    except UnicodeDecodeError as error:
        raise PacketError(f"frame_id is not UTF-8: {error}") from error
