# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import dataclasses
import itertools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import FrameTooBigError, LatentCodec, Protection
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS
from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import MismatchError, PacketError, ParameterError

SIZES = [(32, 32), (33, 47), (16, 400), (640, 512), (641, 479), (1280, 720), (1920, 1080)]


def shape_of(size):
    return -(-size[1] // 16), -(-size[0] // 16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", [0, 29, 64])
def test_a_frame_comes_back_but_for_what_is_skipped(helpers, codec, size, code):
    latent = helpers.latent(*shape_of(size))
    sent = codec.quantise(latent, code)

    packets = helpers.encode(codec, latent, code, size)
    symbols = helpers.decode_frame(codec, packets)

    assert max(map(len, packets)) <= 1200
    changed = symbols != sent
    assert not symbols[changed].any()
    assert changed.mean() < 0.001


def test_headers_tell_all_about_the_frame(helpers, codec):
    latent = helpers.latent(32, 40)

    packets = helpers.encode(
        codec, latent, 40, (633, 500), frame=70_000, stream=9, capture_time_ns=-5
    )

    pieces = [codec.decode(wire.parse(data)) for data in packets]
    assert [piece.header.slice for piece in pieces] == list(range(len(pieces)))
    for piece in pieces:
        header = piece.header
        assert (header.stream, header.frame, header.rate_code) == (9, 70_000 - 65_536, 40)
        assert (header.capture_time_ns, header.reference) == (-5, 0)
        assert header.checkpoint_id == helpers.checkpoint
        assert header.rows * header.cols == len(packets)
        assert piece.encoded_size == (633, 500)
        assert (piece.grid_h, piece.grid_w) == (32, 40)


def test_every_packet_decodes_by_itself(helpers, tables, codec):
    latent = helpers.latent(32, 40)
    packets = helpers.encode(codec, latent, 50)
    whole = helpers.decode_frame(codec, packets)

    assert len(packets) > 3
    for data in reversed(packets):
        piece = LatentCodec(tables, helpers.checkpoint).decode(wire.parse(data))
        _, height, width = piece.symbols.shape
        there = whole[:, piece.y0 : piece.y0 + height, piece.x0 : piece.x0 + width]
        np.testing.assert_array_equal(piece.symbols, there)


def test_another_decoder_made_from_the_document_agrees(helpers, tables, codec):
    plain = tables.to_arrays()
    plain = {name: plain[name].tolist() for name in plain}
    plain["cdfs"] = [row[:size] for row, size in zip(plain["cdfs"], plain["sizes"], strict=True)]

    for code in (3, 60):
        for data in helpers.encode(codec, helpers.latent(9, 14, seed=4), code, (220, 140)):
            ours = codec.decode(wire.parse(data))
            other = helpers.reference.decode(data, plain)
            assert other["symbols"] == ours.symbols.tolist()
            assert (other["y0"], other["x0"]) == (ours.y0, ours.x0)
            assert other["encoded_size"] == (220, 140)


@settings(max_examples=40)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 64), st.integers(0, 999), st.floats(0, 9)
)
def test_price_is_the_coded_size_to_one_percent(helpers, codec, height, width, code, seed, scale):
    latent = helpers.latent(height, width, seed, scale)

    price = codec.price(latent, code)
    packets = helpers.encode(codec, latent, code)

    sizes = np.array([len(data) for data in packets])
    assert (price.grid.rows * price.grid.cols) == len(packets)
    assert abs(price.size_bytes - sizes.sum()) <= 0.01 * sizes.sum()
    # Each packet to the word: what rANS rounds is less than that.
    assert np.abs(price.slice_bytes - sizes).max() <= 4


@pytest.mark.parametrize("near", [None, 0, 20, 64])
def test_highest_code_is_the_last_that_fits(helpers, codec, near):
    latent = helpers.latent(24, 32)
    sizes = [codec.price(latent, code).size_bytes for code in range(65)]

    for budget in np.geomspace(sizes[0], sizes[-1] + 1, 9).astype(int):
        code = codec.highest_code(latent, budget, near=near)
        assert sizes[code] <= budget
        assert code == 64 or sizes[code + 1] > budget

    assert codec.highest_code(latent, sizes[0] - 1, near=near) is None
    assert codec.highest_code(latent, 1e9, low=5, high=31, near=near) == 31
    assert codec.highest_code(latent, sizes[10], low=11, near=near) is None


def test_size_rises_with_the_rate(helpers, codec):
    latent = helpers.latent(24, 32)

    sizes = [codec.price(latent, code).size_bytes for code in (0, 16, 32, 48, 64)]

    assert all(low < high for low, high in itertools.pairwise(sizes))


def test_dequantised_is_within_half_a_step(helpers, codec):
    latent = helpers.latent(8, 8)
    step = 1 / codec.tables.code_gains[64][:, None, None]

    back = codec.dequantise(codec.quantise(latent, 64), 64)

    assert back.dtype == np.float32
    assert np.all(np.abs(back - latent) <= 0.5001 * step)


def test_halves_round_to_even_and_extremes_are_clipped(helpers, codec):
    gain = codec.tables.code_gains[20][0]
    latent = np.zeros((helpers.channels, 1, 6), np.float32)
    latent[0, 0] = np.array([0.5, 1.5, -0.5, -1.5, 1e9, -1e9], np.float32) / gain

    assert codec.quantise(latent, 20)[0, 0].tolist() == [0, 2, 0, -2, 127, -127]


def test_what_is_not_a_number_becomes_zero_and_infinity_the_extreme(helpers, codec):
    latent = np.zeros((helpers.channels, 1, 3), np.float32)
    latent[0, 0] = [np.nan, np.inf, -np.inf]

    assert codec.quantise(latent, 20)[0, 0].tolist() == [0, 127, -127]
    assert helpers.encode(codec, latent, 20)


def test_layout_of_the_latent_in_memory_does_not_matter(helpers, codec):
    latent = helpers.latent(20, 24)
    channels_last = np.ascontiguousarray(latent.transpose(1, 2, 0)).transpose(2, 0, 1)

    assert helpers.encode(codec, channels_last, 33) == helpers.encode(codec, latent, 33)


def test_a_frame_of_zeros_is_hardly_anything(helpers, codec):
    packets = helpers.encode(codec, np.zeros((helpers.channels, 32, 40), np.float32), 0)

    assert sum(map(len, packets)) < 0.3 * codec.price(helpers.latent(32, 40), 0).size_bytes
    assert not helpers.decode_frame(codec, packets).any()


def test_slices_without_a_coded_symbol_are_empty(helpers, tables):
    silent = dataclasses.replace(tables, index=np.zeros_like(tables.index))
    codec = LatentCodec(silent, helpers.checkpoint)
    latent = helpers.latent(4, 4)

    packets = helpers.encode(codec, latent, 64)

    assert [len(data) for data in packets] == [32]
    assert codec.price(latent, 64).size_bytes == 32
    assert not helpers.decode_frame(codec, packets).any()


def one_table(tables, number):
    """Tables that code everything with one table, however badly it suits."""
    return dataclasses.replace(tables, index=np.full_like(tables.index, number))


def test_a_frame_too_rich_for_the_code_goes_at_a_lower_one(helpers, tables):
    codec = LatentCodec(one_table(tables, 1), helpers.checkpoint)
    noise = helpers.latent(100, 100, seed=1, scale=30.0)
    assert not codec.price(noise, 64).fits

    packets = helpers.encode(codec, noise, 64)

    code = wire.parse(packets[0]).header.rate_code
    assert code < 64
    assert code == codec.highest_code(noise, np.inf)
    assert max(map(len, packets)) <= 1200


def test_a_frame_too_rich_for_any_code_says_so(helpers, tables):
    codec = LatentCodec(one_table(tables, 1), helpers.checkpoint)
    latent = np.full((helpers.channels, 128, 128), 1e6, np.float32)

    with pytest.raises(FrameTooBigError, match="2048x2048"):
        helpers.encode(codec, latent, 64)


@pytest.mark.parametrize(
    ("shape", "code", "size"),
    [
        ((12, 4, 4), 65, (64, 64)),
        ((12, 4, 4), -1, (64, 64)),
        ((11, 4, 4), 0, (64, 64)),
        ((12, 4, 4), 0, (65, 64)),
        ((12, 4, 257), 0, (4112, 64)),
    ],
)
def test_wrong_arguments_are_named(helpers, codec, shape, code, size):
    with pytest.raises(ParameterError):
        helpers.encode(codec, np.zeros(shape, np.float32), code, size)


def test_another_checkpoint_is_a_mismatch(helpers, tables, codec):
    data = helpers.encode(codec, helpers.latent(4, 4), 10)[0]

    with pytest.raises(MismatchError, match="c0ffee01.*0000002a"):
        LatentCodec(tables, 42).decode(wire.parse(data))


def features(helpers, payload, **fields):
    header = wire.Header(wire.PacketType.FEATURES, 0, helpers.checkpoint, 0)
    return wire.parse(wire.build(dataclasses.replace(header, **fields), payload))


@pytest.mark.parametrize(
    ("payload", "fields", "message"),
    [
        (b"", {}, "no frame size"),
        (struct.pack("<HHHH", 4097, 16, 1, 1), {}, "4097x16"),
        (struct.pack("<HHHH", 32, 32, 1, 1), {"rows": 3}, "3x1 slices of a latent of 2x2"),
        (struct.pack("<HHHH", 4096, 4096, 1, 1), {}, "at most 131072"),
        (struct.pack("<HHHH", 32, 32, 1, 1) + bytes(5), {}, "words"),
        (struct.pack("<HHHH", 32, 32, 1, 1), {"reference": 1}, "names a reference"),
    ],
)
def test_hostile_features_are_refused(helpers, codec, payload, fields, message):
    with pytest.raises(PacketError, match=message):
        codec.decode(features(helpers, payload, **fields))


@pytest.mark.parametrize("kind", [wire.PacketType.STREAM_INFO, wire.PacketType.FEEDBACK])
def test_only_features_are_decoded(helpers, codec, kind):
    packet = wire.Packet(wire.Header(kind, 0, helpers.checkpoint, 0), b"")

    with pytest.raises(PacketError, match=kind.name):
        codec.decode(packet)


@settings(max_examples=150)
@given(st.data())
def test_random_payloads_under_a_right_checksum_do_no_harm(helpers, codec, data):
    size = data.draw(st.tuples(st.integers(1, 700), st.integers(1, 700)))
    rows, cols = data.draw(st.integers(1, 16)), data.draw(st.integers(1, 16))
    rans = data.draw(
        st.one_of(
            st.binary(max_size=1168),
            st.integers(0, 292).map(lambda words: b"\xff" * 4 * words),
            st.integers(0, 292).map(lambda words: bytes(4 * words)),
        )
    )
    packet = features(
        helpers,
        struct.pack("<HHHH", *size, *size) + rans,
        rows=rows,
        cols=cols,
        slice=data.draw(st.integers(0, rows * cols - 1)),
        rate_code=data.draw(st.integers(0, 64)),
    )

    try:
        piece = codec.decode(packet)
    except PacketError:
        return
    assert piece.symbols.size <= MAX_PATCH_SYMBOLS
    assert np.abs(piece.symbols).max() <= 127


@settings(max_examples=100)
@given(st.data())
def test_damage_under_a_right_checksum_does_no_harm(helpers, codec, data):
    good = helpers.encode(codec, helpers.latent(8, 8), 45)[0]
    payload = bytearray(good[wire.HEADER_BYTES :])
    for _ in range(data.draw(st.integers(1, 4))):
        bit = data.draw(st.integers(64, 8 * len(payload) - 1))
        payload[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(8, len(payload)))

    packet = features(helpers, bytes(payload[:cut]), rate_code=45)

    try:
        piece = codec.decode(packet)
    except PacketError:
        return
    assert piece.symbols.shape == (helpers.channels, 8, 8)


def test_tables_read_from_a_file_give_the_same_bits(helpers, tables, codec):
    again = LatentCodec(CodingTables.from_arrays(tables.to_arrays()), helpers.checkpoint)
    latent = helpers.latent(16, 16)

    assert helpers.encode(again, latent, 37) == helpers.encode(codec, latent, 37)


@pytest.mark.parametrize("code", [0, 20, 40, 64])
@pytest.mark.parametrize("protection", [Protection(4, 2), Protection(2), Protection(1, 1)])
def test_the_price_of_protection_is_exact(codec, helpers, code, protection):
    latent = helpers.latent(20, 24, seed=code)

    packets = helpers.encode(codec, latent, code, protection=protection)
    price = codec.price(latent, code, protection)

    kinds = [wire.parse(packet).header.type for packet in packets]
    assert kinds.count(wire.PacketType.REPAIR) == protection.repairs
    assert kinds.count(wire.PacketType.FEATURES) == len(price.slice_bytes) >= protection.slices
    assert max(map(len, packets)) <= 1200
    assert sum(map(len, packets)) == pytest.approx(price.size_bytes, abs=4 * len(packets))


def test_a_latent_smaller_than_its_protection_has_a_slice_for_each_position(codec, helpers):
    packets = helpers.encode(codec, helpers.latent(1, 2), 30, protection=Protection(9))
    assert len(packets) == 2
