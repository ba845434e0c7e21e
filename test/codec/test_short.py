# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The short header and the head of predicted slices of version 3."""

import dataclasses
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.rans import trimmed, untrimmed
from sc2_ros.codec.references import ReferenceWindow
from sc2_ros.codec.version2 import PredictedHead
from sc2_ros.codec.version3 import build_head, head_bytes, parse_head, reference_hash
from sc2_ros.errors import MissingReferenceError, PacketError


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
        reference=draw(st.integers(1, 255)),
        capture_time_ns=draw(st.integers(-(2**63), 2**63 - 1)),
        version=3,
    )


def header(**fields):
    values = {"rate_code": 24, "reference": 2, "capture_time_ns": 0x0102030405060708, "version": 3}
    return wire.Header(wire.PacketType.FEATURES, 0x11, 0, 0x6677, **{**values, **fields})


def signed(data):
    """With the checksum that it should have."""
    crc = zlib.crc32(data[:14] + bytes(4) + data[18:])
    return data[:14] + crc.to_bytes(4, "little") + data[18:]


@given(headers(), st.binary(min_size=2, max_size=wire.MAX_PAYLOAD_BYTES))
def test_round_trip(header, payload):
    data = wire.build(header, payload)

    assert len(data) == (18 if header.rows * header.cols == 1 else 20) + len(payload)
    assert wire.parse(data) == wire.Packet(header, payload)


def test_every_field_is_where_the_specification_puts_it():
    alone = wire.build(header(), b"wxyz")
    sliced = wire.build(header(slice=5, rows=3, cols=4), b"wxyz")

    assert alone[:14].hex(" ") == "34 11 77 66 18 02 08 07 06 05 04 03 02 01"
    assert alone == signed(alone)
    assert alone[18:] == b"wxyz"
    assert sliced[:14].hex(" ") == "34 11 77 66 98 02 08 07 06 05 04 03 02 01"
    assert sliced[18:] == b"\x05\x23wxyz"


@given(headers(), st.binary(min_size=2, max_size=40), st.data())
def test_damage_is_noticed(header, payload, data):
    whole = wire.build(header, payload)
    place, bit = data.draw(st.integers(1, len(whole) - 1)), data.draw(st.integers(0, 7))
    flipped = bytearray(whole)
    flipped[place] ^= 1 << bit
    for damaged in (bytes(flipped), whole[:place]):
        with pytest.raises(PacketError):
            wire.parse(damaged)


@given(st.binary(min_size=17, max_size=60))
def test_random_fields_under_a_right_checksum_are_parsed_or_refused(data):
    try:
        packet = wire.parse(signed(b"\x34" + data))
    except PacketError:
        return
    assert packet.header.is_short
    assert 0 < packet.header.reference <= 255
    assert packet.header.slice < packet.header.rows * packet.header.cols


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (4, 65, "rate code 65"),
        (5, 0, "without a reference"),
        (18, 12, "slice 12 of a grid"),
        (19, 0, "grid of 1x1"),
    ],
)
def test_hostile_fields_are_named(place, value, message):
    data = bytearray(wire.build(header(slice=5, rows=3, cols=4), b"wxyz"))
    data[place] = value

    with pytest.raises(PacketError, match=message):
        wire.parse(signed(bytes(data)))


def test_a_long_header_is_refused_where_the_short_one_belongs():
    data = bytearray(wire.build(dataclasses.replace(header(), version=2), b"wxyz"))
    data[0] = 0x30
    crc = zlib.crc32(bytes(data[:20]) + bytes(4) + bytes(data[24:]))
    data[20:24] = crc.to_bytes(4, "little")

    with pytest.raises(PacketError, match="long header"):
        wire.parse(bytes(data))


@given(
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    motion=st.one_of(
        st.just(Motion()),
        st.builds(Motion, st.integers(-99, 99), st.integers(-9, 9), zoom=st.integers(-128, 127)),
    ),
    digest=st.integers(0, 2**30 - 1),
    rest=st.binary(max_size=9),
)
def test_a_head_has_what_differs(origin, motion, digest, rest):
    head = PredictedHead(origin, motion, digest)

    data = build_head(head)

    assert len(data) == head_bytes(origin != (0, 0), motion)
    assert parse_head(data + rest) == (head, rest)
    for cut in range(len(data)):
        with pytest.raises(PacketError):
            parse_head(data[:cut])


def test_a_slice_of_another_checkpoint_is_another_reference(helpers, learned_codec):
    """The short header does not tell the checkpoint; the hash does."""
    latent = helpers.latent(9, 9)
    first = helpers.encode_frame(learned_codec, latent, 30, 10)
    second = helpers.encode_frame(learned_codec, latent, 30, 11, reference=first.reference)
    other = LatentCodec(learned_codec.tables, helpers.checkpoint + 1)
    kept = ReferenceWindow()
    kept.put(first.reference)

    with pytest.raises(MissingReferenceError, match="another one"):
        other.decode(wire.parse(second.packets[0]), kept)
    assert np.array_equal(
        helpers.decode_frame(learned_codec, second.packets, kept), second.reference.symbols
    )
    told = {reference_hash(7, checkpoint) for checkpoint in range(1000)}
    assert len(told) == 1000


def test_a_camera_that_stands_costs_22_bytes_of_headers(helpers, learned_codec):
    latent = np.zeros_like(helpers.latent(9, 9))
    first = helpers.encode_frame(learned_codec, latent, 0, 10)
    still = helpers.encode_frame(learned_codec, latent, 0, 11, reference=first.reference)
    moved = helpers.encode_frame(
        learned_codec, latent, 0, 11, reference=first.reference, motion=Motion(1)
    )
    strings = [frame.reference.symbols.any() for frame in (first, still, moved)]

    assert not any(strings)
    assert len(moved.packets[0]) - len(still.packets[0]) == 6
    assert wire.parse(still.packets[0]).payload[:4] == still.packets[0][18:22]


def test_the_origin_of_version_3_is_in_pixels():
    assert wire.build_origin((13, 6), 3) == b"\x6d"
    assert wire.parse_origin(0x6D, 3) == (13, 6)
    assert wire.build_origin((12, 4), 2) == b"\x07"
    for origin, version in (((13, 4), 2), ((16, 0), 3), ((0, -1), 3)):
        with pytest.raises(PacketError, match="expected multiples"):
            wire.build_origin(origin, version)


@given(st.binary(min_size=8, max_size=8), st.integers(0, 5), st.integers(0, 8))
def test_zero_bytes_of_the_state_are_left_out(state, words, zeros):
    whole = state[: 8 - zeros] + bytes(zeros) + bytes(range(4 * words))

    short = trimmed(whole)

    assert untrimmed(short) == whole
    assert len(whole) - len(short) == min(3, 8 - len(whole[:8].rstrip(b"\0")))
    assert untrimmed(trimmed(b"")) == b""


@pytest.mark.parametrize("length", [1, 2, 3])
def test_a_string_too_short_for_a_state_is_refused(length):
    with pytest.raises(PacketError, match="expected at least"):
        untrimmed(bytes(length))
