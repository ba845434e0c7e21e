# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The onboard node's lines for /diagnostics over some time of a flight."""

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.nodes.diagnostics import Level
from sc2_ros.nodes.onboard_report import OnboardReport
from sc2_ros.nodes.parameters import ONBOARD
from sc2_ros.onboard.pipeline import CameraFrame, OnboardPipeline, OnboardStats

SECONDS = 40
DELAY_S = 0.35
"""From an image to the news that the ground has decoded it."""
SETTINGS = {row.name: row.default for row in ONBOARD}


def alarms(image_hz, sent_every=1, max_fps=0.0):
    """The lines that are not OK in a flight whose link loses nothing."""
    report, stats = OnboardReport("/image"), OnboardStats()
    settings = SETTINGS | {"frame.max_fps": max_fps}
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


@pytest.mark.parametrize(
    ("settings", "kbps"),
    [
        ({}, 106.4),  # 100 bytes of headers for each of the topic's packets
        ({"transport": "udp", "air.remote": ""}, 103.2),
        ({"transport": "udp", "air.remote": "10.0.0.2:5600"}, 103.2),
        ({"transport": "both", "air.remote": "10.0.0.2:5600, 10.0.0.3:5600"}, 206.4),
        ({"transport": "udp", "air.remote": "239.1.1.1:5600"}, 103.2),
    ],
)
def test_what_is_on_air_counts_a_packet_once_for_each_station_that_it_is_sent_to(settings, kbps):
    report, stats = OnboardReport("/image"), OnboardStats()
    settings = SETTINGS | settings
    report.statuses(stats, settings, 1, 0.0, {})
    stats.packets_sent, stats.bytes_sent, stats.on_air_bytes_sent = 10, 12_300, 12_900
    encoder = report.statuses(stats, settings, 1, 1.0, {})[1]

    assert encoder.values["packets_kbps"] == "98.4"
    assert float(encoder.values["on_air_kbps"]) == pytest.approx(kbps)


class Flight:
    """A drone whose ground gets and decodes every frame, ten a second, and reports on each."""

    def __init__(self):
        self.model = checkpoint.untrained()
        self.pipeline, self.report = OnboardPipeline(self.model), OnboardReport("/image")
        self.received = ReceiverLog(session=1, station=1)
        self.frames = 0

    def fly(self, frames):
        """The line of the link after each second."""
        lines = []
        for _ in range(frames):
            self.frames += 1
            now_s = self.frames / 10
            self._send(now_s)
            if self.frames % 10 == 0:
                stats = self.pipeline.stats
                lines.append(self.report.statuses(stats, SETTINGS, 1, now_s, {})[2])
        return lines

    def _send(self, now_s):
        image = CameraFrame(np.zeros((64, 96), np.uint8), self.frames, "")
        self.report.images += 1
        self.report.camera.heard(now_s)
        for packet in self.pipeline.process(image, now_s):
            self.pipeline.on_sent(packet, now_s)
            header = wire.parse(packet).header
            if header.type is wire.PacketType.FEATURES:
                self.received.on_packet(
                    header.frame, header.number, header.slices, len(packet), now_s + 0.02
                )
        self.received.on_decoded()
        reply = wire.Header(
            type=wire.PacketType.FEEDBACK,
            stream=header.stream,
            frame=header.frame,
            checkpoint_id=self.model.id,
        )
        self.pipeline.on_feedback(
            wire.build(reply, self.received.build(now_s + 0.03)), now_s + 0.05
        )
        self.report.feedback.heard(now_s + 0.05)


@pytest.mark.parametrize("restarts", [False, True], ids=["wraps", "restarts"])
def test_no_alarm_where_the_grounds_count_wraps_or_begins_anew(restarts):
    flight = Flight()
    for _ in range(65_500):  # decoded in an hour before: after 35 more the count is 0 again
        flight.received.on_decoded()
    lines = flight.fly(20)
    if restarts:
        flight.received = ReceiverLog(session=2, station=1)
    lines += flight.fly(40)

    assert flight.pipeline.stats.bad_feedback == 0
    assert [line.level for line in lines] == [Level.OK] * 6
    decoded = [float(line.values["decoded_per_s"]) for line in lines[1:]]
    assert decoded == pytest.approx([10.0] * 5, abs=2.1)  # a session's first two reports add none
