# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of version 4 and of others where there is a skip network; damaged and forged ones."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.coder import LatentCodec, Protection
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.references import ReferenceWindow
from sc2_ros.codec.skip_decoder import SkipDecoder
from sc2_ros.codec.skip_pricing import SkipPricer
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import round_latent
from sc2_ros.errors import MissingReferenceError, PacketError

HEAD_BYTES = 2
SHARE_AT = 1


def window(*references):
    kept = ReferenceWindow()
    for reference in references:
        kept.put(reference)
    return kept


@pytest.fixture(scope="module")
def frames(helpers, skip_codec):
    """A frame, and one that is predicted from it."""
    latent = helpers.latent(14, 14, seed=3)
    first = helpers.encode_frame(skip_codec, latent, 40, 10)
    changed = helpers.later(latent, 3, 0.4)
    return first, helpers.encode_frame(skip_codec, changed, 40, 11, reference=first.reference)


@pytest.fixture(scope="module")
def predicted(frames):
    return wire.parse(frames[1].packets[0])


def test_a_predicted_slice_has_a_compact_header(frames, predicted):
    assert len(frames[1].packets) == 1
    assert predicted.header.is_compact
    assert predicted.header.head_bits >> SHARE_AT == 3
    assert wire.parse(frames[0].packets[0]).header.version == 4


def test_a_checkpoint_without_a_skip_network_refuses_predicted_slices(
    helpers, codec, skip_codec, frames, predicted
):
    without = LatentCodec(dataclasses.replace(skip_codec.tables, skip=None), helpers.checkpoint)

    with pytest.raises(PacketError, match="no skip network"):
        without.decode(predicted, window(frames[0].reference))
    with pytest.raises(PacketError, match="no tables for such"):
        codec.decode(predicted, window(frames[0].reference))
    with pytest.raises(PacketError, match="no context network"):
        codec.decode(wire.parse(frames[0].packets[0]))


def test_another_checkpoint_has_no_reference_of_that_hash(helpers, skip_codec, frames, predicted):
    other = LatentCodec(skip_codec.tables, helpers.checkpoint + 1)

    with pytest.raises(MissingReferenceError):
        other.decode(predicted, window(frames[0].reference))


@pytest.mark.parametrize("kind", ["temporal", "learned"])
def test_earlier_versions_are_read_by_a_checkpoint_with_a_skip_network(
    request, helpers, skip_codec, kind
):
    old = request.getfixturevalue(f"{kind}_codec")
    latent = helpers.latent(20, 20, seed=1)
    first = helpers.encode_frame(old, latent, 30, 10)
    changed = helpers.later(latent, 1, 0.1)
    second = helpers.encode_frame(old, changed, 30, 11, reference=first.reference)

    read = [
        helpers.decode_frame(skip_codec, frame.packets, window(first.reference))
        for frame in (first, second)
    ]

    versions = {wire.parse(data).header.version for data in first.packets + second.packets}
    assert versions == ({1, 2} if kind == "temporal" else {3})
    assert np.array_equal(read[0], first.reference.symbols)
    assert np.array_equal(read[1], second.reference.symbols)


@given(
    data=st.binary(min_size=0, max_size=80),
    whole=st.booleans(),
    code=st.integers(0, 64),
    rows=st.integers(1, 16),
    head_bits=st.integers(0, 7),
)
def test_hostile_payloads_are_refused_or_read(
    skip_codec, frames, predicted, data, whole, code, rows, head_bits
):
    header = dataclasses.replace(predicted.header, rate_code=code, rows=rows, head_bits=head_bits)
    hostile = wire.Packet(header, predicted.payload[: 0 if whole else HEAD_BYTES] + data)
    try:
        piece = skip_codec.decode(hostile, window(frames[0].reference))
    except PacketError:
        return
    assert np.abs(piece.symbols).max() <= 127
    assert piece.told.shape == piece.symbols.shape[1:]


@given(place=st.integers(0, 1000), bit=st.integers(0, 7))
def test_damaged_payloads_are_refused_or_read(skip_codec, frames, predicted, place, bit):
    damaged = bytearray(predicted.payload)
    damaged[HEAD_BYTES + place % (len(damaged) - HEAD_BYTES)] ^= 1 << bit
    try:
        piece = skip_codec.decode(
            wire.Packet(predicted.header, bytes(damaged)), window(frames[0].reference)
        )
    except PacketError:
        return
    assert piece.symbols.shape == (12, 14, 14)
    assert piece.told.shape == (14, 14)
    assert np.abs(piece.symbols).max() <= 127


@given(share=st.integers(1, 2), cut=st.integers(0, 200))
def test_a_wrong_share_class_or_lost_bytes_are_refused_or_read(
    skip_codec, frames, predicted, share, cut
):
    header = dataclasses.replace(predicted.header, head_bits=share << SHARE_AT)
    payload = predicted.payload[: max(len(predicted.payload) - cut, 0)]
    try:
        piece = skip_codec.decode(wire.Packet(header, payload), window(frames[0].reference))
    except PacketError:
        return
    assert np.abs(piece.symbols).max() <= 127


@pytest.mark.parametrize("length", [1, 4])
def test_rans_bytes_too_few_for_a_state_are_refused(skip_codec, frames, predicted, length):
    short = wire.Packet(predicted.header, predicted.payload[: HEAD_BYTES + length])

    with pytest.raises(PacketError, match="rANS payload"):
        skip_codec.decode(short, window(frames[0].reference))


def test_a_slice_of_which_nothing_is_told_has_no_bytes(skip_codec, frames, predicted):
    header = dataclasses.replace(predicted.header, head_bits=0)
    known = window(frames[0].reference)

    empty = skip_codec.decode(wire.Packet(header, predicted.payload[:HEAD_BYTES]), known)

    assert not empty.told.any()
    assert np.array_equal(empty.symbols, frames[0].reference.symbols)
    for more in (1, 5, 8):
        with pytest.raises(PacketError, match="nothing is told has bytes"):
            skip_codec.decode(wire.Packet(header, predicted.payload[: HEAD_BYTES + more]), known)


def forged(skip_codec, frames, latent, change):
    """Decode a slice whose steps were changed before they were coded."""
    network, grid = skip_codec.tables.skip, Grid(1, 1, 14, 14)
    prediction = predict(frames[0].reference, Motion(), 14, 14)
    rounded = round_latent(latent, skip_codec.tables.code_gains[40])
    trace = SkipPricer(network).trace(rounded, 40, grid, prediction)
    assert trace.shares == (3,)
    change(trace.steps)
    coder = SymbolCoder(network)
    decoder = SkipDecoder(network, coder)
    patch = decoder.surrounded(prediction, 40, grid).patch(grid, 0)
    return decoder.decode(trace.payload(0, coder), latent.shape, 40, trace.shares[0], patch)


@pytest.mark.parametrize("step", [0, 1])
@pytest.mark.parametrize("value", [-1, 2, 3, 127])
def test_a_map_that_says_neither_told_nor_skipped_is_refused(
    helpers, skip_codec, frames, step, value
):
    latent = helpers.latent(14, 14, seed=9)

    def change(steps):
        steps[step].coded[-1] = value

    forged(skip_codec, frames, latent, lambda steps: None)
    with pytest.raises(PacketError, match="neither told nor skipped"):
        forged(skip_codec, frames, latent, change)


def test_a_symbol_that_its_mean_carries_out_of_range_is_refused(helpers, skip_codec, frames):
    """No encoder makes it: 127 more than a mean above zero."""
    latent = np.full((12, 14, 14), 5, np.float32)

    def change(steps):
        steps[2].coded[steps[2].tables > 0] = MAX_SYMBOL

    with pytest.raises(PacketError, match="symbols out of range"):
        forged(skip_codec, frames, latent, change)


def as_lists(tables):
    """The arrays of a checkpoint as the second decoder takes them."""
    lists = {name: array.tolist() for name, array in tables.to_arrays().items()}
    for name in [name for name in lists if name.endswith("cdfs")]:
        rows = zip(lists[name], lists[name.replace("cdfs", "sizes")], strict=True)
        lists[name] = [row[:size] for row, size in rows]
    return lists


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64)),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    motion=st.builds(Motion, st.integers(-40, 40), st.integers(-9, 9), turn=st.integers(-99, 99)),
    slices=st.sampled_from([1, 4]),
)
def test_the_decoder_made_from_the_document_reads_the_same(
    helpers, skip_codec, seed, shape, codes, origin, motion, slices
):
    """A frame that is predicted from one of which a part was told."""
    latent = helpers.latent(*shape, seed=seed, scale=2)
    _, before = helpers.two_frames(skip_codec, latent, 0.1, codes[0])
    known = before.reference
    size = known.geometry.encoded_size
    geometry = wire.Geometry(size, size, origin)
    now = np.pad(latent, ((0, 0), (0, 1), (0, 1)))
    now = now[:, : geometry.latent_shape[0], : geometry.latent_shape[1]]
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 13, capture_time_ns=5)
    prediction = skip_codec.predict(known, motion, geometry.latent_shape)
    frame = skip_codec.encode_frame(now, codes[1], header, geometry, Protection(slices), prediction)
    references = {
        12: {
            "sizes": [*size, *size],
            "origin": (0, 0),
            "code": known.code,
            "symbols": known.symbols.tolist(),
            "told": known.told.tolist(),
            "time": known.stamp.time_ns,
            "interval": known.stamp.interval_ns,
        }
    }
    tables = as_lists(skip_codec.tables) | {"checkpoint_id": helpers.checkpoint}

    for data in frame.packets:
        piece = skip_codec.decode(wire.parse(data), window(known))
        read = helpers.reference.decode(data, tables, references)
        assert read["symbols"] == piece.symbols.tolist()
        assert read["told"] == piece.told.tolist()
        assert read["capture_time_ns"] == piece.header.capture_time_ns == 5
