# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How long a frame would queue, and how many bytes still arrive in time."""

import math

import pytest

from sc2_ros.link.control.in_flight import expected_queue_s


def test_what_waits_passes_at_the_capacity():
    """10 kB behind a packet that passed at 1.0 s, 400 kbit/s: the last passes at 1.2 s."""
    assert expected_queue_s(1.0, 10_000, 400e3, 1.05) == pytest.approx(0.15)
    assert expected_queue_s(1.0, 10_000, 400e3, 1.3) == 0
    assert expected_queue_s(1.0, 0, 400e3, 1.0) == 0
    assert expected_queue_s(None, 10_000, 400e3, 1.0) == 0
    assert expected_queue_s(1.0, 10_000, 0.0, 1.0) == math.inf
