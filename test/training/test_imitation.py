# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The semantics are fed with what comes nearest to a teacher's features."""

import numpy as np
import pytest
import torch

from sc2_ros.network.semantics import TAKES
from sc2_ros.training.imitation import IMITATED, begin_imitating, imitation_loss
from sc2_ros.training.sc2_model import LossConfig, TrainingModel


@pytest.fixture
def images():
    rng = np.random.default_rng(0)
    coarse = rng.integers(0, 255, (6, 9, 12, 3))
    return [one.repeat(16, 0).repeat(16, 1).astype(np.uint8) for one in coarse]


def test_a_training_begins_with_the_least_squares_fit(images):
    """A teacher whose features are linear in ours is met; statistics of batches stay as they were.

    Also images whose sides are no multiples of 32, of which the rest is left out.
    """
    torch.manual_seed(0)
    model = TrainingModel(64, 3, depths=(1, 1, 1), semantics=True)
    semantics = model.ground.backbone.semantics
    wanted = torch.nn.Conv2d(96, TAKES, 1)
    torch.nn.init.normal_(wanted.weight, std=3.0)
    seen = []
    semantics.imitate.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    before = {key: value.clone() for key, value in model.state_dict().items()}

    begin_imitating(
        model.encoder, model.ground, semantics, lambda _: {"stage1": wanted(seen[-1])}, images
    )

    changed = {
        key for key, value in model.state_dict().items() if not torch.equal(value, before[key])
    }
    prefix = "ground.backbone.semantics.imitate."
    assert changed == {prefix + "weight", prefix + "bias"}
    assert model.ground.training
    with torch.no_grad():
        target = wanted(seen[-1])
        error = (semantics.imitate(seen[-1]) - target).square().mean() / target.var()
    assert error < 0.02


def test_what_was_lost_or_weighs_nothing_is_not_to_be_imitated():
    """In units of the channels' variance: features of any spread count alike."""
    chance = torch.Generator().manual_seed(0)
    wanted = {
        "stage1": torch.randn(2, 3, 4, 4, generator=chance),
        "stage2": torch.randn(2, 5, 2, 2, generator=chance),
    }
    found = {name: torch.zeros_like(wanted[theirs]) for name, theirs in IMITATED.items()}
    cells, even = torch.ones(2, 1, 8, 8), torch.ones(2)
    whole = imitation_loss(found, wanted, cells, even)
    louder = {name: 7 * value for name, value in wanted.items()}
    torch.testing.assert_close(imitation_loss(found, louder, cells, even), whole)
    for name, theirs in IMITATED.items():
        found[name][0] = wanted[theirs][0]
    assert imitation_loss(found, wanted, cells, even) > 0
    assert imitation_loss(found, wanted, cells, torch.tensor([1.0, 0.0])) == 0
    cells[1] = 0
    assert imitation_loss(found, wanted, cells, even) == 0


def test_features_weigh_less_where_bits_are_dear():
    """With one weight the lowest rate of a stream in training had five times its bytes."""
    config = LossConfig(lambda_low=16.0, lambda_high=0.25, imitate=0.5)
    rate = torch.tensor([0.0, 0.5, 1.0])
    torch.testing.assert_close(config.imitation(rate), torch.tensor([0.0625, 0.1767767, 0.5]))
