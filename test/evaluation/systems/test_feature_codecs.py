# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Latents as a picture of tiles, and by a few principal channels."""

import numpy as np
import pytest

from sc2_ros import checkpoint as checkpoints
from sc2_ros.evaluation.systems.feature_codecs import (
    MosaicSystem,
    ReducedSystem,
    mosaic,
    reduction,
    tiles,
)
from sc2_ros.evaluation.systems.image_codecs import parse_codec
from sc2_ros.evaluation.systems.image_network import WholeNetwork

IMAGE = np.random.default_rng(0).integers(0, 255, (90, 130, 3), np.uint8)


@pytest.fixture(scope="module")
def checkpoint():
    return checkpoints.untrained(seed=0)


@pytest.mark.parametrize("count", [1, 7, 64])
def test_tiles_undo_the_mosaic(count):
    levels = np.random.default_rng(1).integers(0, 255, (count, 3, 5), np.uint8)

    assert np.array_equal(tiles(mosaic(levels), count, (3, 5)), levels)


def test_as_many_directions_as_channels_lose_nothing():
    latents = [np.random.default_rng(i).normal(size=(6, 4, 5)).astype(np.float32) for i in (0, 1)]
    kept = reduction(latents, 6)
    values = latents[0].reshape(6, -1)

    again = kept.basis @ (kept.basis.T @ (values - kept.middle[:, None])) + kept.middle[:, None]

    assert np.allclose(again, values, atol=1e-4)
    assert (np.diff(kept.reach) <= 1e-3 * kept.reach[0] + 0.8).all()


@pytest.mark.parametrize("codec", ["jpeg:95", "webp:95"])
def test_a_fine_mosaic_gives_the_same_mask_as_the_whole_network(checkpoint, codec):
    system = MosaicSystem(checkpoint, parse_codec(codec))
    packets = system.encode(IMAGE)
    whole = WholeNetwork(checkpoint)(IMAGE)

    assert system.name == "feature-" + codec.partition(":")[0]
    assert max(map(len, packets)) <= 1200
    assert (system.decode(packets).mask == whole.mask).mean() > 0.75
    assert system.decode(packets[:-1]).mask is None


def test_reduced_channels_cost_a_byte_a_position_each(checkpoint):
    sizes = {}
    for channels in (2, 64):
        system = ReducedSystem(checkpoint, channels, [IMAGE])
        packets = system.encode(IMAGE)
        sizes[channels] = sum(map(len, packets)) - 24 * len(packets) - 8
        outputs = system.decode(packets)
        assert outputs.mask.shape == (23, 33)

    assert sizes == {2: 2 * 6 * 9, 64: 64 * 6 * 9}
    whole = WholeNetwork(checkpoint)(IMAGE)
    assert (outputs.mask == whole.mask).mean() > 0.75
