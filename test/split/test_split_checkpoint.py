# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Damaged checkpoints of split networks are told in a sentence."""

import json

import pytest
import torch
from safetensors.torch import save_file

from sc2_ros.errors import CheckpointError
from sc2_ros.split import checkpoint

CARD = checkpoint.make_card(
    recipe="teacher", task="detection", classes=("car",), backbone="resnet:8-16-24:1-1-1"
)


@pytest.fixture
def file_with(tmp_path):
    """A file of the format with a card."""

    def write(**metadata):
        path = tmp_path / "bad.safetensors"
        save_file({"a": torch.zeros(2)}, str(path), {"format": checkpoint.FORMAT} | metadata)
        return path

    return write


@pytest.mark.parametrize("ask", [checkpoint.bottleneck_of, checkpoint.load])
@pytest.mark.parametrize("card", [None, "{", "null", "[1]", "[" * 100_000])
def test_a_file_without_a_readable_card_says_so(file_with, ask, card):
    path = file_with() if card is None else file_with(card=card)
    with pytest.raises(CheckpointError, match=r"bad.*card"):
        ask(path)


@pytest.mark.parametrize("chosen", ["name", ["name"], {"options": {}}])
@pytest.mark.parametrize("ask", [checkpoint.bottleneck_of, checkpoint.load])
def test_a_bottleneck_without_a_name_is_no_bottleneck(file_with, ask, chosen):
    with pytest.raises(CheckpointError, match=r"bad.*card"):
        ask(file_with(card=json.dumps(CARD | {"bottleneck": chosen})))


def test_a_backbone_that_is_no_name_is_told(file_with):
    with pytest.raises(CheckpointError, match=r"bad.*do not fit its card"):
        checkpoint.load(file_with(card=json.dumps(CARD | {"backbone": 5})))
