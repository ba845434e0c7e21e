# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Repair packets from end to end: both pipelines over a link that loses packets."""

from functools import cache

import cv2
import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.codec import wire
from sc2_ros.codec.frame.encoder import FrameEncoder
from sc2_ros.codec.frame.plan import Protection
from sc2_ros.codec.wire import Geometry, PacketType
from sc2_ros.evaluation.session.virtual import VirtualRun
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.sim.spec import parse_link
from sc2_ros.media.frames import SourceFrame
from sc2_ros.onboard.pipeline import OnboardConfig, OnboardPipeline

SIZE = (96, 64)


@cache
def model():
    return checkpoint.untrained(seed=0)


def picture(seed):
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    return cv2.resize(coarse, SIZE, interpolation=cv2.INTER_CUBIC)


def protected(protection, frame=0, size=SIZE):
    """Packets of a frame."""
    tables, geometry = model().tables, Geometry(size, size)
    latent = np.random.default_rng(frame).normal(size=(tables.channels, *geometry.latent_shape))
    encoder = FrameEncoder(tables, model().id)
    source = encoder.frame(latent.astype(np.float32), geometry)
    plan = encoder.plan(source, 40, protection)
    time_ns = 1_000_000_000 + frame * 33_000_000
    return encoder.encode(plan, stream=0, frame=frame, capture_time_ns=time_ns).packets


def ground():
    return GroundPipeline(model(), GroundConfig(score_threshold=0.0, max_detections=20))


def test_the_result_of_a_repaired_frame_is_that_of_a_whole_one():
    packets = protected(Protection(4, 2))
    whole, repaired = ground(), ground()
    (expected,) = [result for packet in packets for result in whole.receive(packet, 0.0)]
    (found,) = [result for packet in packets[2:] for result in repaired.receive(packet, 0.0)]

    np.testing.assert_array_equal(found.boxes, expected.boxes)
    np.testing.assert_array_equal(found.mask, expected.mask)
    assert (found.packets_expected, found.packets_received, found.packets_repaired) == (4, 2, 2)
    assert found.share_received + found.share_repaired == pytest.approx(1.0)
    assert found.share_repaired == pytest.approx(0.5)
    assert (expected.packets_repaired, expected.share_repaired) == (0, 0.0)
    assert found.size_bytes == sum(map(len, packets[2:])) - len(packets[4])
    assert (repaired.stats.repair_packets, repaired.stats.repaired_packets) == (2, 2)
    assert repaired.stats.incomplete_frames == 0


def test_what_cannot_be_repaired_is_shown_with_its_hole():
    packets = protected(Protection(4, 1))
    station = ground()
    assert not [result for packet in packets[2:] for result in station.receive(packet, 0.0)]
    (result,) = station.poll(1.0)
    assert (result.packets_received, result.packets_repaired) == (2, 0)
    assert result.share_received == pytest.approx(0.5)


def test_a_camera_that_is_switched_to_another_size_sends_no_bad_packets():
    """Its first slice waits for the next one; its repair packet could give it at once."""
    station, shown = ground(), []
    for frame, size in enumerate([SIZE, SIZE, (48, 32), (48, 32), (48, 32)]):
        for packet in protected(Protection(1, 1), frame, size):
            shown += station.receive(packet, frame / 30)

    assert [result.frame for result in shown] == [0, 1, 2, 3, 4]
    assert station.stats.bad_packets == {}


def test_the_receiver_log_counts_repair_packets():
    station = ground()
    packets = protected(Protection(4, 2)) + protected(Protection(4, 2), frame=1)
    for packet in packets:
        station.receive(packet, 1.0)
    (data,) = station.feedback(1.1)
    feedback = parse_feedback(wire.parse(data).payload)
    assert (feedback.packets, feedback.size_bytes) == (12, sum(map(len, packets)))
    assert [(report.received, report.expected) for report in feedback.frames] == [(6, 6), (6, 6)]
    assert station.stats.loss == 0


def test_a_forged_repair_packet_is_counted_and_costs_nothing_else():
    packets = protected(Protection(4, 1))
    header = wire.parse(packets[-1]).header
    station = ground()
    for packet in packets[1:-1]:
        station.receive(packet, 0.0)
    assert not station.receive(wire.build(header, bytes(40)), 0.0)
    assert station.stats.bad_packets == {"undecodable": 1}
    (result,) = station.receive(packets[0], 0.0)
    assert result.packets_received == 4


class _Flight:
    """Adds up what leaves and what is shown."""

    def __init__(self):
        self.kinds = dict.fromkeys(PacketType, 0)
        self.repaired = self.whole = self.size_bytes = 0

    def camera(self, frame, time_s):
        pass

    def sent(self, packet, time_s):
        self.kinds[wire.parse(packet).header.type] += 1
        self.size_bytes += len(packet)

    def delivered(self, packet, time_s):
        pass

    def capacity(self, bits_per_s, time_s):
        pass

    def result(self, result, time_s, latency_ms):
        self.repaired += result.packets_repaired
        self.whole += result.packets_received + result.packets_repaired == result.packets_expected


def fly(link, seconds=5, **config):
    pipeline = OnboardPipeline(model(), OnboardConfig(rate_mode="auto", **config))
    flight = _Flight()
    frames = (
        SourceFrame(picture(n % 5), 1_000_000_000 + n * 50_000_000, "cam", None)
        for n in range(seconds * 20)
    )
    station = GroundPipeline(model(), GroundConfig(mask=False, preview=False))
    VirtualRun(pipeline, station, parse_link(link), flight, seed=3).run(frames)
    return flight, pipeline


def test_the_share_of_repair_packets_follows_the_radio():
    clean, _ = fly("300kbit,20ms")
    lossy, pipeline = fly("300kbit,20ms,10%")
    off, _ = fly("300kbit,20ms,10%", rate_repair="off")

    assert clean.kinds[PacketType.REPAIR] == 0
    assert off.kinds[PacketType.REPAIR] == 0
    share = lossy.kinds[PacketType.REPAIR] / lossy.kinds[PacketType.FEATURES]
    assert 0.1 < share < 1.0
    assert pipeline.stats.repairs_sent == lossy.kinds[PacketType.REPAIR]
    assert lossy.repaired > 5
    assert lossy.whole > off.whole
    assert lossy.size_bytes > 0.75 * clean.size_bytes


def test_repair_packets_count_in_the_budget():
    flight, _ = fly("5mbit,20ms,10%", rate_max_kbps=150.0)
    assert flight.kinds[PacketType.REPAIR] > 0
    assert flight.size_bytes * 8e-3 / 5 < 1.05 * 150
