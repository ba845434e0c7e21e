# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Temporal tables for an encoder: what they are fitted on, and that they pay."""

import cv2
import numpy as np
import pytest

from sc2_ros import checkpoint, imaging
from sc2_ros.codec.coder import LatentCodec
from sc2_ros.codec.packet import Geometry, Header, PacketType
from sc2_ros.codec.prediction import Motion
from sc2_ros.errors import InputError
from sc2_ros.training import temporal_tables
from sc2_ros.training.temporal_tables import PairConfig


def picture(seed, height=96, width=128):
    coarse = np.random.default_rng(seed).integers(0, 255, (height // 8, width // 8, 3))
    return cv2.resize(coarse.astype(np.uint8), (width, height), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def fitted():
    plain = checkpoint.untrained()
    clip = [np.roll(picture(5), shift, 1) for shift in range(8)]
    config = PairConfig(stills=8, flights=0, per_clip=4)
    tables = temporal_tables.fit(
        plain.encoder, plain.tables, [picture(seed) for seed in range(8)], [clip], config
    )
    return plain, tables


def test_a_frame_seen_before_costs_less_with_them(fitted):
    plain, tables = fitted
    codec = LatentCodec(tables, plain.id)
    image = picture(77)
    noisy = np.clip(image + np.random.default_rng(0).normal(0, 1, image.shape), 0, 255)
    geometry = Geometry((128, 96), (128, 96))
    header = Header(PacketType.FEATURES, 0, plain.id, 0)
    latents = [
        plain.encoder(imaging.to_tensor(x.astype(np.uint8)))[0].numpy() for x in (image, noisy)
    ]
    first = codec.encode_frame(latents[0], 32, header, geometry)
    prediction = codec.predict(first.reference, Motion(), geometry.latent_shape)

    intra = codec.price(latents[1], 32)
    predicted = codec.price(latents[1], 32, prediction=prediction)

    assert predicted.predicted.all()
    assert predicted.size_bytes < 0.6 * intra.size_bytes


def test_the_other_tables_stay(fitted):
    plain, tables = fitted
    assert np.array_equal(tables.index, plain.tables.index)
    assert tables.temporal is not None


def test_image_sequences_are_runs_of_consecutive_numbers(tmp_path):
    for name in ("a8", "a9", "a10", "a12", "b11", "b12", "other"):
        cv2.imwrite(str(tmp_path / f"{name}.jpg"), picture(len(name)))

    clips = list(temporal_tables.footage([str(tmp_path / "*.jpg")]))

    assert [len(clip) for clip in clips] == [3, 2]


def test_footage_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match="no footage at"):
        list(temporal_tables.footage([str(tmp_path / "*.mp4")]))
