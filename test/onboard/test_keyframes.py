# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""How often keyframes are sent."""

from itertools import pairwise

import pytest

from sc2_ros.onboard.keyframes import LEAST_S, MOST_S, SHARE, RefreshPolicy

KEYFRAME_BYTES = 1000


def refreshes(
    fps, predicted_bytes, *, seconds=30.0, lost=(), code=20, keyframe_code=20, period_s=MOST_S
):
    """Times at which a keyframe was due; stations hold all but the `lost` of them."""
    policy, times = RefreshPolicy(), []
    policy.period_s = period_s
    held = set()
    for number in range(round(seconds * fps)):
        now_s = number / fps
        if policy.is_due(held, now_s):
            times.append(now_s)
            policy.on_encoded(number, keyframe_code, KEYFRAME_BYTES, now_s, predicted=False)
            if len(times) - 1 not in lost:
                held.add(number)
        else:
            policy.on_encoded(number, code, predicted_bytes, now_s, predicted=True)
            held.add(number)
    return times


def gaps(times):
    return [after - before for before, after in pairwise(times)]


@pytest.mark.parametrize(("fps", "predicted_bytes"), [(10, 300), (30, 300), (10, 600), (25, 450)])
def test_it_costs_its_share_and_no_more(fps, predicted_bytes):
    times = refreshes(fps, predicted_bytes)
    frames = round(gaps(times)[0] * fps)
    extra = (KEYFRAME_BYTES - predicted_bytes) / (frames * predicted_bytes)

    assert 0.8 * SHARE < extra <= 1.05 * SHARE
    assert LEAST_S < gaps(times)[0] < MOST_S


def test_where_prediction_saves_little_it_comes_every_second():
    assert gaps(refreshes(10, 800)) == pytest.approx([LEAST_S] * 29)


def test_where_it_saves_a_lot_it_comes_every_ten_seconds():
    assert gaps(refreshes(2, 100)) == pytest.approx([MOST_S] * 2)


@pytest.mark.parametrize(("fps", "period_s"), [(10, 1.0), (30, 1.0), (2, 3.0)])
def test_a_listener_without_feedback_waits_no_longer_than_the_period(fps, period_s):
    waits = gaps(refreshes(fps, 50, period_s=period_s))

    assert waits == pytest.approx([period_s] * len(waits))


def test_one_that_a_station_lacks_is_repeated():
    times = refreshes(2, 100, lost={1, 2})

    assert gaps(times)[:4] == pytest.approx([MOST_S, LEAST_S, LEAST_S, MOST_S])


def test_frames_of_one_size_differ_by_their_code():
    """With a budget, a keyframe takes as many bytes at a lower code."""
    same = gaps(refreshes(10, KEYFRAME_BYTES, code=36, keyframe_code=20))
    half = gaps(refreshes(10, KEYFRAME_BYTES / 2))

    assert same == pytest.approx(half)


def test_a_clock_that_is_set_back_does_not_keep_it_away():
    policy = RefreshPolicy()
    policy.on_encoded(0, 20, KEYFRAME_BYTES, 1e6, predicted=False)
    policy.on_encoded(1, 20, 100, 1e6 + 0.1, predicted=True)

    assert policy.is_due({0, 1}, 5.0)
    assert policy.newest == 0


def test_it_can_be_asked_for():
    policy = RefreshPolicy()
    policy.on_encoded(0, 20, KEYFRAME_BYTES, 0.0, predicted=False)
    assert not policy.is_due({0}, 0.1)
    policy.request()
    assert policy.is_due({0}, 0.1)
