# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Convolutions by Winograd's algorithm say what PyTorch's own say."""

import copy
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from sc2_ros.network import winograd
from sc2_ros.network.layers import fold_batch_norm
from sc2_ros.network.model import GroundNetwork

ROOT = Path(__file__).parents[2]
needs_nnpack = pytest.mark.skipif(not winograd.are_there(), reason="no NNPACK for this CPU")
TWO_THREADS = """
import sys
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, "test/network")
from test_winograd import *
torch.set_num_threads(2)
torch.backends.cpu.get_cpu_capability = lambda: "AVX2"
assert winograd.pays(torch.device("cpu"), torch.float32)
network = winograd.use(ground())
frames = [given(3, 4 + number, seed=number) for number in range(8)]
with torch.inference_mode(), ThreadPoolExecutor(2) as pool:  # the first ones make NNPACK's threads
    found = list(pool.map(lambda frame: network(*frame)["heatmap"], frames * 3))
    plain = [ground()(*frame)["heatmap"] for frame in frames]
for one, other in zip(found, plain * 3, strict=True):
    torch.testing.assert_close(one, other, atol=2e-3, rtol=1e-3)
"""


def ground(seed=0):
    torch.manual_seed(seed)
    network = GroundNetwork(channels=22)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):  # also those that begin as nothing
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.running_mean, std=0.1)
    network = fold_batch_norm(network.eval()).requires_grad_(False)
    return network.to(memory_format=torch.channels_last)  # as a checkpoint's is


def given(high, wide, batch=1, seed=1):
    generator = torch.Generator().manual_seed(seed)
    latent = torch.randn(batch, 22, high, wide, generator=generator)
    return latent, (torch.rand(batch, 1, high, wide, generator=generator) > 0.2).float()


@pytest.fixture
def network(monkeypatch):
    """One that computes by Winograd, whatever is quicker here."""
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    assert winograd.pays(torch.device("cpu"), torch.float32)
    return winograd.use(copy.deepcopy(ground()))


@needs_nnpack
@pytest.mark.parametrize(("high", "wide", "batch"), [(1, 1, 1), (5, 7, 1), (4, 3, 2)])
def test_the_ground_network_sees_the_same(network, high, wide, batch):
    latent, received = given(high, wide, batch)
    expected = ground()(latent, received)
    for name, found in network(latent, received).items():
        torch.testing.assert_close(found, expected[name], atol=2e-3, rtol=1e-3)
    done = [module for module in network.modules() if isinstance(module, winograd.WinogradConv2d)]
    assert len(done) > 15


@needs_nnpack
def test_two_threads_do_not_disturb_each_other():
    """In a process of its own, where NNPACK has two threads and neither caller was the first."""
    environment = {key: text for key, text in os.environ.items() if key != "OMP_NUM_THREADS"}
    code = [sys.executable, "-c", TWO_THREADS]
    run = subprocess.run(code, env=environment, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@needs_nnpack
@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv2d(16, 16, 1),
        nn.Conv2d(16, 16, 5, 1, 2),
        nn.Conv2d(16, 16, 3, 2, 1),
        nn.Conv2d(16, 16, 3, 1, 0),
        nn.Conv2d(16, 16, 3, 1, 2, dilation=2),
        nn.Conv2d(16, 16, 3, 1, 1, groups=16),
        nn.Conv2d(16, 16, 3, 1, 1, padding_mode="reflect"),
        nn.Conv2d(3, 16, 3, 1, 1),
    ],
)
def test_other_convolutions_stay_as_they_are(conv):
    x = torch.randn(1, conv.in_channels, 12, 12)
    expected = conv(x)
    found = winograd.use(nn.Sequential(conv))[0]
    assert type(found) is nn.Conv2d
    torch.testing.assert_close(found(x), expected)


@pytest.mark.parametrize(
    ("capability", "device", "dtype", "there", "pays"),
    [
        ("AVX2", "cpu", torch.float32, True, True),
        ("AVX512", "cpu", torch.float32, True, False),
        ("DEFAULT", "cpu", torch.float32, True, False),
        ("AVX2", "cpu", torch.bfloat16, True, False),
        ("AVX2", "cuda", torch.float32, True, False),
        ("AVX2", "cpu", torch.float32, False, False),
    ],
)
def test_only_where_it_is_the_quicker_one(monkeypatch, capability, device, dtype, there, pays):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    monkeypatch.setattr(torch, "_nnpack_available", lambda: there)
    assert winograd.pays(torch.device(device), dtype) is pays


def test_a_torch_without_nnpack_goes_the_other_way(monkeypatch):
    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2")
    monkeypatch.delattr(torch, "_nnpack_spatial_convolution")
    assert not winograd.pays(torch.device("cpu"), torch.float32)
