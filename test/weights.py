# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A checkpoint file with random weights, for tests of everything but accuracy."""

from pathlib import Path

from sc2_ros import checkpoint as checkpoints


def write_untrained(path: Path) -> Path:
    card = checkpoints.default_card()
    tables = checkpoints.untrained(seed=0).tables
    checkpoints.save(path, *checkpoints.build_networks(card), tables, card)
    return path
