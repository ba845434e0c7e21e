# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Somebody who knows the format forges packets in both directions while a drone flies.

Checksums are right, so whatever the codec, the assembler, repair, references, feedback and the rate
controller are given, they must bear it: nothing is raised, and what the ground says stays small.
"""

import struct
from functools import cache

import numpy as np
from flown import sealed, stamp
from hypothesis import given, settings
from hypothesis import strategies as st
from predicting import shipped

from sc2_ros.codec import wire
from sc2_ros.codec.wire.predicted import varint, zigzag
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

SIZES = [0, 1, 16, 96, 128, 1200, 4096, 8192, 65_535]
STEPS = [-70, -33, -2, -1, 1, 2, 31, 32, 33, 300, 32_767, 32_768]
FORMS = {0x10: (6, 12, 24), 0x14: (2, 8, 9)}
"""By first byte: where a packet has its frame number, its capture time and its payload."""
TIMES_NS = [0, -1, 1, 2**63 - 1, -(2**63), 10**18]


@cache
def trained():
    """Unlike a model without training it predicts frames from earlier ones."""
    return shipped()


@cache
def images():
    flight = SyntheticFlight(0, width=128, height=96)
    return [flight.frame(3 * number).image for number in range(6)]


def forge(packet, rng):
    """The packet with one to three lies in it."""
    data = bytearray(packet)
    for _ in range(rng.randint(1, 3)):
        lie = rng.randint(0, 6)
        # A lie in the first byte makes another form of it.
        frame_at, time_at, head_at = FORMS.get(data[0], FORMS[0x10])
        if lie == 0:  # any bit
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif lie == 1:  # slice and grid, or how far back the reference is
            data[frame_at + 2 : frame_at + 4] = rng.randbytes(2)
        elif lie == 2:  # frame number
            (number,) = struct.unpack_from("<H", data, frame_at)
            struct.pack_into("<H", data, frame_at, (number + rng.choice(STEPS)) & 0xFFFF)
        elif lie == 3:  # capture time
            told = struct.pack("<q", rng.choice(TIMES_NS))
            if data[0] == 0x14:
                told = varint(zigzag(rng.choice(TIMES_NS)))
            data[time_at : time_at + len(told)] = told
        elif lie == 4 and len(data) >= head_at + 8:  # sizes, or origin and motion
            struct.pack_into(
                "<HH", data, head_at + rng.choice([0, 4]), rng.choice(SIZES), rng.choice(SIZES)
            )
        elif lie == 5:  # length
            data = data[: rng.randint(min(head_at, len(data)), len(data))]
        else:  # coded symbols
            at = rng.randint(min(head_at, len(data)), len(data))
            data[at:] = rng.randbytes(len(data[at:]))
    return sealed(data)


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
