# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a skip network's encoder chooses to tell, and what it takes for it."""

import numpy as np
import pytest

from sc2_ros.codec import packet as wire
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.prediction import Motion, predict
from sc2_ros.codec.skip_pricing import SkipPricer
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.symbols import round_latent


@pytest.mark.parametrize("code", [0, 30, 64])
def test_refined_symbols_cost_less_and_are_read_as_sent(helpers, skip_codec, code):
    refining = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=0.07)
    latent = helpers.latent(30, 40, seed=5)

    _, plain = helpers.two_frames(skip_codec, latent, 0.1, code)
    first, second = helpers.two_frames(refining, latent, 0.1, code)

    assert second.price.size_bytes < plain.price.size_bytes
    assert second.reference.told.mean() < plain.reference.told.mean()
    assert helpers.read_frame(refining, second, first.reference).digest == second.reference.digest


def test_refinement_moves_what_is_told_towards_the_mean_by_one(helpers, skip_codec):
    tables, code = skip_codec.tables, 60
    latent = helpers.latent(12, 16, seed=8)
    first = helpers.encode_frame(skip_codec, latent, code, 1)
    prediction = predict(first.reference, Motion(), 12, 16)
    later = helpers.later(latent, 5, 0.6)
    grid, pricer = Grid(1, 1, 12, 16), SkipPricer(tables.skip)
    plain = round_latent(later, tables.code_gains[code])
    refined = round_latent(later, tables.code_gains[code], 0.07)

    trace = pricer.trace(refined, code, grid, prediction)

    away = trace.sent.astype(int) - plain.symbols
    away[~np.isin(np.arange(12), tables.skip.channels)] = 0
    assert np.abs(away[:, trace.told]).max() == 1
    assert pricer.trace(plain, code, grid, prediction).cost.sum() > trace.cost.sum()


def test_what_a_bit_is_worth_may_differ_from_position_to_position(helpers, skip_codec):
    tables = skip_codec.tables
    latent = helpers.latent(12, 16, seed=8, scale=2)
    left = np.zeros((12, 16), np.float32)
    left[:, :8] = 10.0
    refining = LatentCodec(tables, helpers.checkpoint, refinement=lambda latent: left)
    first = helpers.encode_frame(skip_codec, latent, 40, 1)
    later = helpers.later(latent, 5, 0.3)

    plain, frugal = (
        helpers.encode_frame(codec, later, 40, 2, reference=first.reference).reference.told
        for codec in (skip_codec, refining)
    )

    assert plain[:, :8].sum() > frugal[:, :8].sum()
    assert np.array_equal(plain[:, 8:], frugal[:, 8:])


def test_a_frame_that_is_as_predicted_takes_less_than_20_bytes(helpers, skip_codec):
    refining = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=10.0)
    latent = helpers.latent(30, 40, seed=3)

    first, second = helpers.two_frames(refining, latent, 0.02, 30)

    (data,) = second.packets
    packet = wire.parse(data)
    assert not second.reference.told.any()
    assert np.array_equal(second.reference.symbols, first.reference.symbols)
    assert len(packet.payload) == 2  # the hash, and no rANS bytes
    assert packet.header.head_bits >> 1 == 0
    assert len(data) == second.price.size_bytes == 13
    assert helpers.read_frame(refining, second, first.reference).digest == second.reference.digest


def test_a_still_scene_costs_a_fraction(helpers, skip_codec, learned_codec):
    latent = helpers.latent(30, 40, seed=3)

    first, second = helpers.two_frames(skip_codec, latent, 0.05, 30)
    _, without = helpers.two_frames(learned_codec, latent, 0.05, 30)

    assert second.price.predicted.all()
    assert second.price.size_bytes < 0.6 * without.price.size_bytes
    assert second.price.size_bytes < 0.4 * first.price.size_bytes


def test_a_frame_that_needs_no_other_costs_what_it_did(helpers, skip_codec, learned_codec):
    latent = helpers.latent(30, 40, seed=3)

    ours, theirs = (
        helpers.encode_frame(codec, latent, 30, 10) for codec in (skip_codec, learned_codec)
    )

    assert [len(data) for data in ours.packets] == [len(data) for data in theirs.packets]
    assert np.array_equal(ours.reference.symbols, theirs.reference.symbols)


def test_highest_code_is_the_last_that_fits(helpers, skip_codec):
    latent = helpers.latent(24, 32)
    first = helpers.encode_frame(skip_codec, latent, 30, 1)
    prediction = skip_codec.predict(first.reference, Motion(), (24, 32))
    later = helpers.later(latent, 5, 0.2)
    sizes = [skip_codec.price(later, c, prediction=prediction).size_bytes for c in range(65)]

    for budget in np.geomspace(sizes[0], sizes[-1] + 1, 5).astype(int):
        code = skip_codec.highest_code(later, budget, near=30, prediction=prediction)
        assert sizes[code] <= budget
        assert code == 64 or sizes[code + 1] > budget


def test_the_layout_of_the_latent_in_memory_does_not_matter(helpers, skip_codec):
    latent = helpers.latent(20, 24)
    first = helpers.encode_frame(skip_codec, latent, 33, 1)
    later = helpers.later(latent, 5, 0.3)
    channels_last = np.ascontiguousarray(later.transpose(1, 2, 0)).transpose(2, 0, 1)
    refining = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=0.07)

    one, other = (
        helpers.encode_frame(refining, given, 33, 2, reference=first.reference).packets
        for given in (later, channels_last)
    )

    assert one == other


def test_the_symbols_that_are_chosen_are_those_that_are_sent(helpers, skip_codec):
    refining = LatentCodec(skip_codec.tables, helpers.checkpoint, refinement=0.07)
    latent = helpers.latent(12, 16, seed=2)
    first, second = helpers.two_frames(refining, latent, 0.3, 40)
    prediction = refining.predict(first.reference, Motion(), (12, 16))

    chosen = refining.choose(helpers.later(latent, 5, 0.3), 40, prediction)

    assert len(second.packets) == 1
    assert np.array_equal(chosen, second.reference.symbols)
