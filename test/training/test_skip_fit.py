# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A skip network fitted to an encoder: that it pays, and that training sees its integers."""

import cv2
import numpy as np
import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.codec.entropy.cdf import symbol_bits
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.symbols import round_latent, share_class
from sc2_ros.codec.tables import LOG_SPREAD_UNIT
from sc2_ros.codec.wire import Geometry, Motion
from sc2_ros.network import imaging
from sc2_ros.training import context_fit, skip_fit
from sc2_ros.training.context_network import ContextConfig, NetworkShape
from sc2_ros.training.latents import latents
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
CONTEXT = ContextConfig(groups=2, hidden=8, rates=4, window=6, steps=40)
SMALL = skip_fit.SkipConfig(hidden=8, pair_rates=4, window=6)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def fitted():
    """An encoder, its tables with a network of keyframes, and with one of predicted frames too."""
    untrained = checkpoint.untrained()
    images = [picture(seed) for seed in range(6)]
    clip = [np.roll(picture(5), shift, 1) for shift in range(8)]
    pairs = PairConfig(stills=6, flights=0, per_clip=4)
    torch.set_num_threads(1)
    data = latents(untrained.encoder, images)
    plain, _ = context_fit.fit(data, untrained.tables.gains, CONTEXT, keep_all=True)
    skipping = skip_fit.fit(untrained.encoder, plain, images, [clip], SMALL, pairs)
    return untrained.encoder, plain, skipping


def test_a_finished_network_is_trained_on_from_where_it_is(fitted):
    _, _, skipping = fitted
    again = to_network(from_network(skipping.skip))

    for name in ("groups", "enter", "side", "enter_bias", "leave", "share_bias"):
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


def planned(encoder, latent, code, reference=None):
    prediction = None
    if reference is not None:
        prediction = encoder.predict(reference, Motion(), latent.shape[1:])
    return encoder.plan(encoder.frame(latent, Geometry(SIZE, SIZE), prediction), code)


def two_frames(tables, code, latents, rdoq_lambda):
    """Of two frames, the second predicted from the first and, as well, a keyframe."""
    encoder = FrameEncoder(tables, 1, rdoq_lambda=rdoq_lambda)
    first = encoder.encode(planned(encoder, latents[0], code), stream=0, frame=0, capture_time_ns=0)
    plans = [planned(encoder, latents[1], code, one) for one in (first.reference, None)]
    return [encoder.encode(plan, stream=0, frame=1, capture_time_ns=500_000) for plan in plans]


@pytest.mark.parametrize("rdoq_lambda", [0.0, 0.07])
@pytest.mark.parametrize("code", [8, 32, 60])
def test_a_frame_seen_before_costs_less_than_a_keyframe(fitted, code, rdoq_lambda):
    encoder, _, skipping = fitted
    pairs = [two_latents(encoder, seed) for seed in (77, 78, 79)]

    found = [two_frames(skipping, code, pair, rdoq_lambda) for pair in pairs]

    assert all(predicted.price.predicted.all() for predicted, _ in found)
    sizes = [sum(len(data) for pair in found for data in pair[which].packets) for which in (0, 1)]
    assert sizes[0] < 0.8 * sizes[1]


def test_keyframes_are_coded_as_before(fitted):
    encoder, plain, skipping = fitted
    latent = latent_of(encoder, picture(77))

    packets = [
        each.encode(planned(each, latent, 40), stream=0, frame=0, capture_time_ns=0).packets
        for each in (FrameEncoder(tables, 1) for tables in (plain, skipping))
    ]

    assert packets[0] == packets[1]


def test_the_other_tables_stay(fitted):
    _, plain, skipping = fitted
    for name, array in plain.to_arrays().items():
        assert np.array_equal(skipping.to_arrays()[name], array)
    assert plain.skip is None
    assert skipping.skip.groups.tolist() == [1, *plain.context.groups]
    assert skipping.skip.first_code.tolist() == [0, *plain.context.first_code]


def test_what_was_expected_and_what_came_is_counted(fitted):
    encoder, _, skipping = fitted
    before, after = two_latents(encoder, 77)
    frames = FrameEncoder(skipping, 1)
    first = frames.encode(planned(frames, before, 40), stream=0, frame=0, capture_time_ns=0)
    known = frames.predict(first.reference, Motion(), before.shape[1:])
    material = [
        skip_fit._Material(round_latent(latent, skipping.gains[40]), 40, known)
        for latent in (before, after)
    ]

    alone, both = (skip_fit.count(skipping, part) for part in (material[1:], material))

    coded = int(planned(frames, after, 40, first.reference).sent()[1].sum())
    assert alone.shape == both.shape == (255, 255)
    assert 0 < coded < before[0].size
    assert alone[232:, 127].sum() == before[0].size - coded
    assert alone[232:, 128].sum() == coded
    assert alone[232:].sum() == before[0].size
    assert 0 < alone[:232].sum() <= coded * skipping.channels
    assert (both >= alone).all()


def test_few_images_make_few_flights():
    assert skip_fit.chain_config([picture(0)] * 3).flights == 1
    assert skip_fit.chain_config([picture(0)] * 40).flights == 6
    assert skip_fit.chain_config([picture(0)] * 400).flights == 48


def shape_of(groups, first_code):
    return NetworkShape(np.array(groups, np.int32), np.array(first_code, np.int32))


def test_the_map_comes_before_the_channels_in_a_group_of_its_own():
    shape = with_map(shape_of([2, 1], [0, 9]))

    assert shape.groups.tolist() == [1, 2, 1]
    assert shape.first_code.tolist() == [0, 0, 9]
    assert shape.count == 4


def random_model(seed=0):
    """The map, then five channels in groups of 2 and 3, with weights as large as trained."""
    torch.manual_seed(seed)
    model = SkipModel(with_map(shape_of([2, 3], [0, 0])), 6)
    with torch.no_grad():
        for weight in (model.enter, model.side, model.leave):
            weight.normal_(0, 0.2)
        # Whole numbers, for the integers' rounding down is not in training.
        for bias, unit in (
            (model.enter_bias, 32.0),
            (model.share_bias, 32.0),
            (model.leave_bias, LOG_SPREAD_UNIT),
        ):
            bias.copy_((torch.randn(bias.shape) * unit / 8).round() * 8 / unit)
    return model


@pytest.mark.parametrize(("code", "share"), [(0, 1), (8, 2), (19, 3), (64, 1)])
def test_training_sees_what_the_integers_give(code, share):
    model = random_model()
    network = to_network(model)
    rng = np.random.default_rng(1)
    symbols = rng.integers(-9, 10, (6, 4, 6))
    side = rng.integers(-7, 8, (7, 4, 6))
    for plane in (symbols[0], side[0], side[-1]):
        plane[:] = rng.integers(0, 2, (4, 6))
    with torch.inference_mode():
        given, beside = (torch.tensor(one[None], dtype=torch.float32) for one in (symbols, side))
        bias = model.share_bias[[share]]
        mean, log_spread = model(given, torch.tensor([code]), beside, bias)
    mean, spread = mean[0].double().numpy(), log_spread[0].double().numpy() + 2.8
    padded = np.pad(side, ((0, 0), (1, 1), (1, 1)))
    at, known = network.at(code), np.zeros((6, 6, 8))
    compared = 0

    for step in at.map_steps + at.steps:
        number = step.number
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
            found = at.expect_map(step, near, beside, shares)
            odds = [np.clip(np.floor(2 * mean[(0, *place)] + 0.5), -14, 8) for place in places]
            assert found.tolist() == [1 + 246 + one for one in odds]
            compared += len(set(odds))
        else:
            found = at.expect(step, near, beside, shares)
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
    network = to_network(random_model())

    for odds in (-14, -3, 0, 5, 8):
        row, bank = 246 + odds, network.bank
        bits = symbol_bits(bank.cdfs[row, : bank.sizes[row]], int(bank.offsets[row]))
        wanted = [np.log2(1 + np.exp(sign * odds / 2)) for sign in (1, -1)]
        np.testing.assert_allclose(bits[127:129], wanted, atol=0.05)


def test_the_bank_goes_by_what_was_counted():
    counts = np.zeros((255, 255), np.int64)
    counts[246, 127:129] = [9_000, 1_000]
    network = to_network(random_model(), counts)

    assert network.bank.cdfs[246, 1] / 65536 == pytest.approx(0.9, abs=0.01)
    assert network.bank.cdfs[247, 1] / 65536 == pytest.approx(1 / (1 + np.exp(0.5)), abs=0.01)


def seen_before(seed):
    """Two channels; where a blob of the map was before there is another picture, else the same."""
    rng = np.random.default_rng(seed)
    old = rng.integers(-3, 4, (2, 12, 12))
    blob = cv2.resize(rng.normal(0, 1, (4, 4)).astype(np.float32), (12, 12)) > 0.3
    coded = blob ^ (rng.random((12, 12)) < 0.03)
    new = np.where(coded, np.rint(old + rng.normal(0, 1, old.shape)), old).astype(np.int8)
    planes = np.concatenate((blob[None], old, np.ones((1, 12, 12))))
    share = share_class(int(coded.sum()), coded.size)
    whole = np.concatenate((coded[None].astype(np.int8), new))
    return SkipSample(whole, 30, planes.astype(np.int8), share)


def test_training_finds_the_map_and_the_reference():
    config = skip_fit.SkipConfig(hidden=8, batch=16, window=12, steps=300)
    samples = [seen_before(seed) for seed in range(100)]
    shape = with_map(shape_of([2], [0]))
    torch.set_num_threads(1)

    model = train(samples, SkipModel(shape, config.hidden), config)

    new = [seen_before(1000 + seed) for seed in range(20)]
    symbols = torch.tensor(np.array([one.symbols for one in new])).float()
    side = torch.tensor(np.array([one.side for one in new])).float()
    shares = torch.tensor([one.share for one in new])
    with torch.inference_mode():
        bits = model.bits(symbols, side, torch.full((20,), 30), shares)
    coded = symbols[:, 0].mean()
    entropy = -(coded * coded.log2() + (1 - coded) * (1 - coded).log2())
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
    coded = rng.random((12, 12)) < (0.02, 0.5)[seed % 2]
    symbols = np.stack((coded, np.zeros((12, 12)))).astype(np.int8)
    share = share_class(int(coded.sum()), coded.size)
    return SkipSample(symbols, 30, np.zeros((3, 12, 12), np.int8), share)


def test_training_finds_what_a_share_class_means():
    config = skip_fit.SkipConfig(hidden=4, batch=16, window=12, steps=200, lr=0.02)
    samples = [scattered(seed) for seed in range(100)]
    shape = with_map(shape_of([1], [0]))
    torch.set_num_threads(1)

    model = train(samples, SkipModel(shape, config.hidden), config)

    for seed, other in ((1000, 3), (1001, 1)):
        sample = scattered(seed)
        symbols = torch.tensor(sample.symbols[None]).float()
        side, code = torch.zeros(1, 3, 12, 12), torch.tensor([30])
        with torch.inference_mode():
            right, wrong = (
                float(model.bits(symbols, side, code, torch.tensor([share]))[:, 0].mean())
                for share in (sample.share, other)
            )
        assert right < 0.8 * wrong
