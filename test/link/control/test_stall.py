# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A stalled link is detected and probed."""

from sc2_ros.link.control.stall import STALL, StallProbe


def test_a_stall_is_detected_probed_and_ended():
    stall = StallProbe()
    stall.progress(10.0)
    assert not stall.check(10.1, None, 0.1, 0.07, 10.3)
    assert stall.check(10.1, None, 0.1, 0.07, 10.7)
    sent_s, probes = 10.0, []
    for tick in range(1070, 1370):
        if stall.is_due(sent_s, tick / 100):
            sent_s = tick / 100
            probes.append(sent_s)
    assert probes[0] == 10.7
    assert len(probes) == round(3.0 / STALL.probe_s)
    assert stall.progress(14.0)
    assert not stall.check(None, None, 0.1, 0.07, 14.1)


def test_patience_is_that_of_the_round_trip_and_two_reports_and_ends():
    assert not StallProbe().check(10.0, None, 0.6, 0.07, 11.0)
    assert StallProbe().check(10.0, None, 0.6, 0.07, 11.1)
    assert StallProbe().check(10.0, None, 60.0, 0.07, 10.1 + STALL.silence_s)


def test_after_good_news_silence_is_taken_for_reports_that_were_lost():
    assert not StallProbe().check(10.0, 9.9, 0.1, 0.07, 10.1 + 1.5)
    assert StallProbe().check(10.0, 9.9, 0.1, 0.07, 10.1 + STALL.silence_s)
    # The report before the silence told of a queue.
    assert StallProbe().check(10.0, None, 0.1, 0.07, 10.1 + 1.5)
