# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole control loop under clocks that jump and feedback that is lost."""

from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.link.control.auto import AutoConfig, AutoRate
from sc2_ros.link.sim.scenarios import find_scenario, play


class Jumping:
    """A controller whose clock jumps while the world's does not."""

    def __init__(self, rate, at_s, by_s):
        self.rate, self.at_s, self.by_s = rate, at_s, by_s

    def _now(self, now_s):
        return now_s + (self.by_s if now_s > self.at_s else 0.0)

    def allowance(self, now_s):
        return self.rate.allowance(self._now(now_s))

    def on_sent(self, size_bytes, now_s):
        self.rate.on_sent(size_bytes, self._now(now_s))

    def on_packet(self, frame, slice_number, size_bytes, now_s):
        self.rate.on_packet(frame, slice_number, size_bytes, self._now(now_s))

    def on_feedback(self, feedback, now_s):
        self.rate.on_feedback(feedback, self._now(now_s))


def sent_bps(run, first_s, last_s):
    sizes = [p.size_bytes for p in run.logs[0].packets if first_s <= p.time_s < last_s]
    return sum(sizes) * 8 / (last_s - first_s)


@settings(max_examples=6)
@given(st.sampled_from([-1e5, -30.0, -1.0, -0.2, 0.2, 3.0, 100.0, 1e6]))
def test_after_a_jump_of_its_clock_the_stream_fills_the_link_again(by_s):
    rate = Jumping(AutoRate(AutoConfig(max_kbps=5000)), 8.0, by_s)
    run = play(find_scenario("1mbit,40ms"), [rate], seconds=55)
    assert sent_bps(run, 45, 55) > 0.8e6
    assert sent_bps(run, 45, 55) < 1.1e6


@pytest.mark.parametrize(
    ("loss", "median_kbps", "least_kbps"),
    [("30%", 980, 950), ("60%", 980, 950), ("burst=40%x20", 900, 550)],
)
def test_lost_feedback_costs_little(loss, median_kbps, least_kbps):
    scenario = find_scenario("1mbit,40ms")
    scenario = type(scenario)("x", "", scenario.up, f"unlimited,40ms,{loss}", 25)
    runs = [play(scenario, [AutoRate(AutoConfig(max_kbps=5000))], seed=seed) for seed in range(12)]
    sent_kbps = [sent_bps(run, 10, 25) / 1e3 for run in runs]
    assert median(sent_kbps) > median_kbps  # in bursts without patience after good news: 804
    assert min(sent_kbps) > least_kbps
