# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.wire import Geometry, Header, PacketType
from sc2_ros.codec.wire.header import MAX_PAYLOAD_BYTES
from sc2_ros.codec.wire.packet import build_geometry, parse_geometry
from sc2_ros.errors import MismatchError, PacketError

BYTE = st.integers(0, 255)


@st.composite
def headers(draw):
    common = {
        "stream": draw(BYTE),
        "checkpoint_id": draw(st.integers(0, 2**32 - 1)),
        "frame": draw(st.integers(0, 2**16 - 1)),
        "capture_time_ns": draw(st.integers(-(2**63), 2**63 - 1)),
    }
    kind = draw(st.sampled_from(PacketType))
    if kind not in (PacketType.FEATURES, PacketType.REPAIR):
        return Header(type=kind, **common)
    rows, cols = draw(st.integers(1, 16)), draw(st.integers(1, 15))
    most = rows * cols - 1 if kind is PacketType.FEATURES else 255 - rows * cols
    return Header(
        type=kind,
        slice=draw(st.integers(0, most)),
        rows=rows,
        cols=cols,
        rate_code=draw(st.integers(0, 64)),
        origin=draw(st.tuples(st.integers(0, 15), st.integers(0, 15))),
        **common,
    )


def with_crc(data):
    """The same bytes with the checksum set right."""
    crc = zlib.crc32(data[:20] + bytes(4) + data[24:])
    return data[:20] + crc.to_bytes(4, "little") + data[24:]


@given(headers(), st.binary(max_size=MAX_PAYLOAD_BYTES))
def test_packet_round_trip(header, payload):
    data = wire.build(header, payload)

    assert len(data) == wire.HEADER_BYTES + len(payload)
    assert wire.parse(data) == wire.Packet(header, payload)


def test_every_field_is_where_the_specification_puts_it():
    header = Header(
        type=PacketType.FEATURES,
        stream=0x11,
        checkpoint_id=0x22334455,
        frame=0x6677,
        slice=0x08,
        rows=3,
        cols=16,
        rate_code=0x40,
        origin=(0xB, 0xA),
        capture_time_ns=0x0102030405060708,
    )

    data = wire.build(header, b"xyz")

    assert data[:20].hex(" ") == "10 11 55 44 33 22 77 66 08 2f 40 ab 08 07 06 05 04 03 02 01"
    assert int.from_bytes(data[20:24], "little") == zlib.crc32(data[:20] + bytes(4) + b"xyz")
    assert data[24:] == b"xyz"


@given(headers(), st.binary(max_size=60), st.data())
def test_a_flipped_bit_is_noticed(header, payload, data):
    packet = bytearray(wire.build(header, payload))
    bit = data.draw(st.integers(0, 8 * len(packet) - 1))
    packet[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PacketError):
        wire.parse(bytes(packet))


@given(headers(), st.binary(max_size=60), st.data())
def test_a_cut_packet_is_noticed(header, payload, data):
    packet = wire.build(header, payload)
    length = data.draw(st.integers(0, len(packet) - 1))

    with pytest.raises(PacketError):
        wire.parse(packet[:length])


@given(st.binary(max_size=1300))
def test_random_bytes_are_refused(data):
    with pytest.raises(PacketError):
        wire.parse(data)


@given(st.binary(min_size=24, max_size=80))
def test_random_fields_under_a_right_checksum_are_parsed_or_refused(data):
    data = with_crc(data)

    try:
        packet = wire.parse(data)
    except PacketError:
        return
    if isinstance(packet, wire.Packet):
        assert wire.build(packet.header, packet.payload) == data


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (0, 0x20, "version 2"),
        (0, 0x40, "version 4"),
        (0, 0x1F, "type 15"),
        (8, 12, "slice 12 of a grid of 3x4"),
        (10, 65, "rate code 65"),
        (0, 0x11, "STREAM_INFO packet has no slice"),
        (0, 0x15, "type 5 is reserved"),
    ],
)
def test_hostile_fields_are_named(place, value, message):
    header = Header(
        type=PacketType.FEATURES,
        stream=0,
        checkpoint_id=1,
        frame=2,
        slice=11,
        rows=3,
        cols=4,
        rate_code=64,
    )
    data = bytearray(wire.build(header, b""))
    data[place] = value

    with pytest.raises(PacketError, match=message):
        wire.parse(with_crc(bytes(data)))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (8, 244, "repair packet 244 of a grid of 3x4"),
        (10, 65, "rate code 65"),
    ],
)
def test_hostile_fields_of_a_repair_packet_are_named(place, value, message):
    header = Header(
        type=PacketType.REPAIR,
        stream=0,
        checkpoint_id=1,
        frame=2,
        slice=243,
        rows=3,
        cols=4,
        rate_code=64,
    )
    data = bytearray(wire.build(header, b""))
    data[place] = value

    with pytest.raises(PacketError, match=message):
        wire.parse(with_crc(bytes(data)))


@pytest.mark.parametrize(
    "change",
    [
        {"stream": 256},
        {"frame": 65536},
        {"checkpoint_id": -1},
        {"slice": 1},
        {"rows": 17},
        {"cols": 0},
        {"rate_code": 65},
        {"capture_time_ns": 2**63},
        {"origin": (16, 0)},
        {"origin": (0, -1)},
    ],
)
def test_build_refuses_what_the_fields_cannot_hold(change):
    header = dataclasses.replace(Header(type=PacketType.FEATURES, stream=0, frame=0), **change)

    with pytest.raises(PacketError):
        wire.build(header, b"")


def test_no_packet_is_longer_than_1200_bytes():
    header = Header(type=PacketType.FEEDBACK, stream=0, frame=0)

    assert len(wire.build(header, bytes(1176))) == 1200
    with pytest.raises(PacketError, match="1177"):
        wire.build(header, bytes(1177))


def test_a_stream_info_packet_has_no_origin():
    header = Header(type=PacketType.STREAM_INFO, stream=0, frame=0, origin=(1, 0))

    with pytest.raises(PacketError, match="no slice, grid, rate or origin"):
        wire.build(header, b"")


def test_a_packet_of_another_checkpoint_is_a_mismatch():
    header = Header(type=PacketType.FEATURES, stream=0, frame=0, checkpoint_id=0xC0FFEE01)

    header.check_checkpoint(0xC0FFEE01)
    with pytest.raises(MismatchError, match="c0ffee01.*0000002a"):
        header.check_checkpoint(42)


def test_geometry_round_trip():
    geometry = Geometry((640, 512), (1920, 1080), (3, 14))

    assert parse_geometry(build_geometry(geometry) + b"rest", (3, 14)) == geometry
    assert geometry.latent_shape == (33, 41)
    assert Geometry((640, 512), (1, 1)).latent_shape == (32, 40)
    assert Geometry((33, 16), (1, 1)).latent_shape == (1, 3)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes(7),
        bytes(8),
        b"\x01\x10\x10\x00\x10\x00\x10\x00",
        b"\x10\x00\x10\x00\x00\x00\x01\x00",
        b"\x10\x00\x10\x00\x01\x20\x01\x00",
        b"\x10\x00\x10\x00\x01\x00\xff\xff",
    ],
)
def test_impossible_sizes_are_refused(payload):
    with pytest.raises(PacketError):
        parse_geometry(payload)


@given(st.text(max_size=300))
def test_stream_info_carries_the_frame_id(frame_id):
    data = wire.build_stream_info(
        stream=1, checkpoint_id=2, frame=3, capture_time_ns=4, frame_id=frame_id
    )

    read = wire.parse_stream_info(wire.parse(data))

    if len(frame_id.encode()) <= 255:
        assert read == frame_id
    else:
        assert frame_id.startswith(read)
        assert len(read.encode()) > 255 - 4


@pytest.mark.parametrize("payload", [b"\xff", bytes(256)])
def test_stream_info_refuses_what_is_no_name(payload):
    packet = wire.parse(wire.build(Header(type=PacketType.STREAM_INFO, stream=0, frame=0), payload))

    with pytest.raises(PacketError):
        wire.parse_stream_info(packet)


def test_features_are_no_stream_info():
    with pytest.raises(PacketError, match="FEATURES"):
        wire.parse_stream_info(
            wire.Packet(Header(type=PacketType.FEATURES, stream=0, frame=0), b"")
        )
