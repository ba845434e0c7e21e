# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The queue is drained now and then."""

from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.control.drain_probe import QueueDrainProbe

times = st.lists(st.floats(-1e6, 1e6), max_size=40)


@given(times)
def test_the_probe_is_short_under_any_clock(moments):
    probe = QueueDrainProbe()
    for now_s in moments:
        probe.note(False, now_s)
        assert 0.5 < probe.share(now_s) <= 1
        assert probe.share(now_s + 10) == 1
