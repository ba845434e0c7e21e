# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A camera before which nothing moves."""

import numpy as np
from predicting import shipped

from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.source import open_source
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


def test_a_frame_is_one_packet_of_11_bytes():
    """The README's figure; the first frames still correct what quantisation took off."""
    model = shipped()
    drone = OnboardPipeline(model, OnboardConfig(rate_mode="fixed", rate_index=0.1))
    ground = GroundPipeline(model, GroundConfig())
    image = np.ascontiguousarray(next(iter(open_source("synthetic:7:rgb:hover"))).image)
    sizes = []
    for number in range(12):
        now_s = number / 10
        packets = drone.process(CameraFrame(image, int(now_s * 1e9), "camera"), now_s)
        for packet in packets:
            drone.on_sent(packet, now_s)
            ground.accept(packet, now_s + 0.02)
        for feedback in ground.feedback(now_s + 0.03):
            drone.on_feedback(feedback, now_s + 0.04)
        sizes.append([len(packet) for packet in packets])

    assert sizes[-4:] == [[11]] * 4
