# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint file with random weights, for tests of everything but accuracy."""

from pathlib import Path

import torch

from sc2_ros import checkpoint as checkpoints


def write_untrained(path: Path) -> Path:
    card = checkpoints.default_card()
    tables = checkpoints.untrained(seed=0).tables
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        networks = checkpoints.build_networks(card)
    checkpoints.save(path, *networks, tables, card)
    return path
