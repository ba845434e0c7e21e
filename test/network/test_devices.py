# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which arithmetic a device is given where nobody says which."""

import pytest
import torch

from sc2_ros.network.devices import CHOICES, autocast, check_device, precision_of
from sc2_ros.nodes.parameters import GROUND, ONBOARD


@pytest.mark.parametrize(
    ("told", "precision"),
    [
        ({"avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "bf16"),
        ({"avx512_bf16": False, "avx2": True}, "fp32"),
    ],
)
def test_bf16_only_where_the_cpu_multiplies_it(monkeypatch, told, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert precision_of("cpu", "auto") == precision
    for asked in ("fp32", "bf16"):
        assert precision_of("cpu", asked) == asked


def test_an_older_torch_that_tells_nothing(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert precision_of("cpu", "auto") == "fp32"


@pytest.mark.parametrize(
    ("capability", "precision"),
    [((9, 0), "bf16"), ((8, 7), "bf16"), ((7, 5), "fp16"), ((6, 1), "fp32")],
)
def test_a_gpu_takes_the_half_that_it_multiplies(monkeypatch, capability, precision):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert precision_of("cuda:0", "auto") == precision


def test_what_auto_stands_for_is_there_and_is_what_runs():
    check_device("cpu", "auto")
    stands_for = precision_of("cpu", "auto")
    check_device("cpu", stands_for)
    one = torch.eye(2)
    with autocast("cpu", "auto"):
        auto = (one @ one).dtype
    with autocast("cpu", stands_for):
        assert (one @ one).dtype == auto


@pytest.mark.parametrize("rows", [GROUND, ONBOARD])
def test_the_parameter_takes_every_precision_that_there_is(rows):
    (row,) = (row for row in rows if row.name == "precision")
    assert set(row.choices) == set(CHOICES)
