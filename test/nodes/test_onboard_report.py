# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The onboard node's lines for /diagnostics over some time of a flight."""

import pytest

from sc2_ros.nodes.diagnostics import Level
from sc2_ros.nodes.onboard_report import OnboardReport
from sc2_ros.nodes.parameters import ONBOARD
from sc2_ros.onboard.pipeline import OnboardStats

SECONDS = 40
DELAY_S = 0.35
"""From an image to the news that the ground has decoded it."""


def alarms(image_hz, sent_every=1, max_fps=0.0):
    """The lines that are not OK in a flight whose link loses nothing."""
    report, stats = OnboardReport("/image"), OnboardStats()
    settings = {row.name: row.default for row in ONBOARD} | {"frame.max_fps": max_fps}
    stats.loss, stats.rtt_s = 0.0, 0.05
    images = [number / image_hz for number in range(1, int(SECONDS * image_hz))]
    sent = images[::sent_every]
    events = sorted(
        [(at_s, "image") for at_s in images]
        + [(at_s + 0.05, "sent") for at_s in sent]
        + [(at_s + DELAY_S, "decoded") for at_s in sent]
        + [(tick / 15.0, "feedback") for tick in range(15 * SECONDS)]
        + [(float(second), "report") for second in range(2 + int(1 / image_hz), SECONDS)]
    )
    lines = []
    for now_s, event in events:
        if event == "image":
            report.images += 1
            report.camera.heard(now_s)
        elif event == "feedback":
            report.feedback.heard(now_s)
        elif event == "report":
            lines += report.statuses(stats, settings, 1, now_s, {})
        elif event == "sent":
            stats.frames_sent += 1
        else:
            stats.frames_decoded += 1
    return [line for line in lines if line.level is not Level.OK]


@pytest.mark.parametrize("image_hz", [0.4, 0.7, 1.0, 1.3, 5.0, 30.0])
def test_no_alarm_while_all_goes_well(image_hz):
    assert alarms(image_hz) == []


def test_no_alarm_where_few_frames_are_wanted():
    assert alarms(10.0, sent_every=40, max_fps=0.25) == []


def test_a_slow_camera_of_which_nothing_leaves_is_an_alarm():
    found = [line for line in alarms(0.7, sent_every=1000) if line.name == "encoder"]

    assert len(found) > 20
    assert found[-1].level is Level.ERROR
