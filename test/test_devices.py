# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which arithmetic a device is given where nobody says which."""

import pytest
import torch

from sc2_ros.devices import check_device, quick_precision


@pytest.mark.parametrize(
    ("told", "precision"),
    [({"avx512_bf16": True}, "bf16"), ({"amx_bf16": True}, "bf16"), ({"avx2": True}, "fp32")],
)
def test_bf16_only_where_the_cpu_multiplies_it(monkeypatch, told, precision):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: told, raising=False)
    assert quick_precision("cpu") == precision
    assert quick_precision("cuda") == "fp32"


def test_an_older_torch_that_tells_nothing(monkeypatch):
    monkeypatch.delattr(torch.cpu, "get_capabilities", raising=False)
    assert quick_precision("cpu") == "fp32"


def test_the_quick_precision_is_one_that_the_device_has():
    check_device("cpu", quick_precision("cpu"))
