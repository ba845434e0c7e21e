# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The simulator itself: nothing is made up, nothing gets lost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.control.auto import AutoConfig, AutoRate
from sc2_ros.link.rate import BudgetRate
from sc2_ros.link.sim.content import Content
from sc2_ros.link.sim.scenarios import find_scenario, play
from sc2_ros.link.sim.summary import summarise


def fixed(link, kbps, seconds=20):
    run = play(find_scenario(link), [BudgetRate(kbps, 30)], seconds=seconds)
    return run, summarise(run, link)


def test_what_fits_arrives_after_the_propagation_delay():
    run, row = fixed("1mbit,40ms", 500)
    assert row["own_loss"] == 0
    assert row["frames_decoded"] == pytest.approx(row["frames_sent"], abs=5)
    assert row["utilisation"] == pytest.approx(0.5, abs=0.05)
    assert row["queue_delay_ms"]["p95"] < 10
    assert all(frame.result_s - frame.captured_s >= 0.04 for frame in run.logs[0].frames)


def test_too_much_fills_the_queue_and_overflows():
    _, row = fixed("1mbit,40ms", 2000)
    assert row["utilisation"] > 0.97
    assert row["own_loss"] == pytest.approx(0.5, abs=0.05)
    assert row["queue_delay_ms"]["p95"] == pytest.approx(300, abs=20)


def test_random_loss_is_not_our_own():
    run, row = fixed("1mbit,40ms,10%", 500)
    assert row["own_loss"] == 0
    assert row["random_loss"] == 0.1
    shares = [frame.share for frame in run.logs[0].frames]
    assert sum(shares) / row["frames_sent"] == pytest.approx(0.9, abs=0.04)


@given(st.integers(0, 10_000), st.floats(0, 30_000), st.integers(0, 64), st.integers(0, 64))
def test_the_highest_code_is_the_highest_that_fits(frame, budget, low, high):
    content = Content()
    fitting = [c for c in range(low, high + 1) if content.price(frame, c) <= budget]
    found = content.highest_code(frame, budget, low, high)
    assert found == (max(fitting) if fitting else None)


def test_a_content_with_a_curve_costs_and_is_worth_what_was_measured():
    content = Content(variation=0.0, curve=((0, 400.0, 0.6), (32, 1600.0, 0.7), (64, 3200.0, 0.8)))
    assert [content.price(5, code) for code in (0, 16, 32, 64)] == [400, 800, 1600, 3200]
    assert content.value(3200) == 1
    assert content.value(800) == pytest.approx(0.65 / 0.8)
    assert content.value(100) == pytest.approx(0.6 / 0.8)


@pytest.mark.parametrize("fps", [6.5, 13, 30])
@pytest.mark.parametrize("late_s", [0, 9])
def test_a_slow_ground_shows_fewer_frames_but_no_smaller_ones(fps, late_s):
    """It shows the newest; the bytes are the link's business, also where the ground came late."""
    rate = AutoRate()
    link = f"500kbit,40ms,outage={late_s}s@0s" if late_s else "500kbit,40ms"
    run = play(
        find_scenario(link), [rate], seconds=late_s + 20, fps=fps, ground_s=0.175, content=Content()
    )
    frames = [frame for frame in run.logs[0].frames if frame.captured_s > late_s + 8]
    shown = [frame for frame in frames if frame.shown_s < float("inf")]
    assert len(shown) == pytest.approx(min(fps, 1 / 0.175) * 12, rel=0.2)
    sent_bps = sum(frame.size_bytes for frame in frames) * 8 / 12
    assert sent_bps > 0.8 * 500e3
    assert min(frame.size_bytes for frame in frames) > 0.5 * 500e3 / 8 / fps


def test_what_waited_through_an_outage_is_not_taken_for_a_stop_of_the_link():
    """The backlog passes, then new frames follow at the rate at which it passed."""
    rate = AutoRate(AutoConfig())
    run = play(find_scenario("300kbit,20ms,queue=9kB,outage=5s@10s"), [rate], seconds=20)
    sent = [packet for packet in run.logs[0].packets if packet.time_s > 15.8]
    assert sum(packet.size_bytes for packet in sent) * 8 / 4.2 > 0.75 * 300e3
    waits = [packet.wait_s for packet in sent]
    assert sorted(waits)[len(waits) // 2] < 0.08
