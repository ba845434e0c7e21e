# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stalled link is detected and probed."""

import math

from sc2_ros.link.control.stall import StallProbe


def test_a_stall_is_noticed_probed_and_ended():
    stall = StallProbe()
    stall.progress(10.0)
    assert not stall.check(10.1, None, 0.1, 0.07, 10.3)
    assert stall.check(10.1, 10.6, 0.1, 0.07, 10.7)
    probes = [t / 100 for t in range(1070, 1370) if stall.is_due(-math.inf, t / 100)]
    assert probes  # the first one at once; the next ones count from the last frame
    assert not stall.is_due(13.6, 13.7)
    assert stall.progress(14.0)
    assert not stall.check(None, None, 0.1, 0.07, 14.1)


def test_silence_after_good_news_is_borne_longer_and_not_for_ever():
    stall = StallProbe()
    stall.progress(10.0)
    assert not stall.check(10.1, 10.0, 0.1, 0.07, 11.9)
    assert stall.check(10.1, 10.0, 0.1, 0.07, 12.2)
