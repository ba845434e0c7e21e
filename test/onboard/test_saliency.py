# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Where the drone is exact: background in fewer bytes, what is salient as before."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.codec.frame.encoder import EncodedPacket
from sc2_ros.codec.frame.symbols import RDOQ_LAMBDA
from sc2_ros.codec.slicing import Grid
from sc2_ros.errors import CheckpointError, ParameterError
from sc2_ros.ground.pipeline import GroundPipeline
from sc2_ros.network.saliency import SaliencyHead
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.onboard.saliency import BACKGROUND, OBJECT, objects_first, rdoq_lambda


def head_that_sees(channel=0):
    """Finds an object wherever a channel of the latent is positive."""
    head = SaliencyHead(64).requires_grad_(False)
    for weights in head.parameters():
        weights.zero_()
    head.enter.weight[0, channel] = 1000.0
    head.leave.weight[0, 0, 1, 1] = 1000.0
    head.leave.bias[:] = -50.0
    return head


def logit_of_two_halves():
    logit = np.full((6, 8), -40.0, np.float32)
    logit[:, :4] = 40.0
    return logit


def test_objects_cost_less_patience_than_background():
    weight = rdoq_lambda(logit_of_two_halves(), 1.0)

    assert (weight.shape, weight.dtype) == ((6, 8), np.float32)
    assert weight[:, :4] == pytest.approx(RDOQ_LAMBDA * OBJECT)
    assert weight[:, 4:] == pytest.approx(RDOQ_LAMBDA * BACKGROUND)


def test_half_the_strength_is_half_the_way():
    weight = rdoq_lambda(logit_of_two_halves(), 0.5)

    assert weight[:, 4:] == pytest.approx(RDOQ_LAMBDA * BACKGROUND**0.5)


def test_a_logit_that_is_no_number_gives_a_number():
    logit = logit_of_two_halves()
    logit[2, 2] = np.nan

    assert rdoq_lambda(logit, 1.0)[2, 2] == np.float32(RDOQ_LAMBDA)


def test_without_a_head_the_strength_changes_nothing():
    image = np.random.default_rng(1).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    model = checkpoint.untrained()
    sent = [
        OnboardPipeline(model, OnboardConfig(rate_saliency=strength)).process(
            CameraFrame(image, 0, "camera"), 0.0
        )
        for strength in (0.0, 1.0)
    ]
    assert sent[0] == sent[1]


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


def test_packets_with_objects_leave_first_and_repair_packets_last():
    packets = [b"top left", b"top right", b"bottom left", b"bottom right", b"repair"]
    logit = np.full((4, 4), -4.0, np.float32)
    logit[3, 3] = 4.0
    logit[0, 2:] = 4.0
    logit[2, 0] = np.nan
    everywhere = np.ones((4, 4), np.bool_)
    grid = Grid(2, 2, 4, 4)

    order = objects_first(packets, logit, everywhere, grid)
    assert order == [b"top right", b"bottom right", b"top left", b"bottom left", b"repair"]
    known = everywhere.copy()
    known[0, 2:] = False
    assert objects_first(packets, logit, known, grid)[0] == b"bottom right"


def test_a_drone_sends_where_objects_are_before_the_rest():
    model = replace(checkpoint.untrained(), saliency=head_that_sees(63))
    onboard = OnboardPipeline(model, OnboardConfig(rate_index=1.0))
    image = np.random.default_rng(1).integers(0, 256, (384, 512, 3)).astype(np.uint8)

    packets = onboard.process(CameraFrame(image, 0, "camera"), 0.0)

    slices = [packet.number for packet in packets if isinstance(packet, EncodedPacket)]
    assert sorted(slices) == list(range(len(slices)))
    assert slices != sorted(slices)
    headers = [wire.parse(packet).header for packet in packets]
    assert [header.number for header in headers[-len(slices) :]] == slices
    ground = GroundPipeline(model)
    results = [result for packet in packets for result in ground.receive(packet, 0.0)]
    assert [result.share_received for result in results] == [1.0]
