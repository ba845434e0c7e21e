# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""When frames pass the stages of the nodes."""

import numpy as np

from sc2_ros import checkpoint
from sc2_ros.nodes.departures import MOST_OPEN, Departures
from sc2_ros.nodes.stages import ONBOARD_STAGES, StageTimes, after_capture, captured
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


def frames(count):
    """The packets of some frames, each of several packets."""
    drone = OnboardPipeline(checkpoint.untrained(), OnboardConfig(rate_index=1.0))
    pictures = np.random.default_rng(0).integers(0, 255, (count, 96, 160, 3), np.uint8)
    return [drone.process(CameraFrame(p, n, "camera"), n / 10) for n, p in enumerate(pictures)]


def test_times_are_told_from_the_capture_on_by_the_clock_of_the_stamp():
    # The stamp's clock is 1000 s ahead of the monotonic one; the image is 30 ms old.
    times = captured(1_010_000_000_000, 1_010_030_000_000, 10.0)
    times |= {"received": 9.98, "coded": 10.0}

    assert after_capture(times) == {"received_at_ms": "10.0", "coded_at_ms": "30.0"}


def test_a_stamp_of_another_clock_gives_no_times():
    assert captured(0, 1_700_000_000_000_000_000, 10.0) == {}
    assert after_capture({"received": 9.98}) == {}


def test_percentiles_of_each_stage_and_none_of_one_that_is_not_known():
    stages = StageTimes(ONBOARD_STAGES)
    for number in range(101):
        stages.add({"received": 1.0, "encoding": 1.0 + number * 1e-3})

    values = stages.values()

    assert values == {"wait_p50_ms": "50.0", "wait_p95_ms": "95.0"}


def test_a_frame_has_left_with_its_last_packet():
    left = []
    departures = Departures(left.append)
    packets = frames(1)[0]
    own = [packet for packet in packets if hasattr(packet, "frame")]
    assert len(own) >= 2
    departures.begin(packets, 5, "camera", 0.5, {"coded": 1.0})

    for number, packet in enumerate(packets):
        assert not left
        departures.on_sent(packet, 2.0 + number)

    (departure,) = left
    first = packets.index(own[0])
    assert departure.times == {
        "coded": 1.0,
        "first_sent": 2.0 + first,
        "last_sent": 1.0 + len(packets),
    }
    assert departure.size_bytes == sum(map(len, own))


def test_frames_that_the_pacer_dropped_are_forgotten():
    left = []
    departures = Departures(left.append)
    flown = frames(MOST_OPEN + 1)
    for packets in flown:
        departures.begin(packets, 5, "camera", 0.5, {})

    for packet in [*flown[0], *flown[-1]]:
        departures.on_sent(packet, 1.0)

    assert [departure.frame for departure in left] == [MOST_OPEN]
