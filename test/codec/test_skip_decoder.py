# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding with a skip network: what the drone sends is what the ground reads, and which is told."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec, Protection
from sc2_ros.codec.prediction import Motion, predict, said_symbols
from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.skip_decoder import SkipDecoder
from sc2_ros.codec.skip_inputs import Surrounded
from sc2_ros.codec.skip_pricing import SkipPricer
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import round_latent
from sc2_ros.errors import MissingReferenceError


def check(helpers, codec, frame, *references):
    """Whatever was sent is read, map and all, at its price."""
    found = helpers.read_frame(codec, frame, *references)
    assert np.array_equal(found.symbols, frame.reference.symbols)
    assert np.array_equal(found.told, frame.reference.told)
    assert found.digest == frame.reference.digest
    for size_bytes, data in zip(frame.price.slice_bytes, frame.packets, strict=True):
        assert abs(size_bytes - len(data)) <= 4
        assert len(data) <= 1200
        assert wire.parse(data).header.version == 4


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 36)),
    code=st.integers(0, 64),
    slices=st.integers(1, 30),
)
def test_a_frame_that_needs_no_other_comes_out_as_it_went_in(
    helpers, skip_codec, seed, shape, code, slices
):
    latent = helpers.latent(*shape, seed=seed, scale=3)
    size = (shape[1] * 16, shape[0] * 16)
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 7)

    frame = skip_codec.encode_frame(
        latent, code, header, wire.Geometry(size, size), Protection(slices)
    )

    check(helpers, skip_codec, frame)
    assert frame.reference.told.all()


@settings(max_examples=40)
@given(
    seed=st.integers(0, 1000),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64), st.integers(0, 64)),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 30)),
    dx=st.integers(-400, 400),
    turn=st.integers(-128, 127),
    change=st.floats(0, 1),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
    refinement=st.sampled_from([0.0, 0.07, 0.5]),
    slices=st.integers(1, 12),
)
def test_predicted_frames_come_out_as_they_went_in(
    helpers, skip_codec, seed, codes, shape, dx, turn, change, origin, refinement, slices
):
    """Three in a row: the third is predicted from one of which only a part was told."""
    codec = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=refinement)
    latent = helpers.latent(*shape, seed=seed, scale=2)
    size = (shape[1] * 16 - origin[0], shape[0] * 16 - origin[1])
    still, moved = wire.Geometry(size, size), wire.Geometry(size, size, origin)
    height, width = still.latent_shape
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 10)
    first = codec.encode_frame(latent[:, :height, :width], codes[0], header, still)
    frames = [first]
    for number, motion in ((1, Motion(dx, -dx // 3, turn // 2, turn)), (2, Motion())):
        prediction = codec.predict(frames[-1].reference, motion, shape)
        header = dataclasses.replace(header, frame=10 + number, capture_time_ns=helpers.time_ns)
        later = helpers.later(latent, seed + number, change)
        frames.append(
            codec.encode_frame(later, codes[number], header, moved, Protection(slices), prediction)
        )

    check(helpers, codec, frames[0])
    check(helpers, codec, frames[1], frames[0].reference)
    check(helpers, codec, frames[2], frames[1].reference)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64)),
    slices=st.integers(1, 9),
    share=st.sampled_from([0.0, 0.02, 0.1, 0.5, 1.0]),
)
def test_every_slice_is_read_wherever_what_is_told_lies(
    helpers, skip_codec, seed, shape, codes, slices, share
):
    """Slices of all share classes, with a prediction even where none would pay."""
    network = skip_codec.tables.skip
    random = np.random.default_rng(seed)
    latent = helpers.latent(*shape, seed=seed, scale=2)
    first = helpers.encode_frame(skip_codec, latent, codes[0], 1)
    prediction = predict(first.reference, Motion(dx=5), *shape)
    said = said_symbols(prediction, codes[1], network.gains, np.arange(12, dtype=np.int32))
    gain = skip_codec.tables.code_gains[codes[1]]
    now = said.T.reshape(latent.shape) / gain[:, None, None]
    changed = random.random(shape) < share
    now[:, changed] += random.normal(0, 3, (12, changed.sum()))
    grid = Grid(min(slices, shape[0]), min(slices, shape[1]), *shape)

    rounded = round_latent(now.astype(np.float32), gain)
    trace = SkipPricer(network).trace(rounded, codes[1], grid, prediction)

    at = network.at(codes[1])
    unchanged = np.zeros(latent.shape, np.int64)
    unchanged[at.channels] = said.T.reshape(latent.shape)[at.channels]
    differs = rounded.symbols[at.channels] != unchanged[at.channels]
    assert np.array_equal(trace.told, differs.any(axis=0))
    assert np.array_equal(trace.sent[:, ~trace.told], unchanged[:, ~trace.told])
    coder = SymbolCoder(network)
    decoder = SkipDecoder(network, coder)
    surrounded = decoder.surrounded(prediction, codes[1], grid)
    for number, patch in enumerate(grid.patches()):
        rows, cols = slice(patch.y0, patch.y1), slice(patch.x0, patch.x1)
        sent, map_sent = trace.sent[:, rows, cols], trace.told[rows, cols]
        data = trace.payload(number, coder)
        symbols, told = decoder.decode(
            data, sent.shape, codes[1], trace.shares[number], surrounded.patch(grid, number)
        )
        assert np.array_equal(symbols, sent)
        assert np.array_equal(told, map_sent)
        assert bool(data) == map_sent.any()
        bits = trace.cost[rows, cols].sum()
        assert abs(len(data) - (4 + max(1, np.ceil(bits / 8))) * bool(data)) <= 4


def test_in_slices_that_need_no_other_frame_every_position_counts_as_told(helpers, skip_codec):
    latent = helpers.latent(40, 60, seed=3, scale=2)
    first = helpers.encode_frame(skip_codec, latent, 50, 10)
    changed = latent.copy()
    changed[:, :, 30:] = helpers.latent(40, 60, seed=77, scale=2)[:, :, 30:]  # a cut on one side

    mixed = helpers.encode_frame(
        skip_codec, changed, 50, 11, reference=first.reference, time_ns=helpers.time_ns
    )

    predicted = mixed.price.predicted
    assert 0 < predicted.sum() < len(predicted)
    for patch, with_it in zip(mixed.price.grid.patches(), predicted, strict=True):
        told = mixed.reference.told[patch.y0 : patch.y1, patch.x0 : patch.x1]
        assert told.all() != with_it
    check(helpers, skip_codec, mixed, first.reference)
    last = helpers.encode_frame(
        skip_codec, changed, 50, 12, reference=mixed.reference, time_ns=helpers.time_ns
    )
    check(helpers, skip_codec, last, mixed.reference)


def test_a_frame_is_predicted_from_one_of_version_3(helpers, skip_codec, learned_codec):
    latent = helpers.latent(12, 16, seed=2)
    old = helpers.encode_frame(learned_codec, latent, 40, 10)
    assert old.reference.told is None

    new = helpers.encode_frame(
        skip_codec,
        helpers.later(latent, 2, 0.1),
        40,
        11,
        reference=old.reference,
        time_ns=helpers.time_ns,
    )

    assert new.price.predicted.all()
    check(helpers, skip_codec, new, old.reference)


def test_the_map_is_part_of_the_reference(helpers, skip_codec):
    """Of two frames with the same symbols, another is not predicted alike."""
    latent = helpers.latent(12, 16, seed=2)
    first, second = helpers.two_frames(skip_codec, latent, 0.3, 40)
    other = dataclasses.replace(first.reference, told=np.zeros((12, 16), np.bool_))

    assert other.digest != first.reference.digest
    with pytest.raises(MissingReferenceError):
        helpers.read_frame(skip_codec, second, other)


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 8)])
def test_a_slice_may_be_a_single_position(helpers, skip_codec, shape):
    latent = helpers.latent(*shape, scale=3)

    first, second = helpers.two_frames(skip_codec, latent, 0.5, 60, protection=Protection(256))

    assert len(second.packets) == shape[0] * shape[1]
    check(helpers, skip_codec, second, first.reference)


def test_extremes_are_coded(helpers, skip_codec):
    latent = np.zeros((12, 8, 8), np.float32)
    latent[0, 0], latent[3, 1], latent[8, 2] = 1e9, -1e9, np.nan
    first = helpers.encode_frame(skip_codec, latent, 64, 1)
    second = helpers.encode_frame(
        skip_codec, -latent, 64, 2, reference=first.reference, time_ns=helpers.time_ns
    )

    assert second.price.predicted.any()
    check(helpers, skip_codec, second, first.reference)
    assert np.abs(second.reference.symbols).max() >= 120


@pytest.mark.parametrize("refinement", [0.0, 10.0])
def test_channels_and_groups_that_are_not_coded_become_zero(helpers, skip_codec, refinement):
    """At a lower rate, also where the reference has symbols of them and nothing is told."""
    codec = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=refinement)
    latent = np.full((12, 4, 5), 3, np.float32)
    first = helpers.encode_frame(skip_codec, latent, 24, 1)

    second = helpers.encode_frame(
        codec, latent, 23, 2, reference=first.reference, time_ns=helpers.time_ns
    )

    late = codec.tables.skip.channels[7:]
    assert second.price.predicted.all()
    assert second.reference.told.any() == (refinement == 0)
    assert first.reference.symbols[late].any(axis=(1, 2)).all()
    assert not second.reference.symbols[late].any()
    assert not second.reference.symbols[11].any()
    check(helpers, codec, second, first.reference)


def test_the_surroundings_of_a_patch_are_those_of_the_frame(helpers, skip_codec):
    network = skip_codec.tables.skip
    _, second = helpers.two_frames(skip_codec, helpers.latent(7, 9, seed=2), 0.3, 40)
    prediction = predict(second.reference, Motion(dx=30), 7, 9)
    said = said_symbols(prediction, 40, network.gains, network.at(40).channels)
    grid = Grid(2, 3, 7, 9)
    told = second.reference.told
    moved = np.zeros((7, 9))
    moved[:, :7] = told[:, 2:]
    planes = np.concatenate((moved[..., None], said.reshape(7, 9, -1).clip(-7, 7)), 2)
    planes = np.concatenate((planes, prediction.known[..., None]), 2)
    padded = np.pad(planes, ((1, 1), (1, 1), (0, 0)))

    whole = Surrounded.of(prediction, said, grid)

    assert 0 < moved.sum() < moved.size
    for number, patch in enumerate(grid.patches()):
        part = whole.patch(grid, number)
        rows = iter(zip(part.side, part.said, strict=True))
        for phase in (0, 1):
            for y in range(patch.y0, patch.y1):
                for x in range(patch.x0, patch.x1):
                    if (y - patch.y0 + x - patch.x0) % 2 == phase:
                        side, own = next(rows)
                        assert np.array_equal(side, padded[y : y + 3, x : x + 3].reshape(-1))
                        assert np.array_equal(own, said[y * 9 + x])
        assert next(rows, None) is None
