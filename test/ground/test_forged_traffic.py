# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody who knows the format forges packets in both directions while a drone flies.

Checksums are right, so whatever the codec, the assembler, repair, references, feedback and the rate
controller are given, they must bear it: nothing is raised, and what the ground says stays small.
"""

from functools import cache

import numpy as np
from flown import stamp
from hostile import forge
from hypothesis import given, settings
from hypothesis import strategies as st
from predicting import shipped

from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


@cache
def trained():
    """Unlike a model without training it predicts frames from earlier ones."""
    return shipped()


@cache
def images():
    flight = SyntheticFlight(0, width=128, height=96)
    return [flight.frame(3 * number).image for number in range(6)]


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False))
def test_forged_packets_in_both_directions_never_raise(rng):
    onboard = OnboardPipeline(trained(), OnboardConfig(rate_mode="auto"))
    ground = GroundPipeline(trained(), GroundConfig(max_pixels=40_000, score_threshold=0.0))
    now_s, seen = 0.0, []
    for number in range(8):
        now_s += rng.choice([0.001, 0.03, 0.2, 1.0])
        frame = CameraFrame(rng.choice(images()), stamp(number), "cam")
        packets = onboard.process(frame, now_s)
        for packet in packets:
            onboard.on_sent(packet, now_s)
        seen += packets
        forged = [forge(rng.choice(seen), rng) for _ in range(4) if seen]
        ready = [
            frame for packet in packets + forged for frame in ground.accept(packet, now_s)
        ] + ground.expire(now_s)
        for frame in ready[-1:]:
            result = ground.show(frame)
            assert np.isfinite(result.boxes).all()
            assert np.prod(frame.frame.encoded_size) <= 40_000
        for feedback in ground.feedback(now_s):
            assert len(feedback) <= wire.HEADER_BYTES + 75
            for answer in (feedback, forge(feedback, rng)):
                onboard.on_feedback(answer, now_s)
    assert onboard.stats.frames_in == 8
    assert 0 <= (onboard.stats.loss or 0) <= 1
