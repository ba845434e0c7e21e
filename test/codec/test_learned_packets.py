# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Packets of version 3 and of others where there is a context network; damaged and forged ones."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.references import ReferenceWindow
from sc2_ros.errors import PacketError


def window(*references):
    kept = ReferenceWindow()
    for reference in references:
        kept.put(reference)
    return kept


def test_a_checkpoint_without_a_network_refuses_version_3(helpers, codec, learned_codec):
    latent = helpers.latent(9, 9)
    first = helpers.encode_frame(learned_codec, latent, 30, 10)
    second = helpers.encode_frame(learned_codec, latent, 30, 11, reference=first.reference)
    both = LatentCodec(dataclasses.replace(learned_codec.tables, context=None), helpers.checkpoint)

    for data in first.packets + second.packets:
        for other in (codec, both):
            with pytest.raises(PacketError, match="no context network|no tables"):
                other.decode(wire.parse(data), window(first.reference))


def test_versions_1_and_2_are_read_by_a_checkpoint_with_a_network(
    helpers, temporal_codec, learned_codec
):
    latent = helpers.latent(20, 20, seed=1)
    first = helpers.encode_frame(temporal_codec, latent, 30, 10)
    second = helpers.encode_frame(
        temporal_codec, helpers.later(latent, 1, 0.1), 30, 11, reference=first.reference
    )

    versions = [wire.parse(frame.packets[0]).header.version for frame in (first, second)]
    read = [
        helpers.decode_frame(learned_codec, frame.packets, window(first.reference))
        for frame in (first, second)
    ]

    assert versions == [1, 2]
    assert np.array_equal(read[0], first.reference.symbols)
    assert np.array_equal(read[1], second.reference.symbols)


def test_version_2_without_temporal_tables_is_refused(helpers, temporal_codec, learned_codec):
    latent = helpers.latent(20, 20, seed=1)
    first = helpers.encode_frame(temporal_codec, latent, 30, 10)
    second = helpers.encode_frame(temporal_codec, latent, 30, 12, reference=first.reference)
    alone = LatentCodec(
        dataclasses.replace(learned_codec.tables, temporal=None), helpers.checkpoint
    )

    assert alone.predicts
    with pytest.raises(PacketError, match="no tables"):
        alone.decode(wire.parse(second.packets[0]), window(first.reference))


@pytest.fixture(scope="module")
def frames(helpers, learned_codec):
    """A frame and one that is predicted from it."""
    latent = helpers.latent(14, 14, seed=3)
    first = helpers.encode_frame(learned_codec, latent, 40, 10)
    changed = helpers.later(latent, 3, 0.4)
    return first, helpers.encode_frame(learned_codec, changed, 40, 11, reference=first.reference)


@given(
    data=st.binary(min_size=0, max_size=80),
    predicted=st.booleans(),
    whole=st.booleans(),
    code=st.integers(0, 64),
    rows=st.integers(1, 16),
)
def test_hostile_payloads_are_refused_or_read(
    learned_codec, frames, data, predicted, whole, code, rows
):
    packet = wire.parse(frames[predicted].packets[0])
    head = 0 if whole else (4 if predicted else 9)
    hostile = wire.Packet(
        dataclasses.replace(packet.header, rate_code=code, rows=rows),
        packet.payload[:head] + data,
    )
    try:
        piece = learned_codec.decode(hostile, window(frames[0].reference))
    except PacketError:
        return
    assert np.abs(piece.symbols).max() <= 127


@given(place=st.integers(0, 1000), bit=st.integers(0, 7), predicted=st.booleans())
def test_damaged_payloads_are_refused_or_read(learned_codec, frames, place, bit, predicted):
    packet = wire.parse(frames[predicted].packets[0])
    head = 4 if predicted else 9
    damaged = bytearray(packet.payload)
    damaged[head + place % (len(damaged) - head)] ^= 1 << bit
    try:
        piece = learned_codec.decode(
            wire.Packet(packet.header, bytes(damaged)), window(frames[0].reference)
        )
    except PacketError:
        return
    assert piece.symbols.shape == (12, 14, 14)
    assert np.abs(piece.symbols).max() <= 127
