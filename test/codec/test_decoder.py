# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets to symbols: what was sent is read, whatever it is; what nobody sent is refused."""

import dataclasses
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.frame.decoder import PacketDecoder
from sc2_ros.codec.frame.plan import Protection
from sc2_ros.codec.frame.reference import ReferenceWindow
from sc2_ros.codec.slicing import MAX_PATCH_SYMBOLS
from sc2_ros.codec.wire import Motion
from sc2_ros.codec.wire.predicted import build_predicted
from sc2_ros.errors import MismatchError, MissingReferenceError, PacketError


def window(*references):
    kept = ReferenceWindow()
    for reference in references:
        kept.put(reference)
    return kept


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 36)),
    code=st.integers(0, 64),
    slices=st.integers(1, 30),
)
def test_keyframes_come_out_as_they_went_in(helpers, codec, seed, shape, code, slices):
    latent = helpers.latent(*shape, seed=seed, scale=3)

    codec.check(codec.encode(latent, code, protection=Protection(slices)))


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64), st.integers(0, 64)),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 30)),
    dx=st.integers(-400, 400),
    turn=st.integers(-128, 127),
    change=st.floats(0, 1),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    rdoq_lambda=st.sampled_from([0.0, 0.07, 0.5]),
    slices=st.integers(1, 12),
)
def test_predicted_frames_come_out_as_they_went_in(
    helpers, codec, seed, codes, shape, dx, turn, change, origin, rdoq_lambda, slices
):
    refining = codec.with_lambda(rdoq_lambda)
    latent = helpers.latent(*shape, seed=seed)
    size = (shape[1] * 16 - origin[0], shape[0] * 16 - origin[1])
    cut = latent[:, : -(-size[1] // 16), : -(-size[0] // 16)]
    frame = refining.encode(cut, codes[0], 10, size=size, protection=Protection(slices))
    refining.check(frame)
    for number, code in enumerate(codes[1:], 1):
        last = frame.reference
        frame = refining.encode(
            helpers.later(latent, seed + number, change),
            code,
            10 + 3 * number,
            reference=last,
            motion=Motion(dx, -dx // 3, turn // 2, turn),
            origin=origin,
            size=size,
            time_ns=last.stamp.time_ns + helpers.time_ns + 3 * last.stamp.interval_ns,
            protection=Protection(slices),
        )
        refining.check(frame, last)


def test_every_packet_decodes_by_itself_in_any_order(helpers, codec, tables):
    frame = codec.encode(helpers.latent(32, 40), 60)

    assert len(frame.packets) > 3
    for data in reversed(frame.packets):
        piece = PacketDecoder(tables, helpers.checkpoint).decode(wire.parse(data))
        _, height, width = piece.symbols.shape
        rows, cols = slice(piece.y0, piece.y0 + height), slice(piece.x0, piece.x0 + width)
        np.testing.assert_array_equal(piece.symbols, frame.reference.symbols[:, rows, cols])


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 8)])
def test_a_slice_may_be_a_single_position(helpers, codec, shape):
    latent = helpers.latent(*shape, scale=3)

    first = codec.encode(latent, 60, 10, protection=Protection(256))
    second = codec.encode(
        helpers.later(latent), 60, 11, reference=first.reference, protection=Protection(256)
    )

    assert len(first.packets) == len(second.packets) == shape[0] * shape[1]
    codec.check(first)
    codec.check(second, first.reference)


def test_groups_that_are_not_coded_are_zero(helpers, codec):
    latent = np.full((helpers.channels, 4, 5), 3, np.float32)

    low, high = (codec.encode(latent, code, 1) for code in (23, 24))

    assert not low.reference.symbols[helpers.late].any()
    assert high.reference.symbols[helpers.late].any(axis=(1, 2)).all()
    for first, code in ((low, 24), (high, 23)):
        second = codec.encode(latent, code, 2, reference=first.reference)
        codec.check(second, first.reference)
        assert second.reference.symbols[helpers.late].any() == (code == 24)


def test_extremes_are_coded(helpers, codec):
    latent = np.zeros((helpers.channels, 8, 8), np.float32)
    latent[0, 0], latent[3, 1], latent[8, 2] = 1e9, -1e9, np.nan
    first = codec.encode(latent, 64, 1)
    second = codec.encode(-latent, 64, 2, reference=first.reference)

    assert np.abs(first.reference.symbols).max() == 127
    codec.check(first)
    codec.check(second, first.reference)
    assert np.abs(second.reference.symbols).max() >= 120


@pytest.fixture(scope="module")
def frames(helpers, codec):
    """A frame, and one in a single packet that is predicted from it."""
    return codec.two_frames(helpers.latent(14, 14, seed=3), 0.1, 40)


@pytest.fixture
def packet(frames):
    (data,) = frames[1].packets
    return wire.parse(data)


def test_another_checkpoint_is_a_mismatch_or_has_no_such_reference(tables, frames, packet):
    other = PacketDecoder(tables, 42)

    with pytest.raises(MismatchError, match="c0ffee01.*0000002a"):
        other.decode(wire.parse(frames[0].packets[0]))
    with pytest.raises(MissingReferenceError, match="another one"):
        other.decode(packet, window(frames[0].reference))


def test_without_the_very_reference_a_slice_is_refused(codec, frames, packet):
    first = frames[0].reference
    other = dataclasses.replace(first, coded=~first.coded)

    for references, says in (
        (None, "frame 10, which is not here"),
        (window(), "frame 10, which is not here"),
        (window(dataclasses.replace(first, frame=11)), "frame 10, which is not here"),
        (window(other), "frame 10, which is another one here"),
    ):
        with pytest.raises(MissingReferenceError, match=says):
            codec.decoder.decode(packet, references)
        with pytest.raises(MissingReferenceError, match=says):
            codec.decoder.resolve(packet, references)


def test_the_reference_tells_the_capture_time(helpers, codec, frames, packet):
    resolved = codec.decoder.resolve(packet, window(frames[0].reference))

    assert resolved.header.capture_time_ns == helpers.time_ns
    assert resolved.header.checkpoint_id == helpers.checkpoint
    piece = codec.decoder.decode(resolved, window(frames[0].reference))
    assert piece.header == resolved.header
    assert codec.decoder.resolve(resolved) is resolved


def test_a_checkpoint_without_a_skip_network_refuses_predicted_slices(
    helpers, tables, frames, packet
):
    plain = helpers.codec(helpers.only_keyframes(tables))

    assert plain.read(frames[0].packets).digest == frames[0].reference.digest
    with pytest.raises(PacketError, match="no skip network"):
        plain.decoder.decode(packet, window(frames[0].reference))


def features(helpers, payload, **fields):
    header = wire.Header(
        type=wire.PacketType.FEATURES, stream=0, frame=0, checkpoint_id=helpers.checkpoint
    )
    return wire.parse(wire.build(dataclasses.replace(header, **fields), payload))


@pytest.mark.parametrize(
    ("payload", "fields", "message"),
    [
        (b"", {}, "no frame size"),
        (struct.pack("<HHHH", 4097, 16, 1, 1), {}, "4097x16"),
        (struct.pack("<HHHH", 32, 32, 1, 1), {"rows": 3}, "3x1 slices of a latent of 2x2"),
        (struct.pack("<HHHH", 4096, 4096, 1, 1), {}, "at most 131072"),
        (struct.pack("<HHHH", 32, 32, 1, 1) + bytes(4), {}, "at least 8|words of 4"),
    ],
)
def test_hostile_features_are_refused(helpers, codec, payload, fields, message):
    with pytest.raises(PacketError, match=message):
        codec.decoder.decode(features(helpers, payload, **fields))


@pytest.mark.parametrize("kind", [wire.PacketType.STREAM_INFO, wire.PacketType.FEEDBACK])
def test_only_features_are_decoded(helpers, codec, kind):
    packet = wire.Packet(wire.Header(type=kind, stream=0, frame=0), b"")

    with pytest.raises(PacketError, match=kind.name):
        codec.decoder.decode(packet)


RANS = st.one_of(
    st.binary(max_size=1168),
    st.integers(0, 292).map(lambda words: b"\xff" * 4 * words),
    st.integers(0, 292).map(lambda words: bytes(4 * words)),
)


@settings(max_examples=150)
@given(st.data())
def test_random_keyframes_under_a_right_checksum_do_no_harm(helpers, codec, data):
    size = data.draw(st.tuples(st.integers(1, 700), st.integers(1, 700)))
    rows, cols = data.draw(st.integers(1, 16)), data.draw(st.integers(1, 16))
    packet = features(
        helpers,
        struct.pack("<HHHH", *size, *size) + data.draw(RANS),
        rows=rows,
        cols=cols,
        slice=data.draw(st.integers(0, rows * cols - 1)),
        rate_code=data.draw(st.integers(0, 64)),
        origin=data.draw(st.tuples(st.integers(0, 15), st.integers(0, 15))),
    )

    try:
        piece = codec.decoder.decode(packet)
    except PacketError:
        return
    assert piece.symbols.size <= MAX_PATCH_SYMBOLS
    assert np.abs(piece.symbols).max() <= 127


@settings(max_examples=150)
@given(
    rans=RANS,
    share=st.integers(0, 3),
    code=st.integers(0, 64),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    motion=st.builds(Motion, st.integers(-300, 300), st.integers(-300, 300)),
    rows=st.integers(1, 4),
)
def test_random_predicted_slices_under_a_right_checksum_do_no_harm(
    codec, frames, rans, share, code, origin, motion, rows
):
    (data,) = frames[1].packets
    packet = wire.parse(data)
    head = dataclasses.replace(packet.head, share=share, origin=origin, motion=motion)
    header = dataclasses.replace(packet.header, rate_code=code, rows=rows)
    sent = build_predicted(
        dataclasses.replace(packet, head=head, header=header, payload=rans[:1100])
    )

    try:
        piece = codec.decoder.decode(wire.parse(sent), window(frames[0].reference))
    except PacketError:
        return
    assert np.abs(piece.symbols).max() <= 127
    assert piece.header.capture_time_ns == 500_000


@settings(max_examples=100)
@given(st.data())
def test_damage_under_a_right_checksum_does_no_harm(helpers, codec, frames, data):
    (sent,) = frames[1].packets
    good = wire.parse(sent)
    payload = bytearray(good.payload)
    for _ in range(data.draw(st.integers(1, 4))):
        bit = data.draw(st.integers(0, 8 * len(payload) - 1))
        payload[bit // 8] ^= 1 << bit % 8
    cut = data.draw(st.integers(0, len(payload)))

    try:
        piece = codec.decoder.decode(
            dataclasses.replace(good, payload=bytes(payload[:cut])), window(frames[0].reference)
        )
    except PacketError:
        return
    assert piece.symbols.shape == (helpers.channels, 14, 14)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_rans_bytes_too_few_for_a_state_are_refused(codec, frames, packet, length):
    with pytest.raises(PacketError, match="at least"):
        codec.decoder.decode(
            dataclasses.replace(packet, payload=bytes(length)), window(frames[0].reference)
        )


def test_a_slice_of_which_nothing_is_coded_has_no_bytes(codec, frames, packet):
    head = dataclasses.replace(packet.head, share=0)
    references = window(frames[0].reference)

    empty = codec.decoder.decode(dataclasses.replace(packet, head=head, payload=b""), references)

    assert np.array_equal(empty.symbols, frames[0].reference.symbols)
    assert not empty.coded.any()
    with pytest.raises(PacketError, match="no position is coded has rANS bytes"):
        codec.decoder.decode(dataclasses.replace(packet, head=head), references)


def forge(coding, value):
    """Replace the first coded value."""
    at = tuple(np.argwhere(coding.chosen.tables)[0])
    assert at[1] == 0
    coding.chosen.values[at] = value


def forged(codec, frames, value):
    """The predicted frame with the first value of its map replaced."""
    first, second = frames
    latent = codec.tables.dequantise(second.reference.symbols, 40)
    plan = codec.encoder.plan(codec.frame(latent, first.reference), 40)
    forge(plan.predicted, value)
    (data,) = codec.encoder.encode(plan, stream=0, frame=12, capture_time_ns=0).packets
    return wire.parse(data)


@pytest.mark.parametrize("value", [-1, 2, 100])
def test_a_skip_map_that_is_none_is_refused(codec, frames, value):
    packet = forged(codec, frames, value)

    with pytest.raises(PacketError, match="damaged or not ours"):
        codec.decoder.decode(packet, window(frames[0].reference))


def test_a_symbol_that_its_mean_carries_out_of_range_is_refused(helpers, codec, tables):
    bias = tables.context.leave_bias.copy()
    bias[:, 0, :, 0] = 256 * 8 * 5
    skewed = helpers.codec(
        dataclasses.replace(
            tables,
            context=dataclasses.replace(
                tables.context, leave=np.zeros_like(tables.context.leave), leave_bias=bias
            ),
        )
    )
    plan = skewed.encoder.plan(skewed.frame(np.zeros((11, 4, 4), np.float32)), 40)
    forge(plan.intra, 127)
    (data,) = skewed.encoder.encode(plan, stream=0, frame=0, capture_time_ns=0).packets

    with pytest.raises(PacketError, match="out of range"):
        skewed.decoder.decode(wire.parse(data))


def as_lists(tables):
    """The arrays of a checkpoint as the independent decoder takes them."""
    lists = {name: array.tolist() for name, array in tables.to_arrays().items()}
    for network in ("context", "skip"):
        rows = zip(lists[f"{network}_cdfs"], lists[f"{network}_sizes"], strict=True)
        lists[f"{network}_cdfs"] = [row[:size] for row, size in rows]
    return lists | {"checkpoint_id": 0xC0FFEE01}


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64)),
    change=st.floats(0.05, 1),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    slices=st.integers(1, 4),
)
def test_the_decoder_made_from_the_document_reads_the_same(
    helpers, codec, tables, seed, codes, change, origin, slices
):
    latent = helpers.latent(6, 7, seed=seed, scale=2)
    size = (7 * 16 - origin[0], 6 * 16 - origin[1])
    cut = latent[:, : -(-size[1] // 16), : -(-size[0] // 16)]
    first = codec.encode(cut, codes[0], 10, size=size, time_ns=-7)
    second = codec.encode(
        helpers.later(latent, seed, change),
        codes[1],
        13,
        reference=first.reference,
        motion=Motion(40, -10, 3, -5),
        origin=origin,
        size=size,
        time_ns=10**18,
        protection=Protection(slices),
    )
    own, lists = helpers.reference_decoder(), as_lists(tables)
    known = {}
    for frame in (first, second):
        for data in frame.packets:
            read = own.decode(bytes(data), lists, known)
            ours = codec.decoder.decode(wire.parse(data), window(first.reference))
            assert read["symbols"] == ours.symbols.tolist()
            assert read["coded"] == ours.coded.astype(int).tolist()
            assert (read["y0"], read["x0"]) == (ours.y0, ours.x0)
            assert read["sizes"] == [*ours.encoded_size, *ours.source_size]
            assert read["origin"] == ours.geometry.origin
            assert read["capture_time_ns"] == ours.header.capture_time_ns
        reference = frame.reference
        known[reference.frame] = {
            "sizes": [*size, *size],
            "origin": reference.geometry.origin,
            "code": reference.code,
            "symbols": reference.symbols.tolist(),
            "coded": reference.coded.astype(int).tolist(),
            "time": reference.stamp.time_ns,
            "interval": reference.stamp.interval_ns,
        }
