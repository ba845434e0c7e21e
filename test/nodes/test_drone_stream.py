# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground node keeps of one drone, while other threads work on it."""

import numpy as np
import pytest

from sc2_ros import checkpoint
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.nodes.drone_stream import Decoder, DroneStream
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

NAMES = ("person", "car"), ("road", "roof")


@pytest.fixture(scope="module")
def model():
    return checkpoint.untrained()


def decoder(model, kind=GroundPipeline):
    return Decoder(kind(model, GroundConfig()), *NAMES)


class Swapped(GroundPipeline):
    """Another decoder is taken in the executor's thread while a packet is decoded here."""

    def accept(self, data, now_s):
        found = super().accept(data, now_s)
        if found:
            self.meanwhile()
        return found


def test_a_frame_is_shown_by_the_decoder_that_its_packets_went_to(model):
    drone = OnboardPipeline(model, OnboardConfig(rate_mode="fixed"))
    packets = drone.process(CameraFrame(np.zeros((64, 64, 3), np.uint8), 0, "camera"), 0.0)
    old, new = decoder(model, Swapped), decoder(model)
    stream = DroneStream("", old, None)
    old.pipeline.meanwhile = lambda: stream.take(new)

    jobs = [job for packet in packets for job in stream.accept(packet, 0.0)]

    assert [job.decoder for job in jobs] == [old]
    assert stream.decoder is new


def test_packets_dropped_unread_are_told(model):
    stream = DroneStream("", decoder(model), None)
    stream.statuses(0.0)
    stream.accept(b"", 0.5)
    for _ in range(3):
        stream.overrun()

    link, _ = stream.statuses(1.0)

    assert link.values["bad: overrun"] == 3
    assert "faster than this machine decodes them" in link.message
