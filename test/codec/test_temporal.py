# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Predicted slices: what the drone sends is what the ground reads, at the price foretold."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.prediction import Motion, predict, scale
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables
from sc2_ros.errors import CheckpointError, MissingReferenceError, PacketError, ParameterError


def window(*references):
    kept = ReferenceWindow()
    for reference in references:
        kept.put(reference)
    return kept


@given(
    seed=st.integers(0, 1000),
    codes=st.tuples(st.integers(0, 64), st.integers(0, 64)),
    shape=st.tuples(st.integers(1, 24), st.integers(1, 30)),
    dx=st.integers(-400, 400),
    turn=st.integers(-128, 127),
    change=st.floats(0, 1),
)
def test_a_predicted_frame_comes_out_as_it_went_in(
    helpers, temporal_codec, seed, codes, shape, dx, turn, change
):
    codec = temporal_codec
    latent = helpers.latent(*shape, seed=seed)
    first = helpers.encode_frame(codec, latent, codes[0], 10)
    second = helpers.encode_frame(
        codec,
        helpers.later(latent, seed, change),
        codes[1],
        13,
        reference=first.reference,
        motion=Motion(dx, -dx // 3, turn // 2, turn),
    )

    read = helpers.decode_frame(codec, second.packets, window(first.reference))

    assert np.array_equal(read, second.reference.symbols)
    size_bytes = sum(map(len, second.packets))
    assert abs(second.price.size_bytes - size_bytes) <= 4 * len(second.packets)


@pytest.mark.parametrize("code", [0, 20, 40])
def test_refined_symbols_cost_less_and_are_read_as_sent(helpers, temporal_codec, code):
    refining = LatentCodec(temporal_codec.tables, helpers.checkpoint, refinement=0.04)
    latent = helpers.latent(30, 40, seed=5)
    changed = helpers.later(latent, 5, 0.2)
    plain = helpers.encode_frame(temporal_codec, latent, code, 10)
    first = helpers.encode_frame(refining, latent, code, 10)
    second = helpers.encode_frame(refining, changed, code, 11, reference=first.reference)
    plain_second = helpers.encode_frame(
        temporal_codec, changed, code, 11, reference=plain.reference
    )

    assert first.price.size_bytes < plain.price.size_bytes
    assert second.price.size_bytes < plain_second.price.size_bytes
    assert np.abs(first.reference.symbols - plain.reference.symbols.astype(int)).max() == 1
    for frame in (first, second):
        read = helpers.decode_frame(refining, frame.packets, window(first.reference))
        assert np.array_equal(read, frame.reference.symbols)
        assert abs(frame.price.size_bytes - sum(map(len, frame.packets))) <= 4 * len(frame.packets)


def test_a_still_scene_costs_a_fraction(helpers, temporal_codec):
    latent = helpers.latent(30, 40, seed=3)
    first = helpers.encode_frame(temporal_codec, latent, 30, 10)
    intra = helpers.encode_frame(temporal_codec, helpers.later(latent, 3, 0.05), 30, 11)
    predicted = helpers.encode_frame(
        temporal_codec, helpers.later(latent, 3, 0.05), 30, 11, reference=first.reference
    )

    assert predicted.price.predicted.all()
    assert predicted.price.size_bytes < 0.5 * intra.price.size_bytes


def test_each_slice_takes_the_cheaper_way(helpers, temporal_codec):
    latent = helpers.latent(40, 60, seed=3, scale=2)
    first = helpers.encode_frame(temporal_codec, latent, 40, 10)
    changed = helpers.later(latent, 3, 0.05)
    changed[:, :, 30:] = helpers.latent(40, 60, seed=77, scale=2)[:, :, 30:]  # a cut on one side
    mixed = helpers.encode_frame(temporal_codec, changed, 40, 11, reference=first.reference)

    references = [wire.parse(data).header.reference for data in mixed.packets]
    versions = {wire.parse(data).header.version for data in mixed.packets}

    assert set(references) == {0, 1}
    assert versions == {2}
    read = helpers.decode_frame(temporal_codec, mixed.packets, window(first.reference))
    assert np.array_equal(read, mixed.reference.symbols)


def test_a_new_scene_is_sent_as_version_1_to_the_byte(helpers, temporal_codec):
    first = helpers.encode_frame(temporal_codec, helpers.latent(20, 20, seed=1), 30, 10)
    other = helpers.latent(20, 20, seed=2)
    cut = helpers.encode_frame(temporal_codec, other, 30, 11, reference=first.reference)
    intra = helpers.encode_frame(temporal_codec, other, 30, 11)

    assert cut.packets == intra.packets
    assert wire.parse(cut.packets[0]).header.version == 1


def test_a_moved_grid_says_its_origin(helpers, temporal_codec):
    frame = helpers.encode_frame(
        temporal_codec, helpers.latent(20, 20, seed=1), 30, 10, origin=(12, 4)
    )
    piece = temporal_codec.decode(wire.parse(frame.packets[0]))

    assert piece.geometry.origin == (12, 4)
    assert piece.geometry.encoded_size == (308, 316)


def test_a_station_without_the_reference_refuses(helpers, temporal_codec):
    latent = helpers.latent(20, 20, seed=1)
    first = helpers.encode_frame(temporal_codec, latent, 30, 10)
    other = helpers.encode_frame(temporal_codec, helpers.latent(20, 20, seed=2), 30, 10)
    second = helpers.encode_frame(temporal_codec, latent, 30, 12, reference=first.reference)
    packet = wire.parse(second.packets[0])

    with pytest.raises(MissingReferenceError, match="frame 10, which is not here"):
        temporal_codec.decode(packet)
    with pytest.raises(MissingReferenceError, match="not here"):
        temporal_codec.decode(packet, window())
    with pytest.raises(MissingReferenceError, match="another one here"):
        temporal_codec.decode(packet, window(other.reference))
    moved = dataclasses.replace(
        first.reference, geometry=wire.Geometry((320, 320), (320, 320), (4, 0))
    )
    with pytest.raises(MissingReferenceError, match="another one here"):
        temporal_codec.decode(packet, window(moved))


def test_a_checkpoint_without_temporal_tables_refuses(helpers, temporal_codec, codec):
    latent = helpers.latent(20, 20, seed=1)
    first = helpers.encode_frame(temporal_codec, latent, 30, 10)
    second = helpers.encode_frame(temporal_codec, latent, 30, 12, reference=first.reference)

    with pytest.raises(PacketError, match="no tables"):
        codec.decode(wire.parse(second.packets[0]), window(first.reference))
    assert codec.predict(first.reference, Motion(), (20, 20)) is None


def test_another_size_cannot_be_predicted(helpers, temporal_codec):
    first = helpers.encode_frame(temporal_codec, helpers.latent(20, 20), 30, 10)

    with pytest.raises(ParameterError, match="another size"):
        helpers.encode_frame(
            temporal_codec, helpers.latent(20, 24), 30, 11, reference=first.reference
        )


@given(data=st.binary(min_size=0, max_size=60), seed=st.integers(0, 50))
def test_hostile_predicted_payloads_are_refused_or_read(helpers, temporal_codec, data, seed):
    first = helpers.encode_frame(temporal_codec, helpers.latent(8, 9, seed=seed), 30, 10)
    second = helpers.encode_frame(
        temporal_codec, helpers.latent(8, 9, seed=seed), 30, 11, reference=first.reference
    )
    packet = wire.parse(second.packets[0])
    hostile = wire.Packet(
        dataclasses.replace(packet.header, version=2, reference=1),
        (packet.payload[:11] if seed % 2 else b"") + data,
    )
    try:
        piece = temporal_codec.decode(hostile, window(first.reference))
    except PacketError:
        return
    assert np.abs(piece.symbols).max() <= 127


def test_a_reference_moves_with_the_picture():
    symbols = np.zeros((1, 6, 8), np.int8)
    symbols[0, 2, 5] = 3
    reference = Reference(0, 10, wire.Geometry((128, 96), (128, 96)), symbols)

    moved = predict(reference, Motion(dx=32, dy=-16), 6, 8)

    assert moved.value.tolist() == [3]
    assert divmod(int(moved.position[0]), 8) == (3, 3)
    assert not moved.known[0].any()
    assert not moved.known[:, 6:].any()
    assert moved.known[1:, :6].all()


def test_gains_scale_by_integers(temporal_codec):
    tables = temporal_codec.tables.temporal
    symbols = np.zeros((12, 2, 2), np.int8)
    symbols[:, 0, 0] = 4
    symbols[:, 1, 1] = -4
    reference = Reference(0, 64, wire.Geometry((32, 32), (32, 32)), symbols)

    scaled = scale(predict(reference, Motion(), 2, 2), 32, tables)

    gains = tables.gains.astype(object)
    for channel, value in zip(
        predict(reference, Motion(), 2, 2).channel, scaled.value, strict=True
    ):
        ratio = (gains[32, channel] << 12) // gains[64, channel]
        assert abs(value) == min((4 * ratio + 2048) >> 12, 3)


def test_the_window_forgets(helpers, temporal_codec):
    first = helpers.encode_frame(temporal_codec, helpers.latent(2, 2), 30, 65_530).reference
    kept = window(first)
    for frame in range(65_531, 65_530 + 33):
        kept.put(dataclasses.replace(first, frame=frame & 0xFFFF))
    assert kept.get(65_530) is first
    kept.put(dataclasses.replace(first, frame=27))

    assert kept.get(65_530) is None
    assert kept.get(65_531) is not None
    assert len(kept) == 33


def test_temporal_tables_travel_in_a_checkpoint(temporal_codec):
    tables = temporal_codec.tables
    read = CodingTables.from_arrays(tables.to_arrays())

    for field in dataclasses.fields(tables.temporal):
        one, other = getattr(tables.temporal, field.name), getattr(read.temporal, field.name)
        assert np.array_equal(one, other)


@pytest.mark.parametrize("name", ["gains", "levels", "activity", "index", "cdfs", "sizes"])
def test_a_missing_or_damaged_temporal_array_is_refused(temporal_codec, name):
    arrays = temporal_codec.tables.to_arrays()
    missing = {key: value for key, value in arrays.items() if key != f"temporal_{name}"}
    with pytest.raises(CheckpointError, match=name):
        CodingTables.from_arrays(missing)

    with pytest.raises(CheckpointError):
        CodingTables.from_arrays(arrays | {f"temporal_{name}": arrays[f"temporal_{name}"][:1] * 0})
