# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The training bottleneck does what the codec does."""

import numpy as np
import pytest
import torch

from sc2_ros.network.bottleneck import (
    THRESHOLDS,
    Bottleneck,
    drop_patches,
    interpolate_anchors,
    laplace_bits,
)


def test_contexts_are_classes_of_what_the_groups_before_have_around() -> None:
    """Magnitudes up to 3, over 3x3 positions, by the thresholds of the group."""
    rng = np.random.default_rng(0)
    symbols = np.rint(rng.laplace(0, np.linspace(0.02, 0.3, 24), (64, 20, 24))).astype(np.int64)
    module = Bottleneck()

    found = module.contexts(torch.from_numpy(symbols)[None].float())

    starts = np.cumsum([0, *module.groups[:-1]])
    for group, start in enumerate(starts):
        active = np.pad(np.minimum(np.abs(symbols[:start]), 3).sum(0), 1)
        around = sum(active[dy : dy + 20, dx : dx + 24] for dy in range(3) for dx in range(3))
        expected = sum(around >= threshold for threshold in THRESHOLDS[group]) if start else 0
        assert np.array_equal(found[group][0].numpy(), expected + np.zeros((20, 24)))
    assert len(np.unique(found[2].numpy())) > 3


def test_laplace_bits_are_a_probability() -> None:
    """Over all integers the probabilities sum to one, whatever the scale."""
    symbols = torch.arange(-200, 201).float()
    for scale in (0.1, 0.7, 3.0, 20.0):
        bits = laplace_bits(symbols, torch.tensor(scale))
        assert float((2.0**-bits).sum()) == pytest.approx(1.0, abs=1e-3)


def test_higher_rate_means_finer_steps_and_more_bits() -> None:
    """The gain grows with the rate index, so errors shrink and bits grow."""
    torch.manual_seed(0)
    module = Bottleneck()
    latent = torch.randn(1, 64, 8, 8)
    errors, sizes = [], []
    for rate in (0.0, 0.5, 1.0):
        y_hat, bits = module(latent, torch.tensor([rate]))
        errors.append(float((y_hat - latent).abs().mean()))
        sizes.append(float(bits.sum()))
    assert errors[0] > errors[1] > errors[2]
    assert sizes[0] < sizes[1] < sizes[2]


def test_gradients_reach_latent_gains_and_scales() -> None:
    """Straight-through rounding and the noisy rate leave nothing without a gradient."""
    module = Bottleneck()
    latent = torch.randn(2, 64, 6, 6, requires_grad=True)
    y_hat, bits = module(latent, torch.tensor([0.3, 0.9]))
    (bits.sum() + y_hat.square().sum()).backward()
    assert latent.grad is not None
    assert float(latent.grad.abs().sum()) > 0
    for parameter in module.parameters():
        assert parameter.grad is not None
        assert float(parameter.grad.abs().sum()) > 0


def test_interpolation_hits_the_anchors() -> None:
    """At an anchor the value is the anchor's; between two it is their mean."""
    table = torch.tensor([[0.0], [1.0], [4.0]])
    found = interpolate_anchors(table, torch.tensor([0.0, 0.5, 0.75, 1.0]))
    assert found.flatten().tolist() == [0.0, 1.0, 2.5, 4.0]


def test_dropped_patches_never_take_the_whole_frame() -> None:
    """Something always arrives, and something is lost often enough to learn from."""
    torch.manual_seed(1)
    received = drop_patches(200, 10, 12, 1.0, torch.device("cpu"))
    share = received.mean((1, 2, 3))
    assert float(share.min()) > 0
    assert 0.2 < float((share < 1).float().mean()) < 1.0
