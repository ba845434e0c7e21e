# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A byte string of any length as packets of 1,200 bytes, for codecs that do not slice.

::

    strings, sizes --> geometry | varint lengths | strings --> rows x cols nearly equal pieces
                                                               each behind the 24-byte header

Unlike the slices of our own codec these pieces are not decodable one by one: the frame is lost
with any of them, as it is for the papers whose bit streams they carry.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sc2_ros.codec.wire import Geometry, Header, PacketType, build, parse
from sc2_ros.codec.wire.header import MAX_GRID, MAX_PAYLOAD_BYTES
from sc2_ros.codec.wire.packet import GEOMETRY_BYTES, Packet, build_geometry, parse_geometry
from sc2_ros.codec.wire.predicted import read_varint, varint
from sc2_ros.errors import PacketError

MAX_BYTES = MAX_GRID * MAX_GRID * MAX_PAYLOAD_BYTES
_LENGTH_BITS = 28


def pack_strings(strings: Sequence[bytes]) -> bytes:
    """Strings behind their lengths (LEB128); the last one needs none, it ends with the frame."""
    return b"".join(varint(len(text)) for text in strings[:-1]) + b"".join(strings)


def unpack_strings(payload: bytes, count: int) -> list[bytes]:
    """The inverse of `pack_strings`.

    Raises:
        PacketError: the lengths do not fit the payload.
    """
    sizes, at = [], 0
    for _ in range(count - 1):
        size, at = read_varint(payload, at, _LENGTH_BITS)
        sizes.append(size)
    strings = []
    for size in sizes:
        strings.append(payload[at : at + size])
        at += size
    if at > len(payload):
        raise PacketError(f"strings of {sizes} bytes in a payload of {len(payload)}")
    return [*strings, payload[at:]]


def split(
    payload: bytes,
    geometry: Geometry,
    *,
    checkpoint_id: int = 0,
    stream: int = 0,
    frame: int = 0,
    rate_code: int = 0,
    capture_time_ns: int = 0,
) -> list[bytes]:
    """Payload with the frame's sizes before it -> packets of at most 1,200 bytes each.

    Raises:
        PacketError: more than 256 packets would be needed.
    """
    data = build_geometry(geometry) + payload
    count = max(-(-len(data) // MAX_PAYLOAD_BYTES), 1)
    rows = -(-count // MAX_GRID)
    if rows > MAX_GRID:
        raise PacketError(f"frame of {len(data)} bytes; at most {MAX_BYTES} fit into packets")
    cols = -(-count // rows)
    count = rows * cols
    edges = [number * len(data) // count for number in range(count + 1)]
    return [
        build(
            Header(
                type=PacketType.FEATURES,
                stream=stream,
                checkpoint_id=checkpoint_id,
                frame=frame % 65536,
                slice=number,
                rows=rows,
                cols=cols,
                rate_code=rate_code,
                capture_time_ns=capture_time_ns,
            ),
            data[edges[number] : edges[number + 1]],
        )
        for number in range(count)
    ]


def join(packets: Iterable[bytes], checkpoint_id: int = 0) -> tuple[bytes, Geometry]:
    """Packets of one frame, in any order -> payload and sizes.

    Raises:
        PacketError: a packet is damaged, of another checkpoint or frame, or one is missing.
    """
    pieces: dict[int, bytes] = {}
    whole: tuple[int, int, int] | None = None
    for data in packets:
        packet = parse(data)
        if not isinstance(packet, Packet):
            raise PacketError("a predicted slice among packets that carry a byte string")
        header = packet.header
        if header.checkpoint_id != checkpoint_id:
            raise PacketError(
                f"packet of checkpoint {header.checkpoint_id:08x}, expected {checkpoint_id:08x}"
            )
        key = (header.frame, header.rows, header.cols)
        if whole is not None and key != whole:
            raise PacketError(f"packets of frames {whole[0]} and {key[0]} are mixed")
        whole = key
        pieces[header.slice] = packet.payload
    if whole is None:
        raise PacketError("no packet of the frame arrived")
    count = whole[1] * whole[2]
    if len(pieces) < count:
        raise PacketError(f"{count - len(pieces)} of {count} packets of the frame are missing")
    payload = b"".join(pieces[number] for number in range(count))
    return payload[GEOMETRY_BYTES:], parse_geometry(payload)
