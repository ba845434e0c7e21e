# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the drone is exact: background in fewer bytes, what is salient as before."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.ground.pipeline import GroundPipeline
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.onboard.saliency import BACKGROUND, OBJECT, SaliencyLambda


def head_that_sees(channel=0):
    """Finds an object wherever a channel of the latent is positive."""
    head = SaliencyHead(64).requires_grad_(False)
    for weights in head.parameters():
        weights.zero_()
    head.enter.weight[0, channel] = 1000.0
    head.leave.weight[0, 0, 1, 1] = 1000.0
    head.leave.bias[:] = -50.0
    return head


def refinement_of(head, strength=1.0):
    refinement = SaliencyLambda(head)
    refinement.strength = strength
    return refinement


def latent_of_two_halves():
    latent = np.random.default_rng(0).normal(size=(64, 6, 8)).astype(np.float32)
    latent[0, :, :4], latent[0, :, 4:] = 1.0, -1.0
    return latent


def test_objects_cost_less_patience_than_background():
    mu = refinement_of(head_that_sees())(latent_of_two_halves())

    assert mu.shape == (6, 8)
    assert mu[:, :4] == pytest.approx(RDOQ_LAMBDA * OBJECT)
    assert mu[:, 4:] == pytest.approx(RDOQ_LAMBDA * BACKGROUND)


def test_it_says_what_the_head_says():
    torch.manual_seed(0)
    head = SaliencyHead(64).requires_grad_(False)
    latent = np.random.default_rng(0).normal(size=(64, 7, 9)).astype(np.float32)

    logit = SaliencyLambda(head)._logit(latent)

    assert logit == pytest.approx(head(torch.from_numpy(latent)[None])[0, 0].numpy(), abs=1e-5)


def test_half_the_strength_is_half_the_way():
    mu = refinement_of(head_that_sees(), 0.5)(latent_of_two_halves())

    assert mu[:, 4:] == pytest.approx(RDOQ_LAMBDA * BACKGROUND**0.5)


@pytest.mark.parametrize(("head", "strength"), [(None, 1.0), (head_that_sees(), 0.0)])
def test_without_head_or_strength_all_positions_are_alike(head, strength):
    assert (refinement_of(head, strength)(latent_of_two_halves()) == np.float32(RDOQ_LAMBDA)).all()


def test_a_latent_that_is_no_number_gives_a_number():
    latent = latent_of_two_halves()
    latent[3, 2, 2] = np.nan

    assert np.isfinite(refinement_of(head_that_sees())(latent)).all()


def test_a_flying_drone_may_change_it_and_the_ground_reads_both():
    model = replace(checkpoint.untrained(), saliency=head_that_sees(63))
    onboard = OnboardPipeline(model, OnboardConfig(rate_index=0.8, rate_saliency=0.0))
    ground = GroundPipeline(model)
    coarse = np.random.default_rng(1).integers(0, 256, (12, 16, 3)).astype(np.uint8)
    image = cv2.resize(coarse, (256, 192), interpolation=cv2.INTER_CUBIC)

    sizes = []
    for number, strength in enumerate((0.0, 1.0)):
        onboard.configure(replace(onboard.config, rate_saliency=strength, rate_temporal=False))
        packets = onboard.process(CameraFrame(image, number * 10**8, "camera"), number * 0.1)
        sizes.append(sum(map(len, packets)))
        results = [result for packet in packets for result in ground.receive(packet, number * 0.1)]
        assert len(results) == 1

    assert sizes[1] < sizes[0]


def test_a_strength_beyond_one_is_refused():
    with pytest.raises(ParameterError, match="saliency"):
        OnboardConfig(rate_saliency=1.5).validate()


def test_a_head_for_other_latents_is_refused_when_it_is_read(tmp_path):
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    path = tmp_path / "other.safetensors"
    checkpoint.save(path, encoder, ground, checkpoint.untrained().tables, card, SaliencyHead(32))

    with pytest.raises(CheckpointError, match="do not fit"):
        checkpoint.load(path)


def test_it_travels_in_the_checkpoint_and_is_not_part_of_its_id(tmp_path):
    card = checkpoint.default_card()
    encoder, ground = checkpoint.build_networks(card)
    tables = checkpoint.untrained().tables
    path = tmp_path / "with.safetensors"

    without = checkpoint.save(tmp_path / "without.safetensors", encoder, ground, tables, card)
    number = checkpoint.save(path, encoder, ground, tables, card, head_that_sees(5))

    assert number == without
    assert checkpoint.load(tmp_path / "without.safetensors").saliency is None
    found = checkpoint.load(path).saliency
    assert torch.equal(found.enter.weight, head_that_sees(5).enter.weight)
