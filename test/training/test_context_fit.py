# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A context network fitted to an encoder: that it pays, and that training sees its integers."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch
from sc2_ros.codec.cdf import symbol_bits
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, Header, PacketType
from sc2_ros.codec.prediction import Motion
from sc2_ros.codec.temporal_tables import fixed_gains

from sc2_ros import checkpoint
from sc2_ros.network import imaging
from sc2_ros.training import context_fit
from sc2_ros.training.context_network import (
    UNIT,
    ContextConfig,
    ContextModel,
    Plan,
    from_network,
    laplace_bits,
    plan,
    to_network,
    train,
)
from sc2_ros.training.pairs import PairConfig
from sc2_ros.training.symbol_windows import Sample

SMALL = ContextConfig(groups=2, hidden=8, rates=4, pair_rates=4, window=6)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def fitted():
    untrained = checkpoint.untrained()
    encoder, plain = untrained.encoder, untrained.tables
    images = [picture(seed) for seed in range(8)]
    clip = [np.roll(picture(5), shift, 1) for shift in range(8)]
    pairs = PairConfig(stills=8, flights=0, per_clip=4)
    return encoder, plain, context_fit.fit(encoder, plain, images, [clip], SMALL, pairs)


def latent_of(encoder, image):
    with torch.inference_mode():
        return encoder(imaging.to_tensor(image))[0].numpy()


@pytest.mark.parametrize("code", [8, 32, 60])
def test_frames_that_were_not_seen_cost_less_with_it(fitted, code):
    encoder, plain, learned = fitted
    sizes = [
        sum(
            LatentCodec(either, 1).price(latent_of(encoder, picture(seed)), code).size_bytes
            for seed in (77, 78, 79)
        )
        for either in (plain, learned)
    ]

    assert sizes[1] < sizes[0]


def test_a_frame_seen_before_costs_less_still(fitted):
    encoder, _, learned = fitted
    codec = LatentCodec(learned, 1)
    image = picture(77)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 1, image.shape), 0, 255)
    geometry = Geometry((128, 96), (128, 96))
    first = codec.encode_frame(
        latent_of(encoder, image), 32, Header(PacketType.FEATURES, 0, 1, 0), geometry
    )
    prediction = codec.predict(first.reference, Motion(), geometry.latent_shape)
    latent = latent_of(encoder, noisy.astype(np.uint8))

    predicted = codec.price(latent, 32, prediction=prediction)

    assert predicted.predicted.all()
    assert predicted.size_bytes < codec.price(latent, 32).size_bytes


def smooth(seed, code):
    """Symbols (3, 12, 12) of fields that change slowly, larger at higher codes, and as seen before.

    The third is noise in the places where the first is large.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1 + code / 16, (2, 4, 4)).astype(np.float32)
    fields = [cv2.resize(field, (12, 12), interpolation=cv2.INTER_CUBIC) for field in coarse]
    fields.append(rng.normal(0, 1, (12, 12)) * np.maximum(np.abs(fields[0]) - 1, 0))
    symbols = np.rint(fields)
    before = np.rint(symbols + rng.normal(0, 0.3, symbols.shape)).clip(-7, 7)
    side = np.concatenate((before, np.ones((1, 12, 12))))
    return Sample(symbols.clip(-127, 127).astype(np.int8), code, side.astype(np.int8))


def test_training_finds_neighbours_channels_and_the_reference():
    config = ContextConfig(hidden=12, groups=3, batch=16, window=12, steps=250)
    samples = [smooth(seed, seed % 65) for seed in range(130)]
    samples += [dataclasses.replace(one, side=None) for one in samples]
    shape = plan(samples, config)
    torch.set_num_threads(1)

    model = train(samples, ContextModel(shape, config.hidden), config)

    code = 40
    new = [smooth(1000 + seed, code) for seed in range(20)]
    symbols = torch.tensor(np.array([one.symbols for one in new]), dtype=torch.float32)
    side = torch.tensor(np.array([one.side for one in new]), dtype=torch.float32)
    codes = torch.full((20,), code)
    with torch.inference_mode():
        alone, beside = (
            laplace_bits(symbols, *model(symbols, given, codes)).mean((0, 2, 3))
            for given in (torch.zeros_like(side), side)
        )
    for channel in range(3):
        _, counts = np.unique(symbols[:, channel].numpy(), return_counts=True)
        share = counts / counts.sum()
        entropy = -(share * np.log2(share)).sum()  # of the best code that looks at nothing else
        assert alone[channel] < 0.95 * entropy
        assert beside[channel] < 0.95 * alone[channel]


def test_the_other_tables_stay(fitted):
    _, plain, learned = fitted
    for name, array in plain.to_arrays().items():
        assert np.array_equal(learned.to_arrays()[name], array)
    assert learned.context is not None
    assert np.array_equal(learned.context.gains, fixed_gains(plain.code_gains))


def random_model(seed=0):
    """Five channels in groups of 2 and 3, with weights as large as trained ones."""
    torch.manual_seed(seed)
    shape = Plan(
        np.array([4, 0, 2, 5, 1], np.int32), np.array([2, 3], np.int32), np.zeros(2, np.int32)
    )
    model = ContextModel(shape, 6)
    with torch.no_grad():
        for weight in (model.enter, model.side, model.leave):
            weight.normal_(0, 0.2)
        # Whole numbers, for the integers' rounding down is not in training.
        for bias, unit in ((model.enter_bias, 32.0), (model.leave_bias, UNIT)):
            bias.copy_((torch.randn(bias.shape) * unit / 8).round() * 8 / unit)
    return model


@pytest.mark.parametrize("code", [0, 8, 19, 64])
def test_training_sees_what_the_integers_give(code):
    model = random_model()
    network = to_network(model, np.full((65, 6), 4096, np.int32))
    rng = np.random.default_rng(1)
    symbols = rng.integers(-9, 10, (5, 4, 6))
    side = rng.integers(-7, 8, (6, 4, 6))
    side[-1] = rng.integers(0, 2, (4, 6))
    with torch.inference_mode():
        mean, log_spread = model(
            torch.tensor(symbols[None], dtype=torch.float32),
            torch.tensor(side[None], dtype=torch.float32),
            torch.tensor([code]),
        )
    spread = log_spread[0].numpy() + 2.8
    padded = np.pad(side, ((0, 0), (1, 1), (1, 1)))
    at, known = network.at(code), np.zeros((5, 6, 8))
    compared = 0

    for number, step in enumerate(at.steps):
        places = [(y, x) for y in range(4) for x in range(6) if (y + x) % 2 == step.phase]
        near = [known[:, y : y + 3, x : x + 3].reshape(5, 9).T.ravel() for y, x in places]
        beside = [padded[:, y : y + 3, x : x + 3].reshape(6, 9).T.ravel() for y, x in places]
        found = at.expect(number, np.array(near, np.float32), np.array(beside, np.float32))
        for row, (y, x) in enumerate(places):
            for column, one in enumerate(range(step.start, step.end)):
                eighths = np.clip(np.floor(float(mean[0, one, y, x]) * 8 + 0.5), -59, 59)
                level = np.clip(np.floor(spread[one, y, x] * 5), 0, 28)
                skipped = level == 0 and abs(eighths) <= 1
                table = 0 if skipped else 1 + 8 * level + (eighths + 4) % 8
                compared += not skipped
                assert found.table[row, column] == table
                assert found.mean[row, column] == (eighths + 4) // 8
        for y, x in places:
            own = slice(step.start, step.end)
            known[own, y + 1, x + 1] = np.clip(symbols[own, y, x], -7, 7)
    assert compared > 20


def test_training_goes_on_from_integers():
    network = to_network(random_model(), np.full((65, 6), 4096, np.int32))

    again = to_network(from_network(network), network.gains)

    for name, array in network.to_arrays().items():
        np.testing.assert_array_equal(again.to_arrays()[name], array)


def test_the_bank_without_counts_is_the_laplacian_of_training():
    network = to_network(random_model(), np.full((65, 6), 4096, np.int32))
    symbols = torch.arange(-127.0, 128.0)

    for level, fraction in ((8, 4), (14, 0), (20, 7)):
        table = 8 * level + fraction
        size, offset = int(network.sizes[table]), int(network.offsets[table])
        bits = symbol_bits(network.cdfs[table, :size], offset)
        mean, log_spread = (fraction - 4) / 8, -2.8 + 0.2 * (level + 0.5)
        wanted = laplace_bits(symbols, torch.tensor(mean), torch.tensor(log_spread)).numpy()
        likely = wanted < 10
        assert likely.sum() >= 3
        np.testing.assert_allclose(bits[likely], wanted[likely], atol=0.05)


def test_channels_that_are_never_there_are_not_coded_and_rare_ones_late():
    rng = np.random.default_rng(0)
    samples = []
    for code in range(65):
        symbols = np.zeros((7, 8, 8), np.int8)
        symbols[[0, 2, 3, 6]] = rng.integers(-2, 3, (4, 8, 8))
        if code >= 50:
            symbols[5] = rng.integers(-1, 2, (8, 8))
        samples.append(Sample(symbols, code))

    found = plan(samples, dataclasses.replace(SMALL, groups=3))

    assert found.channels.tolist() == [0, 2, 3, 6, 5]
    assert found.groups.tolist() == [2, 1, 1, 1]
    assert found.first_code.tolist() == [0, 0, 0, 46]
