# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The peers of the rate control do what they are named after."""

import sys

import pytest
from helpers.link_peers import JPEG_ROWS, GccRate, JpegContent

from sc2_ros.errors import ParameterError
from sc2_ros.link.control.auto import AutoConfig, AutoRate
from sc2_ros.link.rate import RATE_CODES
from sc2_ros.link.sim.scenarios import find_scenario, play
from sc2_ros.link.sim.simulator import FrameRecord
from sc2_ros.link.sim.summary import summarise


def test_gcc_finds_the_capacity_from_our_feedback():
    pytest.importorskip("aiortc", reason="the extra sc2_ros[benchmarks] is not installed")
    scenario = find_scenario("steady")
    row = summarise(play(scenario, [GccRate(20_000)], seconds=40), scenario.name)
    assert 0.6 < row["utilisation"] <= 1
    assert row["own_loss"] < 0.02
    assert row["queue_delay_ms"]["p95"] < 100


def test_gcc_yields_when_the_capacity_halves():
    pytest.importorskip("aiortc", reason="the extra sc2_ros[benchmarks] is not installed")
    rate = GccRate(20_000)
    play(find_scenario("halved"), [rate], seconds=28)
    before_bps = rate.target_bps
    rate = GccRate(20_000)
    play(find_scenario("halved"), [rate], seconds=45)
    assert rate.target_bps < 1.1e6 < before_bps


def test_without_aiortc_there_is_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "aiortc.rate", None)
    with pytest.raises(ParameterError, match=r"sc2_ros\[benchmarks\]"):
        GccRate(1000)


def test_jpeg_frames_cost_what_was_measured():
    content = JpegContent(variation=0.0)
    assert content.price(3, 0) == pytest.approx(JPEG_ROWS[0][0] * 1200 / 1176, rel=0.01)
    assert content.price(3, RATE_CODES) == pytest.approx(JPEG_ROWS[-1][0] * 1200 / 1176, rel=0.01)
    assert content.highest_code(3, 5000, 0, RATE_CODES) is None
    code = content.highest_code(3, 10_000, 0, RATE_CODES)
    assert content.price(3, code) <= 10_000 < content.price(3, code + 1)
    assert content.value(7186) == pytest.approx(0.966)


def test_a_jpeg_with_a_hole_is_lost():
    content = JpegContent()
    whole, holed = FrameRecord(0.0, 0.1, 9000, 1.0), FrameRecord(0.0, 0.1, 9000, 0.9)
    assert content.value_of([whole, holed]) == content.value(9000)


def test_jpeg_over_our_controller_fills_the_link_with_fewer_frames():
    scenario = find_scenario("steady")
    run = play(scenario, [AutoRate(AutoConfig(20_000))], seconds=30, content=JpegContent())
    assert summarise(run, scenario.name)["utilisation"] > 0.8
    assert run.logs[0].frames_sent < 0.7 * run.logs[0].frames_taken
