# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skip network fitted to an encoder: that it pays, and that training sees its integers."""

import cv2
import numpy as np
import pytest
import torch
from sc2_ros.codec.cdf import symbol_bits
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, Header, PacketType
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.skip import share_class
from sc2_ros.codec.symbols import round_latent
from sc2_ros.codec.temporal_tables import fixed_gains

from sc2_ros import checkpoint
from sc2_ros.network import imaging
from sc2_ros.training import context_fit, skip_fit
from sc2_ros.training.context_network import UNIT, ContextConfig, Plan
from sc2_ros.training.pairs import PairConfig
from sc2_ros.training.skip_network import (
    SkipModel,
    SkipSample,
    from_network,
    to_network,
    train,
    with_map,
)

SIZE = (128, 96)
CONTEXT = ContextConfig(groups=2, hidden=8, rates=4, pair_rates=4, window=6, steps=40)
SMALL = skip_fit.SkipConfig(hidden=8, pair_rates=4, window=6)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def fitted():
    """An encoder, its tables with a context network, and those with a skip network as well."""
    untrained = checkpoint.untrained()
    images = [picture(seed) for seed in range(6)]
    clip = [np.roll(picture(5), shift, 1) for shift in range(8)]
    pairs = PairConfig(stills=6, flights=0, per_clip=4)
    torch.set_num_threads(1)
    learned = context_fit.fit(untrained.encoder, untrained.tables, images, [clip], CONTEXT, pairs)
    skipping = skip_fit.fit(untrained.encoder, learned, images, [clip], SMALL, pairs)
    return untrained.encoder, learned, skipping


def test_a_finished_network_is_trained_on_from_where_it_is(fitted):
    _, learned, skipping = fitted
    again = to_network(from_network(skipping.skip), learned.context.gains)

    for name in ("channels", "groups", "enter", "side", "enter_bias", "leave", "share_bias"):
        np.testing.assert_array_equal(getattr(again, name), getattr(skipping.skip, name))


def latent_of(encoder, image):
    with torch.inference_mode():
        return encoder(imaging.to_tensor(image))[0].numpy()


def two_latents(encoder, seed):
    """Of a picture, and of the same with noise."""
    image = picture(seed)
    noise = np.random.default_rng(seed).normal(0, 1, image.shape)
    noisy = np.clip(image + noise, 0, 255).astype(np.uint8)
    return latent_of(encoder, image), latent_of(encoder, noisy)


def predicted_frame(tables, code, latents, refinement):
    """The second of two frames, predicted from the first."""
    codec = LatentCodec(tables, 1, refinement=refinement)
    geometry = Geometry(SIZE, SIZE)
    first = codec.encode_frame(latents[0], code, Header(PacketType.FEATURES, 0, 1, 0), geometry)
    prediction = codec.predict(first.reference, Motion(), geometry.latent_shape)
    header = Header(PacketType.FEATURES, 0, 1, 1, capture_time_ns=500_000)
    return codec.encode_frame(latents[1], code, header, geometry, prediction=prediction)


@pytest.mark.parametrize("refinement", [0.0, 0.07])
@pytest.mark.parametrize("code", [8, 32, 60])
def test_a_frame_seen_before_costs_less_than_with_the_context_network_alone(
    fitted, code, refinement
):
    encoder, learned, skipping = fitted
    latents = [two_latents(encoder, seed) for seed in (77, 78, 79)]

    before, after = (
        [predicted_frame(tables, code, pair, refinement) for pair in latents]
        for tables in (learned, skipping)
    )

    assert all(frame.price.predicted.all() for frame in after)
    sizes = [sum(len(data) for f in frames for data in f.packets) for frames in (before, after)]
    assert sizes[1] < 0.9 * sizes[0]


def test_a_frame_that_needs_no_other_is_coded_as_before(fitted):
    encoder, learned, skipping = fitted
    latent = latent_of(encoder, picture(77))
    fields = {"stream": 0, "frame": 0, "capture_time_ns": 0}

    sizes = [
        [
            len(data)
            for data in LatentCodec(tables, 1).encode(
                latent, 40, encoded_size=SIZE, source_size=SIZE, **fields
            )
        ]
        for tables in (learned, skipping)
    ]

    assert sizes[0] == sizes[1]


def test_the_other_tables_stay(fitted):
    _, learned, skipping = fitted
    for name, array in learned.to_arrays().items():
        assert np.array_equal(skipping.to_arrays()[name], array)
    assert learned.skip is None
    channels = len(learned.code_gains[0])
    assert skipping.skip.channels.tolist() == [channels, *learned.context.channels]
    assert np.array_equal(skipping.skip.gains[:, :channels], fixed_gains(learned.code_gains))
    assert (skipping.skip.gains[:, channels] == 4096).all()


def test_what_was_expected_and_what_came_is_counted(fitted):
    encoder, _, skipping = fitted
    before, after = two_latents(encoder, 77)
    codec = LatentCodec(skipping, 1)
    gain = skipping.code_gains[40]
    prediction = predicted_frame(skipping, 40, (before, before), 0.0)
    known = codec.predict(prediction.reference, Motion(), before.shape[1:])
    material = [
        skip_fit._Material(round_latent(latent, gain), 40, known) for latent in (before, after)
    ]

    alone, both = (skip_fit.count(skipping.skip, part) for part in (material[1:], material))

    sent = codec.encode_frame(
        after, 40, Header(PacketType.FEATURES, 0, 1, 2), Geometry(SIZE, SIZE), prediction=known
    )
    told = int(sent.reference.told.sum())
    assert alone.shape == both.shape == (255, 255)
    assert 0 < told < before[0].size
    assert alone[232:, 127].sum() == before[0].size - told
    assert alone[232:, 128].sum() == told
    assert alone[232:].sum() == before[0].size
    channels = len(skipping.skip.at(40).channels)
    assert 0 < alone[:232].sum() <= told * channels
    assert (both >= alone).all()


def test_few_images_make_few_flights():
    assert skip_fit.chain_config([picture(0)] * 3).flights == 1
    assert skip_fit.chain_config([picture(0)] * 40).flights == 6
    assert skip_fit.chain_config([picture(0)] * 400).flights == 48


def test_the_map_comes_before_the_channels_in_a_group_of_its_own():
    shape = with_map(
        Plan(np.array([4, 0, 2], np.int32), np.array([2, 1], np.int32), np.array([0, 9], np.int32)),
        6,
    )

    assert shape.channels.tolist() == [6, 4, 0, 2]
    assert shape.groups.tolist() == [1, 2, 1]
    assert shape.first_code.tolist() == [0, 0, 9]


def random_model(seed=0):
    """The map, then five of six channels in groups of 2 and 3, with weights as large as trained."""
    torch.manual_seed(seed)
    channels, groups = np.array([4, 0, 2, 5, 1], np.int32), np.array([2, 3], np.int32)
    model = SkipModel(with_map(Plan(channels, groups, np.zeros(2, np.int32)), 6), 6)
    with torch.no_grad():
        for weight in (model.enter, model.side, model.leave):
            weight.normal_(0, 0.2)
        # Whole numbers, for the integers' rounding down is not in training.
        for bias, unit in (
            (model.enter_bias, 32.0),
            (model.share_bias, 32.0),
            (model.leave_bias, UNIT),
        ):
            bias.copy_((torch.randn(bias.shape) * unit / 8).round() * 8 / unit)
    return model


@pytest.mark.parametrize(("code", "share"), [(0, 1), (8, 2), (19, 3), (64, 1)])
def test_training_sees_what_the_integers_give(code, share):
    model = random_model()
    network = to_network(model, np.full((65, 6), 4096, np.int32))
    rng = np.random.default_rng(1)
    symbols = rng.integers(-9, 10, (6, 4, 6))
    side = rng.integers(-7, 8, (7, 4, 6))
    for plane in (symbols[0], side[0], side[-1]):
        plane[:] = rng.integers(0, 2, (4, 6))
    with torch.inference_mode():
        given = [torch.tensor(one[None], dtype=torch.float32) for one in (symbols, side)]
        mean, log_spread = model(*given, torch.tensor([code]), model.share_bias[[share]])
    mean, spread = mean[0].double().numpy(), log_spread[0].double().numpy() + 2.8
    padded = np.pad(side, ((0, 0), (1, 1), (1, 1)))
    at, known = network.at(code), np.zeros((6, 6, 8))
    compared = 0

    for number, step in enumerate(at.steps):
        if number == 2:  # what is skipped is known before anything else is
            known[1:, 1:-1, 1:-1] = np.where(symbols[0] == 0, symbols[1:].clip(-7, 7), 0)
        places = [(y, x) for y in range(4) for x in range(6) if (y + x) % 2 == step.phase]
        if number >= 2:
            places = [place for place in places if symbols[(0, *place)]]
        near, beside = (
            np.array(
                [seen[:, y : y + 3, x : x + 3].reshape(len(seen), 9).T.ravel() for y, x in places],
                np.float32,
            )
            for seen in (known[: at.inputs[number]], padded)
        )
        shares = np.full(len(places), share, np.uint8)
        if number < 2:
            found = at.expect_told(number, near, beside, shares)
            odds = [np.clip(np.floor(2 * mean[(0, *place)] + 0.5), -14, 8) for place in places]
            assert found[:, 0].tolist() == [1 + 246 + one for one in odds]
            compared += len(set(odds))
        else:
            found = at.expect_symbols(number, near, beside, shares)
            for row, (y, x) in enumerate(places):
                for column, one in enumerate(range(step.start, step.end)):
                    eighths = np.clip(np.floor(mean[one, y, x] * 8 + 0.5), -59, 59)
                    level = np.clip(np.floor(spread[one, y, x] * 5), 0, 28)
                    skipped = level == 0 and abs(eighths) <= 1
                    compared += not skipped
                    assert found.mean[row, column] == (eighths + 4) // 8
                    table = 0 if skipped else 1 + 8 * level + (eighths + 4) % 8
                    assert found.table[row, column] == table
        for y, x in places:
            own = slice(step.start, step.end)
            known[own, y + 1, x + 1] = np.clip(symbols[own, y, x], -7, 7)
    assert compared > 20


def test_the_bank_without_counts_is_what_training_takes_for_the_map():
    network = to_network(random_model(), np.full((65, 6), 4096, np.int32))

    for odds in (-14, -3, 0, 5, 8):
        row = 246 + odds
        bits = symbol_bits(network.cdfs[row, : network.sizes[row]], int(network.offsets[row]))
        wanted = [np.log2(1 + np.exp(sign * odds / 2)) for sign in (1, -1)]
        np.testing.assert_allclose(bits[127:129], wanted, atol=0.05)


def test_the_bank_goes_by_what_was_counted():
    counts = np.zeros((255, 255), np.int64)
    counts[246, 127:129] = [9_000, 1_000]
    network = to_network(random_model(), np.full((65, 6), 4096, np.int32), counts)

    assert network.cdfs[246, 1] / 65536 == pytest.approx(0.9, abs=0.01)
    assert network.cdfs[247, 1] / 65536 == pytest.approx(1 / (1 + np.exp(0.5)), abs=0.01)


def seen_before(seed):
    """Two channels; where a blob of the map was before there is another picture, else the same."""
    rng = np.random.default_rng(seed)
    old = rng.integers(-3, 4, (2, 12, 12))
    blob = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), (12, 12)) > 0.3
    told = blob ^ (rng.random((12, 12)) < 0.03)
    new = np.where(told, np.rint(old + rng.normal(0, 1, old.shape)), old).astype(np.int8)
    planes = np.concatenate((blob[None], old, np.ones((1, 12, 12))))
    share = share_class(int(told.sum()), told.size)
    whole = np.concatenate((new, told[None].astype(np.int8)))
    return SkipSample(whole, 30, planes.astype(np.int8), share)


def test_training_finds_the_map_and_the_reference():
    config = skip_fit.SkipConfig(hidden=8, batch=16, window=12, steps=300)
    samples = [seen_before(seed) for seed in range(100)]
    shape = with_map(
        Plan(np.array([0, 1], np.int32), np.array([2], np.int32), np.zeros(1, np.int32)), 2
    )
    torch.set_num_threads(1)

    model = train(samples, SkipModel(shape, config.hidden), config)

    new = [seen_before(1000 + seed) for seed in range(20)]
    symbols = torch.tensor(np.array([one.symbols for one in new])[:, [2, 0, 1]]).float()
    side = torch.tensor(np.array([one.side for one in new])).float()
    shares = torch.tensor([one.share for one in new])
    with torch.inference_mode():
        bits = model.bits(symbols, side, torch.full((20,), 30), shares)
    told = symbols[:, 0].mean()
    entropy = -(told * told.log2() + (1 - told) * (1 - told).log2())
    assert bits[:, 0].mean() < 0.5 * entropy
    where = symbols[:, 0] > 0
    for channel in (1, 2):
        values = symbols[:, channel][where].numpy()
        _, counts = np.unique(values, return_counts=True)
        share = counts / counts.sum()
        assert bits[:, channel][where].mean() < -0.95 * (share * np.log2(share)).sum()
        assert not bits[:, channel][~where].any()


def scattered(seed):
    """A channel that stays and a map that nothing foretells but the share class."""
    rng = np.random.default_rng(seed)
    told = rng.random((12, 12)) < (0.02, 0.5)[seed % 2]
    symbols = np.stack((np.zeros((12, 12)), told)).astype(np.int8)
    share = share_class(int(told.sum()), told.size)
    return SkipSample(symbols, 30, np.zeros((3, 12, 12), np.int8), share)


def test_training_finds_what_a_share_class_means():
    config = skip_fit.SkipConfig(hidden=4, batch=16, window=12, steps=200, lr=0.02)
    samples = [scattered(seed) for seed in range(100)]
    one = np.ones(1, np.int32)
    shape = with_map(Plan(0 * one, one, 0 * one), 1)
    torch.set_num_threads(1)

    model = train(samples, SkipModel(shape, config.hidden), config)

    for seed, other in ((1000, 3), (1001, 1)):
        sample = scattered(seed)
        symbols = torch.tensor(sample.symbols[None, ::-1].copy()).float()
        side, code = torch.zeros(1, 3, 12, 12), torch.tensor([30])
        with torch.inference_mode():
            right, wrong = (
                float(model.bits(symbols, side, code, torch.tensor([share]))[:, 0].mean())
                for share in (sample.share, other)
            )
        assert right < 0.8 * wrong
