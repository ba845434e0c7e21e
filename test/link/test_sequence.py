# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that wrap, and senders that start again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.sequence import has_restarted, wrapped_difference


@given(st.integers(0, 65535), st.integers(-32768, 32767))
def test_difference_survives_the_wrap(start, step):
    assert wrapped_difference((start + step) & 0xFFFF, start) == step


@pytest.mark.parametrize(
    ("frame", "capture", "restarted"),
    [
        (100, 50, False),  # the newest frame itself
        (101, 60, False),
        (99, 40, False),  # a straggler
        (30, 10, True),  # too far behind for one
        (99, 60, True),  # an old number with a new picture
        (65_535, 60, True),
        (1000, 60, False),  # half a minute without a packet
        (1200, 60, True),
        (32_850, 60, True),  # half of all numbers ahead
        (500, 40, False),  # a bag that loops: numbers go on, stamps go back
    ],
)
def test_restart(frame, capture, restarted):
    assert has_restarted(frame, capture, newest_frame=100, newest_capture_time_ns=50) is restarted
