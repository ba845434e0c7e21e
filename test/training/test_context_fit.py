# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A context network fitted to an encoder: that it pays, and that training sees its integers."""

import dataclasses

import cv2
import numpy as np
import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.codec.entropy.cdf import symbol_bits
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.tables import LOG_SPREAD_UNIT
from sc2_ros.codec.wire import Geometry
from sc2_ros.network import imaging
from sc2_ros.training import context_fit
from sc2_ros.training.context_network import (
    ContextConfig,
    ContextModel,
    NetworkShape,
    choose_channels,
    from_network,
    laplace_bits,
    to_network,
    train,
)
from sc2_ros.training.latents import latents
from sc2_ros.training.symbol_windows import Sample

SMALL = ContextConfig(groups=2, hidden=8, rates=4, window=6)


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def fitted():
    """An encoder, tables for it without statistics, and fitted ones with their channels."""
    untrained = checkpoint.untrained()
    encoder, plain = untrained.encoder, untrained.tables
    data = latents(encoder, [picture(seed) for seed in range(12)])
    return encoder, plain, *context_fit.fit(data, plain.gains, SMALL)


def latent_of(encoder, image):
    with torch.inference_mode():
        return encoder(imaging.to_tensor(image))[0].numpy()


def price(tables, latent, code):
    encoder = FrameEncoder(tables, 1)
    return encoder.plan(encoder.frame(latent, Geometry((128, 96), (128, 96))), code).price


@pytest.mark.parametrize("code", [8, 32, 60])
def test_frames_that_were_not_seen_cost_less_with_it(fitted, code):
    encoder, plain, tables, channels = fitted
    data = [latent_of(encoder, picture(seed)) for seed in (77, 78, 79)]

    before = sum(price(plain, latent, code).size_bytes for latent in data)
    after = sum(price(tables, latent[channels], code).size_bytes for latent in data)

    assert after < 0.95 * before


def test_a_finished_network_is_gone_on_from(fitted):
    encoder, plain, tables, channels = fitted
    data = [latent[channels] for latent in latents(encoder, [picture(seed) for seed in range(3)])]

    again, kept = context_fit.fit(data, plain.gains[:, channels], SMALL, start=tables.context)

    assert kept.tolist() == list(range(len(channels)))
    assert again.context.groups.tolist() == tables.context.groups.tolist()
    assert again.context.enter.shape == tables.context.enter.shape
    assert np.abs(again.context.enter - tables.context.enter.astype(int)).mean() < 3


def smooth(seed, code):
    """Symbols (3, 12, 12) of fields that change slowly, larger at higher codes.

    The third is noise in the places where the first is large.
    """
    rng = np.random.default_rng(seed)
    coarse = rng.normal(0, 1 + code / 16, (2, 4, 4)).astype(np.float32)
    fields = [cv2.resize(field, (12, 12), interpolation=cv2.INTER_CUBIC) for field in coarse]
    fields.append(rng.normal(0, 1, (12, 12)) * np.maximum(np.abs(fields[0]) - 1, 0))
    symbols = np.rint(fields)
    return Sample(symbols.clip(-127, 127).astype(np.int8), code)


def test_training_finds_neighbours_and_channels():
    config = ContextConfig(hidden=12, groups=3, batch=16, window=12, steps=250)
    samples = [smooth(seed, seed % 65) for seed in range(130)]
    _, shape = choose_channels(samples, config)
    torch.set_num_threads(1)

    model = train(samples, ContextModel(shape, config.hidden), config)

    code = 40
    new = [smooth(1000 + seed, code) for seed in range(20)]
    symbols = torch.tensor(np.array([one.symbols for one in new]), dtype=torch.float32)
    with torch.inference_mode():
        bits = laplace_bits(symbols, *model(symbols, torch.full((20,), code))).mean((0, 2, 3))
    for channel in range(3):
        _, counts = np.unique(symbols[:, channel].numpy(), return_counts=True)
        share = counts / counts.sum()
        entropy = -(share * np.log2(share)).sum()  # of the best code that looks at nothing else
        assert bits[channel] < 0.95 * entropy


def random_model(seed=0):
    """Five channels in groups of 2 and 3, with weights as large as trained ones."""
    torch.manual_seed(seed)
    model = ContextModel(NetworkShape(np.array([2, 3], np.int32), np.zeros(2, np.int32)), 6)
    with torch.no_grad():
        for weight in (model.enter, model.leave):
            weight.normal_(0, 0.2)
        # Whole numbers, for the integers' rounding down is not in training.
        for bias, unit in ((model.enter_bias, 32.0), (model.leave_bias, LOG_SPREAD_UNIT)):
            bias.copy_((torch.randn(bias.shape) * unit / 8).round() * 8 / unit)
    return model


@pytest.mark.parametrize("code", [0, 8, 19, 64])
def test_training_sees_what_the_integers_give(code):
    model = random_model()
    network = to_network(model)
    rng = np.random.default_rng(1)
    symbols = rng.integers(-9, 10, (5, 4, 6))
    with torch.inference_mode():
        mean, log_spread = model(
            torch.tensor(symbols[None], dtype=torch.float32),
            torch.tensor([code]),
        )
    spread = log_spread[0].numpy() + 2.8
    at, known = network.at(code), np.zeros((5, 6, 8))
    compared = 0

    for step in at.steps:
        inputs = at.inputs[step.number]
        places = [(y, x) for y in range(4) for x in range(6) if (y + x) % 2 == step.phase]
        near = [
            known[:inputs, y : y + 3, x : x + 3].reshape(inputs, 9).T.ravel() for y, x in places
        ]
        found = at.expect(step, np.array(near, np.float32))
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
    network = to_network(random_model())

    again = to_network(from_network(network))

    for name, array in network.to_arrays("").items():
        np.testing.assert_array_equal(again.to_arrays("")[name], array)


def test_the_bank_without_counts_is_the_laplacian_of_training():
    network = to_network(random_model())
    symbols = torch.arange(-127.0, 128.0)

    for level, fraction in ((8, 4), (14, 0), (20, 7)):
        table = 8 * level + fraction
        size, offset = int(network.bank.sizes[table]), int(network.bank.offsets[table])
        bits = symbol_bits(network.bank.cdfs[table, :size], offset)
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

    channels, shape = choose_channels(samples, dataclasses.replace(SMALL, groups=3))
    few, early = choose_channels(samples, dataclasses.replace(SMALL, groups=3, channels=4))
    every, kept = choose_channels(samples, dataclasses.replace(SMALL, groups=3), keep_all=True)

    assert channels.tolist() == [0, 2, 3, 6, 5]
    assert shape.groups.tolist() == [2, 1, 1, 1]
    assert shape.first_code.tolist() == [0, 0, 0, 46]
    assert few.tolist() == [0, 2, 3, 6]
    assert early.first_code.tolist() == [0, 0, 0]
    assert every.tolist() == [0, 2, 3, 6, 1, 4, 5]
    assert (kept.groups.tolist(), kept.first_code.tolist()) == ([2, 1, 1, 3], [0, 0, 0, 46])
