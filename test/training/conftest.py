# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whole trainings that are over in seconds."""

from functools import cache, partial

import pytest

from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.training import pairs

QUICK = "context: {steps: 2, hidden: 8, rates: 2}, skip: {steps: 2, hidden: 8, pair_rates: 1}"
small_flight = cache(partial(SyntheticFlight, width=160, height=128))


@pytest.fixture
def quick(monkeypatch):
    """Settings for few steps; flights to fit on are small pictures."""
    monkeypatch.setattr(pairs, "SyntheticFlight", small_flight)
    return QUICK
