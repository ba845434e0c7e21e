# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone's node that begins anew, or gets other limits, while the ground station goes on."""

import numpy as np
import pytest
from hostile import Flight, report
from predicting import shipped

from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline


class Radio(Flight):
    """A flight whose link can be down."""

    is_up = True

    def _send(self, call, packet):
        if self.is_up:
            super()._send(call, packet)

    def restart(self):
        """The drone's node is started again."""
        self.onboard = OnboardPipeline(shipped(), OnboardConfig(rate_mode="auto"))

    def results_per_s(self, seconds):
        before = len(self.results)
        self.fly(seconds)
        return (len(self.results) - before) / seconds


def test_a_ground_that_did_not_notice_is_believed_after_two_seconds():
    """The numbers have passed the old ones when it hears again, so it counts on from before."""
    flight = Radio()
    flight.fly(4)
    flight.is_up = False
    flight.restart()
    while flight.onboard.stats.frames_sent < 45:
        flight.fly(1)
    flight.fly(3)
    flight.is_up = True
    flight.fly(6)

    assert flight.results_per_s(5) > 8
    assert not flight.onboard.rate_state.stalled


@pytest.mark.parametrize("pause_s", [0.5, 3.0])
def test_a_restart_within_the_first_frames_with_an_older_clock_is_noticed(pause_s, monkeypatch):
    flight = Radio()
    flight.fly(5)
    flight.restart()
    flight.is_up = False
    flight.fly(pause_s)
    flight.restart()
    monkeypatch.setattr("hostile.EPOCH_NS", 1_699_999_400_000_000_000)
    flight.is_up = True
    flight.fly(1)

    assert flight.results_per_s(5) > 8


def test_what_the_ground_cannot_have_counted_is_refused_while_it_reports():
    flight = Flight()
    flight.fly(5)
    before = flight.onboard.stats.bad_feedback
    for _ in range(20):
        flight.fly(0.1)
        _, genuine = flight.report()
        flight.to_drone(report(flight, packets=genuine.packets + 5000, session=7))
    assert flight.onboard.stats.bad_feedback - before == 20


@pytest.mark.parametrize(
    "change", [{"rate_max_kbps": 3000.0}, {"frame_max_fps": 20.0}, {"rate_index": 0.9}]
)
def test_auto_mode_keeps_what_it_knows_of_the_link_when_limits_change(change):
    flight = Flight()
    flight.fly(5)
    before = flight.onboard.rate_state
    assert before.rtt_s is not None
    config = flight.onboard.config

    flight.onboard.configure(OnboardConfig(**vars(config) | change))

    assert flight.onboard.rate_state == before


def test_a_new_limit_counts_at_once():
    flight = Flight()
    flight.fly(5)
    flight.onboard.configure(OnboardConfig(**vars(flight.onboard.config) | {"rate_max_kbps": 50.0}))
    assert flight.onboard.rate_state.target_bps == 50e3


@pytest.mark.parametrize("max_kbps", [0.5, 1.0, 3.0])
def test_where_the_limit_is_less_than_a_frame_in_two_seconds_frames_are_fewer(max_kbps):
    flight = Flight()
    flight.onboard.configure(OnboardConfig(rate_mode="auto", rate_max_kbps=max_kbps))
    flight.fly(60)
    assert len(flight.results) >= 5
    assert sum(flight.sent.values()) <= np.ceil(max_kbps * 1000 / 8 * 61)
