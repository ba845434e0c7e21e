# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Numbers that wrap."""

from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.sequence import wrapped_difference


@given(st.integers(0, 65535), st.integers(-32768, 32767))
def test_difference_survives_the_wrap(start, step):
    assert wrapped_difference((start + step) & 0xFFFF, start) == step
