# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The compact header and the head of predicted slices of version 4."""

import dataclasses
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.version2 import PredictedHead, build_intra_head, parse_intra_head
from sc2_ros.codec.version4 import build_head, head_bytes, parse_head, reference_hash
from sc2_ros.errors import PacketError

I64 = st.integers(-(2**63), 2**63 - 1)


@st.composite
def headers(draw):
    rows, cols = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    return wire.Header(
        wire.PacketType.FEATURES,
        draw(st.integers(0, 255)),
        0,
        draw(st.integers(0, 65535)),
        slice=draw(st.integers(0, rows * cols - 1)),
        rows=rows,
        cols=cols,
        rate_code=draw(st.integers(0, 64)),
        reference=draw(st.integers(1, 32)),
        capture_time_ns=draw(st.one_of(I64, st.integers(-(2**21), 2**21))),
        version=4,
        head_bits=draw(st.integers(0, 7)),
        time_is_relative=True,
    )


def header(**fields):
    values = {
        "stream": 0x11,
        "checkpoint_id": 0,
        "frame": 0x6677,
        "rate_code": 24,
        "reference": 2,
        "capture_time_ns": -300,
        "version": 4,
        "time_is_relative": True,
    }
    return wire.Header(wire.PacketType.FEATURES, **{**values, **fields})


def signed(data):
    """With the check that it should have."""
    crc = zlib.crc32(data[:6] + bytes(2) + data[8:]) & 0xFFFF
    return data[:6] + crc.to_bytes(2, "little") + data[8:]


def time_bytes(header):
    """Bytes of the capture time: 7 bits each, one of them the sign."""
    time_ns = header.capture_time_ns
    return (time_ns if time_ns >= 0 else ~time_ns).bit_length() // 7 + 1


@given(headers(), st.binary(max_size=1160))
def test_round_trip(header, payload):
    data = wire.build(header, payload)

    sliced = 2 * (header.rows * header.cols > 1)
    assert len(data) == 8 + time_bytes(header) + sliced + len(payload)
    assert wire.parse(data) == wire.Packet(header, payload)


def test_every_field_is_where_the_specification_puts_it():
    alone = wire.build(header(head_bits=5), b"wxyz")
    sliced = wire.build(header(slice=5, rows=3, cols=4, reference=32, head_bits=7), b"wxyz")

    assert alone[:6].hex(" ") == "44 11 77 66 18 a1"
    assert alone == signed(alone)
    assert alone[8:] == b"\xd7\x04wxyz"  # 300 -> 599
    assert sliced[:6].hex(" ") == "44 11 77 66 98 ff"
    assert sliced[8:] == b"\xd7\x04\x05\x23wxyz"


@given(headers(), st.binary(max_size=20))
def test_the_decoder_made_from_the_document_reads_it(helpers, header, payload):
    fields, rest = helpers.reference._compact_header(wire.build(header, payload))

    assert rest == payload
    assert (fields["stream"], fields["frame"]) == (header.stream, header.frame)
    assert (fields["slice"], fields["rate_code"]) == (header.slice, header.rate_code)
    assert divmod(fields["grid"], 16) == (header.rows - 1, header.cols - 1)
    assert (fields["reference"], fields["head_bits"]) == (header.reference, header.head_bits)
    assert fields["difference"] == header.capture_time_ns


def test_the_header_of_a_steady_camera_takes_11_bytes():
    for time_ns in (2**20 - 1, -(2**20)):
        assert len(wire.build(header(capture_time_ns=time_ns), b"")) == 11
    assert len(wire.build(header(capture_time_ns=0), b"")) == 9
    assert len(wire.build(header(capture_time_ns=-(2**63), rows=2), b"")) == 20


@given(headers(), st.binary(min_size=2, max_size=40), st.data())
def test_damage_is_noticed(header, payload, data):
    whole = wire.build(header, payload)
    place, bit = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(0, 7))
    flipped = bytearray(whole)
    flipped[place] ^= 1 << bit
    with pytest.raises(PacketError):
        wire.parse(bytes(flipped))


def test_every_single_bit_of_the_longest_packet_is_checked():
    """The half of a CRC need not notice one wrong bit; this half does."""
    whole = wire.build(header(), bytes(1176))
    for place in range(1, len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[place] ^= 1 << bit
            with pytest.raises(PacketError, match="checksum"):
                wire.parse(bytes(flipped))


@given(st.binary(max_size=60))
def test_random_fields_under_a_right_check_are_parsed_or_refused(data):
    data = signed(b"\x44" + data) if len(data) >= 7 else b"\x44" + data
    try:
        packet = wire.parse(data)
    except PacketError:
        return
    assert packet.header.is_compact
    assert packet.header.time_is_relative
    assert 1 <= packet.header.reference <= 32
    assert packet.header.slice < packet.header.rows * packet.header.cols
    assert wire.build(packet.header, packet.payload) == data


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (4, 0x80 | 65, "rate code 65"),
        (10, 12, "slice 12 of a grid"),
        (11, 0, "grid of 1x1"),
    ],
)
def test_hostile_fields_are_named(place, value, message):
    data = bytearray(wire.build(header(slice=5, rows=3, cols=4), b"wxyz"))
    data[place] = value

    with pytest.raises(PacketError, match=message):
        wire.parse(signed(bytes(data)))


@pytest.mark.parametrize("length", range(1, 13))
def test_a_packet_that_ends_in_its_header_is_refused(length):
    data = wire.build(header(slice=5, rows=3, cols=4), b"")
    assert len(data) == 12
    cut = data[:length]
    with pytest.raises(PacketError):
        wire.parse((signed(cut) if length >= 8 else cut) if length < 12 else cut + bytes(1190))


@pytest.mark.parametrize(
    "change",
    [
        {"time_is_relative": False},
        {"capture_time_ns": 2**63},
        {"capture_time_ns": -(2**63) - 1},
        {"capture_time_ns": 10**30},
        {"reference": 33},
        {"reference": -1},
        {"head_bits": 8},
        {"head_bits": -1},
        {"rate_code": 65},
        {"rate_code": -1},
        {"rows": 17},
        {"slice": 1},
        {"slice": -1, "rows": 2},
        {"stream": 256},
        {"frame": 65536},
        # What only a compact header has.
        {"version": 3},
        {"version": 3, "time_is_relative": False, "head_bits": 1},
        {"reference": 0},
        {"reference": 0, "time_is_relative": False, "head_bits": 1},
    ],
)
def test_build_refuses_what_the_fields_cannot_hold(change):
    with pytest.raises(PacketError):
        wire.build(header(**change), b"")


def test_no_packet_is_longer_than_1200_bytes():
    assert len(wire.build(header(capture_time_ns=2**62, rows=2), bytes(1176))) <= 1200
    with pytest.raises(PacketError, match="1177"):
        wire.build(header(), bytes(1177))


def test_a_slice_that_needs_no_other_frame_has_a_long_header():
    alone = header(reference=0, time_is_relative=False, checkpoint_id=7)
    geometry = wire.Geometry((64, 48), (64, 48), (13, 6))

    data = wire.build(alone, build_intra_head(geometry, 4))

    assert (data[0], len(data), data[32]) == (0x40, 33, 0x6D)
    packet = wire.parse(data)
    assert packet.header == alone
    assert packet.header.tells_checkpoint
    assert parse_intra_head(packet.payload, 4) == (geometry, b"")


def test_a_long_header_is_refused_where_the_compact_one_belongs():
    fields = {"version": 2, "time_is_relative": False}
    data = bytearray(wire.build(dataclasses.replace(header(), **fields), b"wxyz"))
    data[0] = 0x40
    crc = zlib.crc32(bytes(data[:20]) + bytes(4) + bytes(data[24:]))
    data[20:24] = crc.to_bytes(4, "little")

    with pytest.raises(PacketError, match="version 4 with a long header"):
        wire.parse(bytes(data))


def test_the_checkpoint_is_told_by_the_hash():
    header().check_checkpoint(1234)

    assert not header().tells_checkpoint
    assert {reference_hash(7, checkpoint) >> 16 for checkpoint in range(100)} == {0}
    assert len({reference_hash(7, checkpoint) for checkpoint in range(1000)}) > 950


@given(
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    motion=st.one_of(
        st.just(Motion()),
        st.builds(Motion, st.integers(-99, 99), st.integers(-9, 9), zoom=st.integers(-128, 127)),
    ),
    digest=st.integers(0, 2**16 - 1),
    share=st.integers(0, 3),
    rest=st.binary(max_size=9),
)
def test_a_head_has_what_differs(origin, motion, digest, share, rest):
    head = PredictedHead(origin, motion, digest)

    bits, data = build_head(head, share)

    assert len(data) == head_bytes(origin != (0, 0), motion)
    assert len(data) == (2 if (origin, motion) == ((0, 0), Motion()) else 9)
    assert bits >> 1 == share
    own = header(head_bits=bits)
    packet = wire.parse(wire.build(own, data + rest))
    assert parse_head(packet) == (head, share, rest)
    for cut in range(len(data)):
        with pytest.raises(PacketError, match="payload of"):
            parse_head(wire.Packet(own, data[:cut]))
