# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The packet form of predicted slices: every field, every damage, and the numbers in it."""

import dataclasses
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.wire import Motion, PacketId, PacketType, PredictedPacket
from sc2_ros.codec.wire.predicted import (
    PredictedHead,
    build_predicted,
    from_zigzag,
    head_bytes,
    header_bytes,
    read_varint,
    reference_hash,
    varint,
    zigzag,
)
from sc2_ros.errors import PacketError

I64 = st.integers(-(2**63), 2**63 - 1)
ORIGINS = st.tuples(st.integers(0, 15), st.integers(0, 15))
MOTIONS = st.builds(
    Motion,
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.integers(-128, 127),
    st.integers(-128, 127),
)
HEADS = st.builds(
    PredictedHead,
    st.integers(1, 32),
    st.integers(0, 2**16 - 1),
    st.integers(0, 3),
    st.one_of(st.just((0, 0)), ORIGINS),
    st.one_of(st.just(Motion()), MOTIONS),
)


@st.composite
def packets(draw):
    rows, cols = draw(st.integers(1, 16)), draw(st.integers(1, 16))
    header = PacketId(
        type=PacketType.FEATURES,
        stream=draw(st.integers(0, 255)),
        frame=draw(st.integers(0, 2**16 - 1)),
        slice=draw(st.integers(0, rows * cols - 1)),
        rows=rows,
        cols=cols,
        rate_code=draw(st.integers(0, 64)),
    )
    return PredictedPacket(header, draw(HEADS), draw(I64), draw(st.binary(max_size=1100)))


def packet(payload=b"", offset_ns=0, **fields):
    """One of a frame of one slice, one frame after its reference; fields of id and head."""
    head = PredictedHead(1, 0xABCD)
    header = PacketId(type=PacketType.FEATURES, stream=0, frame=0)
    own = {name: fields[name] for name in fields if hasattr(header, name)}
    others = {name: fields[name] for name in fields if name not in own}
    return PredictedPacket(
        dataclasses.replace(header, **own), dataclasses.replace(head, **others), offset_ns, payload
    )


def with_check(data):
    """The same bytes with the checksum set right."""
    check = zlib.crc32(data[:6] + bytes(2) + data[8:]) & 0xFFFF
    return data[:6] + check.to_bytes(2, "little") + data[8:]


@given(packets())
def test_round_trip(given_packet):
    data = build_predicted(given_packet)

    assert wire.parse(data) == given_packet
    assert len(data) <= 1200


def test_every_field_is_where_the_specification_puts_it():
    given_packet = packet(
        b"xyz",
        -300,
        stream=0x11,
        frame=0x2233,
        slice=5,
        rows=2,
        cols=4,
        rate_code=0x3F,
        distance=32,
        share=2,
        origin=(9, 8),
        motion=Motion(1, -2, 3, -4),
    )

    data = build_predicted(given_packet)

    assert data[:6].hex(" ") == "14 11 33 22 bf bf"
    assert int.from_bytes(data[6:8], "little") == (
        zlib.crc32(data[:6] + bytes(2) + data[8:]) & 0xFFFF
    )
    assert data[8:].hex(" ") == "d7 04 05 13 cd ab 89 01 00 fe ff 03 fc 78 79 7a"


@given(packets())
def test_the_decoder_made_from_the_document_reads_it(helpers, given_packet):
    read = helpers.reference_decoder().parse_predicted(build_predicted(given_packet))

    header, head = given_packet.header, given_packet.head
    named = (header.stream, header.frame, header.slice, header.rows, header.cols, header.rate_code)
    assert (
        *(read["stream"], read["frame"], read["slice"]),
        *(read["rows"], read["cols"], read["rate_code"]),
    ) == named
    assert (read["distance"], read["share"], read["hash"]) == (
        (head.distance, head.share, head.reference_hash)
    )
    motion = head.motion
    assert read["origin"] == head.origin
    assert read["motion"] == (motion.dx, motion.dy, motion.zoom, motion.turn)
    assert read["offset"] == given_packet.offset_ns
    assert read["rans"] == given_packet.payload


def test_a_frame_in_which_nothing_moves_takes_13_bytes_before_its_symbols():
    assert len(build_predicted(packet(offset_ns=500_000))) == 13
    assert header_bytes(1) + head_bytes(moved=False) == 13
    moved = packet(offset_ns=500_000, rows=2, origin=(1, 0))
    assert len(build_predicted(moved)) == header_bytes(2) + head_bytes(moved=True) == 22


@given(packets(), st.data())
def test_damage_is_noticed(given_packet, data):
    sent = bytearray(build_predicted(given_packet))
    bit = data.draw(st.integers(8, 8 * len(sent) - 1))
    sent[bit // 8] ^= 1 << bit % 8

    with pytest.raises(PacketError, match="checksum"):
        wire.parse(bytes(sent))


@given(st.binary(max_size=80))
def test_random_fields_under_a_right_check_are_parsed_or_refused(data):
    data = with_check(b"\x14" + data + bytes(max(7 - len(data), 0)))

    try:
        found = wire.parse(data)
    except PacketError:
        return
    assert isinstance(found, PredictedPacket)
    again = build_predicted(found)
    # An origin and a motion of zero may be written, though nobody does.
    if found.head.origin != (0, 0) or found.head.motion != Motion() or not data[5] >> 5 & 1:
        assert again == data


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (4, 65, "rate code 65"),
        (4, 0x80 | 65, "1x1|ends before|rate code"),
        (5, 0x20, "ends after 2 bytes"),
        (8, 0x80, "cut off"),
    ],
)
def test_hostile_fields_are_named(place, value, message):
    data = bytearray(build_predicted(packet()))
    data[place] = value

    with pytest.raises(PacketError, match=message):
        wire.parse(with_check(bytes(data)))


def test_a_grid_of_one_slice_is_not_written():
    data = build_predicted(packet(rows=2))
    assert data[10] == 0x10

    with pytest.raises(PacketError, match="1x1"):
        wire.parse(with_check(data[:10] + b"\0" + data[11:]))


@pytest.mark.parametrize("length", range(1, 11))
def test_a_packet_that_ends_in_its_header_is_refused(length):
    data = build_predicted(packet())[:length]

    with pytest.raises(PacketError):
        wire.parse(with_check(data) if length >= 8 else data)


@pytest.mark.parametrize(
    "change",
    [
        {"stream": 256},
        {"frame": -1},
        {"slice": 1},
        {"rows": 17},
        {"rate_code": 65},
        {"distance": 0},
        {"distance": 33},
        {"share": 4},
        {"reference_hash": 1 << 16},
        {"origin": (16, 0)},
        {"motion": Motion(1 << 15)},
        {"motion": Motion(turn=128)},
        {"offset_ns": 1 << 63},
        {"payload": bytes(1190)},
    ],
)
def test_build_refuses_what_the_fields_cannot_hold(change):
    with pytest.raises(PacketError):
        build_predicted(packet(**change))


def test_no_packet_is_longer_than_1200_bytes():
    assert len(build_predicted(packet(bytes(1189)))) == 1200
    with pytest.raises(PacketError, match="1201 bytes"):
        wire.parse(with_check(build_predicted(packet(bytes(1189))) + b"x"))


def test_the_hash_covers_the_checkpoint():
    assert reference_hash(5, 6) == reference_hash(5, 6)
    hashes = {reference_hash(digest, number) for digest in range(10) for number in range(10)}
    assert len(hashes) == 100


@given(st.integers(0, 2**64 - 1), st.binary(max_size=3), st.binary(max_size=3))
def test_a_number_comes_back_in_as_few_bytes_as_it_needs(value, before, after):
    written = varint(value)

    assert len(written) == max(-(-value.bit_length() // 7), 1)
    assert read_varint(before + written + after, len(before), 64) == (
        (value, len(before) + len(written))
    )


@given(I64)
def test_numbers_near_zero_are_small_with_either_sign(value):
    assert from_zigzag(zigzag(value)) == value
    assert zigzag(value) in (2 * abs(value), 2 * abs(value) - 1)


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (b"", 64),
        (b"\x80", 64),
        (b"\x80\x00", 64),
        (b"\xff" * 9 + b"\x02", 64),
        (b"\xff" * 10 + b"\x01", 64),
        (b"\xff\xff\xff\xff\x01", 28),
    ],
)
def test_what_nobody_writes_is_refused(data, bits):
    with pytest.raises(PacketError, match="number"):
        read_varint(data, 0, bits)


@given(st.binary(max_size=12), st.sampled_from([28, 64]))
def test_any_bytes_are_a_number_written_so_or_refused(data, bits):
    try:
        value, end = read_varint(data, 0, bits)
    except PacketError:
        return
    assert value < 1 << bits
    assert varint(value) == data[:end]
