# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents to packets: plans and their prices, the search for a rate, protection."""

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.entropy.context_network import ContextNetwork
from sc2_ros.codec.frame.plan import FrameTooBigError, Protection
from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.symbols import round_latent
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.wire import Motion
from sc2_ros.errors import ParameterError

SIZES = [(32, 32), (33, 47), (16, 400), (640, 512), (641, 479), (1280, 720), (1920, 1080)]


def shape_of(size):
    return -(-size[1] // 16), -(-size[0] // 16)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("code", [0, 29, 64])
def test_a_keyframe_comes_back(helpers, codec, size, code):
    frame = codec.encode(helpers.latent(*shape_of(size)), code, size=size)

    codec.check(frame)
    assert frame.reference.coded.all()
    assert not frame.price.predicted.any()


def test_headers_say_all_about_the_frame(helpers, codec):
    latent = helpers.latent(33, 41)

    frame = codec.encode(latent, 40, 4_464, size=(633, 500), stream=9, time_ns=-5, origin=(15, 14))

    for number, data in enumerate(frame.packets):
        piece = codec.decoder.decode(wire.parse(data))
        header = piece.header
        assert (data.frame, data.number) == (header.frame, header.slice) == (4_464, number)
        assert (header.stream, header.rate_code, header.capture_time_ns) == (9, 40, -5)
        assert header.checkpoint_id == helpers.checkpoint
        assert header.slices == len(frame.packets)
        assert (piece.encoded_size, piece.geometry.origin) == ((633, 500), (15, 14))
        assert (piece.grid_h, piece.grid_w) == (33, 41)


@settings(max_examples=40)
@given(
    st.integers(1, 40), st.integers(1, 40), st.integers(0, 64), st.integers(0, 999), st.floats(0, 9)
)
def test_price_is_the_coded_size_to_one_percent(helpers, codec, height, width, code, seed, scale):
    frame = codec.frame(helpers.latent(height, width, seed, scale))

    plan = codec.encoder.plan(frame, code)
    packets = codec.encoder.encode(plan, stream=0, frame=0, capture_time_ns=0).packets

    sizes = np.array([len(data) for data in packets])
    assert plan.grid.rows * plan.grid.cols == len(packets)
    assert abs(plan.price.size_bytes - sizes.sum()) <= max(0.01 * sizes.sum(), len(packets))
    # Each packet to the word: what rANS rounds is less than that.
    assert np.abs(plan.price.slice_bytes - sizes).max() <= 4


@pytest.mark.parametrize("predicted", [False, True])
@pytest.mark.parametrize("near", [None, 0, 64])
def test_the_search_finds_the_highest_code_that_fits(helpers, tables, near, predicted):
    codec = helpers.codec(tables)
    latent = helpers.latent(24, 32)
    first = codec.encode(latent, 30, 1)
    frame = codec.frame(helpers.later(latent, change=0.6), first.reference if predicted else None)
    sizes = [codec.encoder.price(frame, code).price.size_bytes for code in range(65)]

    def found(budget, **options):
        plan = codec.encoder.search(frame, budget, near=near, **options)
        return None if plan is None else plan.code

    for budget in np.geomspace(sizes[0], max(sizes) + 1, 6).astype(int):
        code = found(budget)
        assert sizes[code] <= budget
        assert code == 64 or sizes[code + 1] > budget
    assert found(min(sizes) - 1) is None
    assert found(1e9, low=5, high=31) == 31
    assert found(sizes[10], low=12) is None or sizes[12] <= sizes[10]


def test_a_search_with_slack_is_done_sooner(helpers, tables, monkeypatch):
    codec = helpers.codec(tables)
    frame = codec.frame(helpers.latent(24, 32))
    tried = []
    plan = Planner.plan
    monkeypatch.setattr(
        Planner,
        "plan",
        lambda self, *given, **named: tried.append(1) or plan(self, *given, **named),
    )

    budget = codec.encoder.price(frame, 30).price.size_bytes + 40
    best = codec.encoder.search(frame, budget)
    without = len(tried)
    tried.clear()
    good = codec.encoder.search(frame, budget, slack=0.2)

    assert len(tried) < without
    assert 0.8 * budget <= good.price.size_bytes <= best.price.size_bytes <= budget


def test_what_a_search_returns_is_what_is_sent(helpers, codec):
    plan = codec.encoder.search(codec.frame(helpers.latent(20, 20)), 2000)

    sent = codec.encoder.encode(plan, stream=0, frame=0, capture_time_ns=0)

    codec.check(sent)
    assert sent.price is plan.price
    assert np.array_equal(plan.sent()[0], sent.reference.symbols)


def test_size_rises_with_the_rate(helpers, codec):
    frame = codec.frame(helpers.latent(24, 32))

    sizes = [codec.encoder.price(frame, code).price.size_bytes for code in (0, 16, 32, 48, 64)]

    assert all(low < high for low, high in itertools.pairwise(sizes))


def test_what_is_dequantised_is_within_half_a_step(helpers, codec, tables):
    latent = helpers.latent(8, 8)

    sent = codec.encode(latent, 64).reference.symbols

    back = tables.dequantise(sent, 64)
    assert back.dtype == np.float32
    assert np.all(np.abs(back - latent) <= 0.5001 / tables.gains[64][:, None, None])


@pytest.mark.parametrize("rdoq_lambda", [0.0, 0.04])
def test_the_layout_of_the_latent_in_memory_does_not_matter(helpers, codec, rdoq_lambda):
    refining = codec.with_lambda(rdoq_lambda)
    latent = helpers.latent(20, 24)
    first = refining.encode(latent, 33)
    channels_last = np.ascontiguousarray(latent.transpose(1, 2, 0)).transpose(2, 0, 1)

    for options in ({}, {"reference": first.reference}):
        frames = [refining.encode(each, 33, 9, **options) for each in (latent, channels_last)]
        assert frames[0].packets == frames[1].packets


def test_a_frame_of_zeros_is_hardly_anything(helpers, codec):
    frame = codec.encode(np.zeros((helpers.channels, 32, 40), np.float32), 0)

    usual = codec.encode(helpers.latent(32, 40), 0).price.size_bytes
    assert frame.price.size_bytes < 0.4 * usual
    assert not frame.reference.symbols.any()


def changed(network, **arrays):
    return dataclasses.replace(network, **arrays)


def test_slices_without_a_coded_symbol_have_no_rans_bytes(helpers, tables):
    network = tables.context
    silent = changed(
        network,
        leave=np.zeros_like(network.leave),
        leave_bias=np.zeros_like(network.leave_bias),
    )
    codec = helpers.codec(dataclasses.replace(tables, context=silent))

    frame = codec.encode(helpers.latent(4, 4), 64)

    assert [len(data) for data in frame.packets] == [32]
    assert frame.price.size_bytes == 32
    codec.check(frame)


def spendthrift(tables):
    """Tables that take every symbol for one that hardly ever is anything."""
    network = tables.context
    bias = np.zeros_like(network.leave_bias)
    bias[..., 0] = 512
    made: ContextNetwork = changed(network, leave=np.zeros_like(network.leave), leave_bias=bias)
    return dataclasses.replace(tables, context=made)


def test_a_frame_too_rich_for_the_code_goes_at_a_lower_one(helpers, tables):
    codec = helpers.codec(spendthrift(tables))
    noise = codec.frame(helpers.latent(100, 100, seed=1, scale=30.0))
    assert not codec.encoder.price(noise, 64).price.fits

    plan = codec.encoder.plan(noise, 64)

    assert plan.code < 64
    assert plan.code == codec.encoder.search(noise, np.inf).code
    codec.check(codec.encoder.encode(plan, stream=0, frame=0, capture_time_ns=0))


def test_a_frame_too_rich_for_any_code_says_so(helpers, tables):
    codec = helpers.codec(spendthrift(tables))
    frame = codec.frame(np.full((helpers.channels, 128, 128), 1e6, np.float32))

    with pytest.raises(FrameTooBigError, match="2048x2048"):
        codec.encoder.plan(frame, 64)


@pytest.mark.parametrize(
    ("shape", "code", "size"),
    [
        ((11, 4, 4), 65, (64, 64)),
        ((11, 4, 4), -1, (64, 64)),
        ((12, 4, 4), 0, (64, 64)),
        ((11, 4, 4), 0, (65, 64)),
        ((11, 4, 257), 0, (4112, 64)),
    ],
)
def test_wrong_arguments_are_named(codec, shape, code, size):
    with pytest.raises(ParameterError):
        codec.encode(np.zeros(shape, np.float32), code, size=size)


def test_another_size_cannot_be_predicted(helpers, codec):
    first = codec.encode(helpers.latent(8, 8), 30)

    with pytest.raises(ParameterError, match="another size"):
        codec.frame(helpers.latent(8, 8), first.reference, size=(127, 128))


@pytest.mark.parametrize("code", [0, 20, 40, 64])
@pytest.mark.parametrize("protection", [Protection(4, 2), Protection(2), Protection(1, 1)])
def test_the_price_of_protection_is_exact(codec, helpers, code, protection):
    frame = codec.encode(helpers.latent(20, 24, seed=code), code, protection=protection)

    kinds = [wire.parse(packet).header.type for packet in frame.packets]
    assert kinds.count(wire.PacketType.REPAIR) == protection.repairs
    slices = len(frame.price.slice_bytes)
    assert kinds.count(wire.PacketType.FEATURES) == slices >= protection.slices
    assert max(map(len, frame.packets)) <= 1200
    size_bytes = sum(map(len, frame.packets))
    assert size_bytes == pytest.approx(frame.price.size_bytes, abs=4 * len(frame.packets))
    numbers = [wire.parse(packet).header.number for packet in frame.packets]
    assert numbers == [packet.number for packet in frame.packets] == list(range(len(numbers)))


def test_a_latent_smaller_than_its_protection_has_a_slice_for_each_position(codec, helpers):
    assert len(codec.encode(helpers.latent(1, 2), 30, protection=Protection(9)).packets) == 2


@pytest.mark.parametrize("code", [0, 30, 64])
def test_rdoq_makes_frames_smaller_and_they_are_read_as_sent(helpers, codec, code):
    refining = codec.with_lambda(0.07)
    latent = helpers.latent(30, 40, seed=5)
    later = helpers.later(latent, 5, 0.2)
    plain = codec.encode(latent, code, 10)
    first = refining.encode(latent, code, 10)
    second = refining.encode(later, code, 11, reference=first.reference, time_ns=helpers.time_ns)
    plain_second = codec.encode(later, code, 11, reference=plain.reference)

    assert first.price.size_bytes < plain.price.size_bytes
    assert second.price.size_bytes < plain_second.price.size_bytes
    refining.check(first)
    refining.check(second, first.reference)


@pytest.mark.parametrize("predicted", [False, True])
def test_rdoq_moves_symbols_by_one(helpers, codec, tables, predicted):
    latent = helpers.latent(12, 16, seed=8)
    first = codec.encode(latent, 40)
    prediction = codec.encoder.predict(first.reference, Motion(), (12, 16))
    later = helpers.later(latent, 8, 0.5)
    planner, grid = Planner(tables), Grid(1, 1, 12, 16)

    plain, refined = (
        planner.predicted(rounded, 40, grid, prediction)
        if predicted
        else planner.intra(rounded, 40, grid)
        for rounded in (round_latent(later, tables.gains[40], weight) for weight in (0.0, 0.3))
    )

    both = plain.coded & refined.coded
    moved = (refined.symbols.astype(int) - plain.symbols)[:, both]
    assert np.abs(moved).max() == 1
    assert refined.cost.sum() < plain.cost.sum()


def test_the_lambda_may_differ_from_position_to_position(helpers, codec):
    left = np.zeros((12, 16), np.float32)
    left[:, :8] = 0.3
    latent = helpers.latent(12, 16, seed=8)

    plain, refined = (
        codec.encode(latent, 40, rdoq_lambda=weight).reference.symbols for weight in (None, left)
    )

    moved = refined != plain
    assert moved[..., :8].any()
    assert not moved[..., 8:].any()


@pytest.mark.parametrize("change", [0.0, 0.05])
def test_a_still_scene_costs_a_fraction(helpers, codec, change):
    refining = codec.with_lambda(0.07)
    latent = helpers.latent(30, 40, seed=3)
    first = refining.encode(latent, 30, 10)
    again = helpers.later(latent, 3, change)
    alone = refining.encode(again, 30, 11)
    predicted = refining.encode(again, 30, 11, reference=first.reference)

    assert predicted.price.predicted.all()
    assert predicted.price.size_bytes < 0.5 * alone.price.size_bytes


def test_a_frame_that_is_as_predicted_takes_less_than_20_bytes(helpers, codec):
    refining = codec.with_lambda(0.07)
    latent = helpers.latent(20, 24)
    first = refining.encode(latent, 30, 10)
    same = codec.tables.dequantise(first.reference.symbols, 30)

    (packet,) = refining.encode(
        same, 30, 11, reference=first.reference, time_ns=helpers.time_ns
    ).packets

    assert len(packet) == 13


def test_each_slice_takes_the_cheaper_way(helpers, codec):
    latent = helpers.latent(40, 60, seed=3, scale=2)
    first = codec.encode(latent, 50, 10)
    changed_frame = helpers.later(latent, 3, 0.05)
    changed_frame[:, :, 30:] = helpers.latent(40, 60, seed=77, scale=2)[:, :, 30:]  # a cut

    mixed = codec.encode(changed_frame, 50, 11, reference=first.reference)

    assert mixed.price.predicted.any()
    assert not mixed.price.predicted.all()
    codec.check(mixed, first.reference)
    assert mixed.reference.stamp.interval_ns == 0
    for data, predicted in zip(mixed.packets, mixed.price.predicted, strict=True):
        assert data[0] == (0x14 if predicted else 0x10)


def test_without_a_skip_network_nothing_is_predicted(helpers, tables):
    codec = helpers.codec(helpers.only_keyframes(tables))
    first = codec.encode(helpers.latent(4, 4), 30)

    assert not codec.encoder.predicts
    assert codec.encoder.predict(first.reference, Motion(), (4, 4)) is None
