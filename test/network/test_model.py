# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Shapes, sizes and batch norm folding of the networks."""

import pytest
import torch

from sc2_ros.network.encoder import OnboardEncoder
from sc2_ros.network.layers import fold_batch_norm
from sc2_ros.network.model import GroundNetwork


def _with_statistics(network: torch.nn.Module) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(0)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.3, 0.3, generator=generator)
            module.running_var.uniform_(0.5, 1.5, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
    return network.eval()


def test_encoder_is_small() -> None:
    """design.md, invariant 1: at most 0.3 M parameters, stride 16."""
    encoder = OnboardEncoder()
    assert sum(parameter.numel() for parameter in encoder.parameters()) <= 300_000
    assert encoder(torch.rand(1, 3, 64, 96)).shape == (1, 64, 4, 6)


@pytest.mark.parametrize(("mask", "preview"), [(True, True), (False, False), (True, False)])
def test_ground_outputs(mask: bool, preview: bool) -> None:
    """Boxes and masks at stride 4, the preview at 2, and only what was asked for."""
    ground = GroundNetwork().eval()
    out = ground(torch.randn(2, 64, 3, 5), torch.ones(2, 1, 3, 5), mask=mask, preview=preview)
    shapes = {"heatmap": (2, 4, 12, 20), "box": (2, 4, 12, 20)}
    if mask:
        shapes["mask"] = (2, 6, 12, 20)
    if preview:
        shapes["preview"] = (2, 3, 24, 40)
    assert {name: tuple(value.shape) for name, value in out.items()} == shapes


def test_boxes_have_a_positive_size() -> None:
    """Left + right and top + bottom are widths and heights, whatever the weights say."""
    ground = GroundNetwork().eval()
    box = ground(torch.randn(1, 64, 4, 4) * 5, torch.ones(1, 1, 4, 4))["box"]
    assert bool((box[:, 0] + box[:, 2] > 0).all())
    assert bool((box[:, 1] + box[:, 3] > 0).all())


def test_folding_changes_nothing_but_the_norms() -> None:
    """A folded network computes the same without a batch norm left."""
    torch.manual_seed(0)
    encoder = _with_statistics(OnboardEncoder())
    ground = _with_statistics(GroundNetwork())
    image, received = torch.rand(1, 3, 64, 64), torch.ones(1, 1, 4, 4)
    with torch.no_grad():
        latent = encoder(image)
        before = ground(latent, received)
        encoder.fold()
        folded = encoder(image)
        after = fold_batch_norm(ground)(latent, received)
    assert torch.allclose(latent, folded, atol=1e-4)
    for name, value in before.items():
        assert torch.allclose(value, after[name], atol=1e-3), name
    for network in (encoder, ground):
        assert not [m for m in network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
