# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Frames in a row as the codec would have them: what the last one is predicted from is real."""

import dataclasses

import cv2
import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.codec.frame.planner import Planner
from sc2_ros.codec.frame.reference import predicted_symbols
from sc2_ros.codec.frame.symbols import round_latent
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.wire import Motion
from sc2_ros.training import context_fit
from sc2_ros.training.chains import Chain, ChainCoder, encoded_chain
from sc2_ros.training.context_network import ContextConfig
from sc2_ros.training.latents import latents
from sc2_ros.training.pairs import MAX_SIDES

SMALL = ContextConfig(groups=2, hidden=8, rates=4, window=6, steps=40)
WEIGHT = 0.05


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def encoder():
    return checkpoint.untrained().encoder


@pytest.fixture(scope="module")
def coder(encoder):
    data = latents(encoder, [picture(seed) for seed in range(4)])
    tables, _ = context_fit.fit(data, checkpoint.untrained().tables.gains, SMALL, keep_all=True)

    def rdoq_lambda(latent):
        return np.full(latent.shape[1:], WEIGHT, np.float32)

    return ChainCoder(tables, rdoq_lambda)


@pytest.fixture(scope="module")
def chain(encoder):
    """Of a camera that stands, and a bit of the picture that changes from frame to frame."""
    frames = [picture(5) for _ in range(3)]
    for number, frame in enumerate(frames):
        frame[20:60, 30:70] = picture(50 + number)[20:60, 30:70]
    return encoded_chain(encoder, tuple(frames), np.random.default_rng(0))


def test_frames_are_laid_on_one_grid(encoder):
    image = picture(5, 240, 320)
    frames = (image, np.roll(image, 16, 1), np.roll(image, 32, 1))

    chain = encoded_chain(encoder, frames, np.random.default_rng(3))

    assert [latent.dtype for latent in chain.latents] == [np.float32] * 3
    assert (len(chain.geometries), len(chain.motions)) == (3, 2)
    for latent, geometry in zip(chain.latents, chain.geometries, strict=True):
        assert geometry.encoded_size == (320, 240)
        assert latent.shape[1:] == geometry.latent_shape
    x = [
        after.origin[0] - before.origin[0] - motion.dx
        for before, after, motion in zip(
            chain.geometries[:2], chain.geometries[1:], chain.motions, strict=True
        )
    ]
    assert all(abs(moved - 16) <= 1 for moved in x)


def test_large_images_are_cut_to_their_middle(encoder):
    image = np.zeros((720, 1000), np.uint8)

    chain = encoded_chain(encoder, (image, image, image), np.random.default_rng(0))

    assert {geometry.encoded_size for geometry in chain.geometries} == {MAX_SIDES}
    assert chain.motions == [Motion(), Motion()]


def test_what_stays_is_skipped_and_what_changes_is_coded(coder, chain):
    still = chain.motions == [Motion(), Motion()]
    predictions = [coder.prediction(chain, 40, np.random.default_rng(seed)) for seed in range(40)]

    coded = [prediction.reference.coded.mean() for prediction in predictions]

    assert still
    assert coded.count(1.0) in range(2, 16)  # a fifth of the references are keyframes
    assert all(0 < share < 0.7 or share == 1 for share in coded)
    symbols, last = coder.chosen(chain.latents[2], 40, predictions[0])
    assert 0 < last.mean() < 0.7
    assert symbols.shape == chain.latents[2].shape


def test_hardly_anything_is_coded_of_a_frame_that_is_the_one_before(coder, chain):
    """But for what RDOQ took off, which may be made good for."""
    latent, geometry = chain.latents[0], chain.geometries[0]
    same = Chain([latent] * 3, [geometry] * 3, [Motion(), Motion()])

    for seed in range(10):
        prediction = coder.prediction(same, 40, np.random.default_rng(seed))
        symbols, coded = coder.chosen(latent, 40, prediction)
        if prediction.reference.code == 40:
            assert coded.mean() < 0.1
            assert np.array_equal(symbols[:, ~coded], prediction.reference.symbols[:, ~coded])


def test_a_skipped_position_is_as_predicted_and_a_coded_one_as_in_a_keyframe(coder, chain):
    tables, latent = coder._tables, chain.latents[2]
    prediction = coder.prediction(chain, 30, np.random.default_rng(1))

    symbols, coded = coder.chosen(latent, 30, prediction)

    count = tables.context.at(30).count
    predicted = predicted_symbols(prediction, 30, tables.integer_gains, count)
    predicted = predicted.T.reshape(-1, *coded.shape)
    assert coded.any()
    assert not coded.all()
    assert np.array_equal(symbols[:count][:, ~coded], predicted[:, ~coded])
    assert not symbols[count:][:, ~coded].any()
    rounded = round_latent(latent, tables.gains[30], WEIGHT)
    keyframe = Planner(tables).intra(rounded, 30, Grid(1, 1, *latent.shape[1:]))
    assert np.array_equal(symbols[:, coded], keyframe.symbols[:, coded])


def test_references_are_at_another_rate_half_of_the_time(coder, chain):
    rng = np.random.default_rng(0)
    same = dataclasses.replace(chain, latents=[chain.latents[0]] * 3)

    codes = [coder.prediction(same, 64, rng).reference.code for _ in range(60)]

    assert max(codes) == 64
    assert 15 < codes.count(64) < 58
    assert min(codes) < 62


def test_what_a_bit_is_worth_is_the_codecs(coder, chain):
    rounded = coder.rounded(chain.latents[0], 40)

    assert np.unique(rounded.rdoq_lambda).tolist() == [np.float32(WEIGHT)]
    plain = round_latent(chain.latents[0], coder._tables.gains[40])
    assert np.array_equal(rounded.symbols, plain.symbols)
