# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding with a context network: what the drone sends is what the ground reads."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec, Protection
from sc2_ros.codec.learned import LearnedPricer, patch_side, side_input, side_map
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import round_latent


def window(*references):
    kept = ReferenceWindow()
    for reference in references:
        kept.put(reference)
    return kept


def check(helpers, codec, frame, references=None):
    """Whatever was sent is read, each packet by a decoder that saw none before, at its price."""
    read = helpers.decode_frame(codec, frame.packets, references)
    assert np.array_equal(read, frame.reference.symbols)
    for size_bytes, data in zip(frame.price.slice_bytes, frame.packets, strict=True):
        assert abs(size_bytes - len(data)) <= 4
        assert len(data) <= 1200
        assert wire.parse(data).header.version == 3


@settings(max_examples=12)
@given(
    seed=st.integers(0, 1000),
    shape=st.tuples(st.integers(1, 30), st.integers(1, 36)),
    code=st.integers(0, 64),
    scale=st.floats(0, 9),
    slices=st.integers(1, 30),
)
def test_a_frame_comes_out_as_it_went_in(helpers, learned_codec, seed, shape, code, scale, slices):
    latent = helpers.latent(*shape, seed=seed, scale=scale)
    size = (shape[1] * 16, shape[0] * 16)
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 7)

    frame = learned_codec.encode_frame(
        latent, code, header, wire.Geometry(size, size), Protection(slices)
    )

    check(helpers, learned_codec, frame)
    price = learned_codec.price(latent, code, Protection(slices))
    assert price.size_bytes == frame.price.size_bytes or frame.price.code < code


@settings(max_examples=20)
@given(
    seed=st.integers(0, 1000),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64)),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 30)),
    dx=st.integers(-400, 400),
    turn=st.integers(-128, 127),
    change=st.floats(0, 1),
    origin=st.tuples(st.integers(0, 15), st.integers(0, 15)),
)
def test_a_predicted_frame_comes_out_as_it_went_in(
    helpers, learned_codec, seed, codes, shape, dx, turn, change, origin
):
    codec = learned_codec
    latent = helpers.latent(*shape, seed=seed)
    size = (shape[1] * 16 - origin[0], shape[0] * 16 - origin[1])
    geometry = wire.Geometry(size, size)
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 10)
    cut = latent[:, : geometry.latent_shape[0], : geometry.latent_shape[1]]
    first = codec.encode_frame(cut, codes[0], header, geometry)
    second = helpers.encode_frame(
        codec,
        helpers.later(latent, seed, change),
        codes[1],
        13,
        reference=first.reference,
        motion=Motion(dx, -dx // 3, turn // 2, turn),
        origin=origin,
    )

    check(helpers, codec, first)
    check(helpers, codec, second, window(first.reference))


@pytest.mark.parametrize("code", [0, 30, 64])
def test_refined_symbols_cost_less_and_are_read_as_sent(helpers, learned_codec, code):
    refining = LatentCodec(learned_codec.tables, helpers.checkpoint, refinement=0.04)
    latent = helpers.latent(30, 40, seed=5)
    changed = helpers.later(latent, 5, 0.2)
    plain = helpers.encode_frame(learned_codec, latent, code, 10)
    first = helpers.encode_frame(refining, latent, code, 10)
    second = helpers.encode_frame(refining, changed, code, 11, reference=first.reference)
    plain_second = helpers.encode_frame(learned_codec, changed, code, 11, reference=plain.reference)

    assert first.price.size_bytes < plain.price.size_bytes
    assert second.price.size_bytes < plain_second.price.size_bytes
    check(helpers, refining, first)
    check(helpers, refining, second, window(first.reference))
    assert np.array_equal(refining.choose(latent, code), first.reference.symbols) or (
        first.price.grid.rows * first.price.grid.cols > 1
    )


def test_refinement_moves_towards_the_mean_by_one(helpers, learned_codec):
    network = learned_codec.tables.context
    latent = helpers.latent(12, 16, seed=8)
    gain, grid = learned_codec.tables.code_gains[40], Grid(1, 1, 12, 16)

    plain = LearnedPricer(network).trace(round_latent(latent, gain), 40, grid)
    refined = LearnedPricer(network).trace(round_latent(latent, gain, 0.3), 40, grid)

    moved = refined.sent.astype(int) - plain.sent
    assert np.abs(moved).max() == 1
    assert np.abs(refined.sent - latent * gain[:, None, None])[moved != 0].max() < 2
    assert refined.cost.sum() < plain.cost.sum()


@pytest.mark.parametrize("kind", ["temporal", "learned"])
def test_refinement_differs_from_position_to_position(request, helpers, kind):
    tables = request.getfixturevalue(f"{kind}_codec").tables
    left = np.zeros((12, 16), np.float32)
    left[:, :8] = 0.3
    latent = helpers.latent(12, 16, seed=8)
    plain = LatentCodec(tables, helpers.checkpoint)
    refining = LatentCodec(tables, helpers.checkpoint, refinement=lambda latent: left)

    moved = refining.choose(latent, 40) != plain.choose(latent, 40)

    assert moved[..., :8].any()
    assert not moved[..., 8:].any()


def test_every_slice_is_read_alone(helpers, learned_codec):
    latent = helpers.latent(40, 60, seed=3, scale=2)
    first = helpers.encode_frame(learned_codec, latent, 50, 10)
    changed = helpers.later(latent, 3, 0.05)
    changed[:, :, 30:] = helpers.latent(40, 60, seed=77, scale=2)[:, :, 30:]  # a cut on one side
    mixed = helpers.encode_frame(learned_codec, changed, 50, 11, reference=first.reference)

    packets = [wire.parse(data) for data in mixed.packets]

    assert {packet.header.reference for packet in packets} == {0, 1}
    assert not mixed.price.predicted.all()
    for packet in reversed(packets):
        alone = LatentCodec(learned_codec.tables, helpers.checkpoint)
        piece = alone.decode(packet, window(first.reference))
        _, height, width = piece.symbols.shape
        there = (
            slice(None),
            slice(piece.y0, piece.y0 + height),
            slice(piece.x0, piece.x0 + width),
        )
        assert np.array_equal(piece.symbols, mixed.reference.symbols[there])


def test_a_still_scene_costs_a_fraction(helpers, learned_codec):
    latent = helpers.latent(30, 40, seed=3)
    first = helpers.encode_frame(learned_codec, latent, 30, 10)
    again = helpers.later(latent, 3, 0.05)
    intra = helpers.encode_frame(learned_codec, again, 30, 11)
    predicted = helpers.encode_frame(learned_codec, again, 30, 11, reference=first.reference)

    assert predicted.price.predicted.all()
    assert predicted.price.size_bytes < 0.7 * intra.price.size_bytes


def test_highest_code_is_the_last_that_fits(helpers, learned_codec):
    latent = helpers.latent(24, 32)
    sizes = [learned_codec.price(latent, code).size_bytes for code in range(65)]

    for budget in np.geomspace(sizes[0], sizes[-1] + 1, 5).astype(int):
        code = learned_codec.highest_code(latent, budget, near=30)
        assert sizes[code] <= budget
        assert code == 64 or sizes[code + 1] > budget


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (6, 8)])
def test_a_slice_may_be_a_single_position(helpers, learned_codec, shape):
    latent = helpers.latent(*shape, scale=3)
    size = (shape[1] * 16, shape[0] * 16)
    header = wire.Header(wire.PacketType.FEATURES, 3, helpers.checkpoint, 7)

    frame = learned_codec.encode_frame(
        latent, 60, header, wire.Geometry(size, size), Protection(256)
    )

    assert len(frame.packets) == shape[0] * shape[1]
    check(helpers, learned_codec, frame)


def test_channels_and_groups_that_are_not_coded_are_zero(helpers, learned_codec):
    latent = np.full((12, 4, 5), 3, np.float32)

    low = helpers.encode_frame(learned_codec, latent, 23, 1).reference.symbols
    high = helpers.encode_frame(learned_codec, latent, 24, 1).reference.symbols

    late = learned_codec.tables.context.channels[6:]
    assert not low[late].any()
    assert high[late].any(axis=(1, 2)).all()
    assert not low[11].any()
    assert not high[11].any()


def test_extremes_are_coded(helpers, learned_codec):
    latent = np.zeros((12, 8, 8), np.float32)
    latent[0, 0], latent[3, 1], latent[8, 2] = 1e9, -1e9, np.nan
    first = helpers.encode_frame(learned_codec, latent, 64, 1)
    second = helpers.encode_frame(learned_codec, -latent, 64, 2, reference=first.reference)

    assert np.abs(first.reference.symbols).max() == 127
    check(helpers, learned_codec, first)
    check(helpers, learned_codec, second, window(first.reference))
    assert np.abs(second.reference.symbols).max() >= 120


def test_slices_without_a_coded_symbol_are_empty(helpers, learned_codec):
    network = learned_codec.tables.context
    silent = dataclasses.replace(
        network,
        leave=np.zeros_like(network.leave),
        leave_bias=np.zeros_like(network.leave_bias),
    )
    tables = dataclasses.replace(learned_codec.tables, context=silent)
    codec = LatentCodec(tables, helpers.checkpoint)
    latent = helpers.latent(4, 4)

    frame = helpers.encode_frame(codec, latent, 64, 1)

    assert [len(data) for data in frame.packets] == [33]
    assert codec.price(latent, 64).size_bytes == 33
    assert not helpers.decode_frame(codec, frame.packets).any()


def test_the_layout_of_the_latent_in_memory_does_not_matter(helpers, learned_codec):
    latent = helpers.latent(20, 24)
    channels_last = np.ascontiguousarray(latent.transpose(1, 2, 0)).transpose(2, 0, 1)
    refining = LatentCodec(learned_codec.tables, helpers.checkpoint, refinement=0.04)

    assert helpers.encode(refining, channels_last, 33) == helpers.encode(refining, latent, 33)


def test_repair_packets_bring_slices_back_as_version_3(helpers, learned_codec):
    latent = helpers.latent(20, 24)
    packets = helpers.encode(learned_codec, latent, 40, protection=Protection(2, 1))

    assert {wire.parse(data).header.version for data in packets} == {3}
    assert wire.parse(packets[-1]).header.type is wire.PacketType.REPAIR


def test_a_reference_is_scaled_in_integers_and_clipped(learned_codec):
    network = learned_codec.tables.context
    symbols = np.zeros((12, 2, 2), np.int8)
    symbols[:, 0, 0], symbols[:, 0, 1] = 9, -5
    symbols[:, 1, 1] = 127
    reference = Reference(0, 40, wire.Geometry((32, 32), (32, 32)), symbols)

    said = side_map(predict(reference, Motion(), 2, 2), 30, network.gains, network.channels)

    assert said.shape == (4, 12)
    assert (said[:, -1] == 1).all()
    assert (said[2] == [*[0] * 11, 1]).all()
    for column, channel in enumerate(network.channels):
        old, new = int(network.gains[40, channel]), int(network.gains[30, channel])
        ratio = (new << 12) // old
        expected = [min(q * ratio + 2048 >> 12, 7) for q in (9, 5, 127)]
        assert [said[0, column], -said[1, column], said[3, column]] == expected


def test_the_side_of_a_patch_is_that_of_the_frame(helpers, learned_codec):
    network = learned_codec.tables.context
    latent = helpers.latent(7, 9, seed=2)
    first = helpers.encode_frame(learned_codec, latent, 40, 1)
    prediction = predict(first.reference, Motion(dx=30), 7, 9)
    grid = Grid(2, 3, 7, 9)
    said = side_map(prediction, 40, network.gains, network.at(40).channels).reshape(7, 9, -1)
    padded = np.pad(said, ((1, 1), (1, 1), (0, 0)))

    whole = side_input(prediction, 40, network, grid)

    for number, patch in enumerate(grid.patches()):
        rows = iter(patch_side(whole, grid, number))
        for phase in (0, 1):
            for y in range(patch.y0, patch.y1):
                for x in range(patch.x0, patch.x1):
                    if (y - patch.y0 + x - patch.x0) % 2 == phase:
                        near = padded[y : y + 3, x : x + 3].reshape(-1)
                        assert np.array_equal(next(rows), near)
        assert next(rows, None) is None
