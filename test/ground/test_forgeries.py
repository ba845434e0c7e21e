# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes that no drone has sent: counted and dropped, never an exception, never much memory."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from flown import EVERYTHING, frames_of_packets, model, noise, receive_all, sealed
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import MAX_STREAMS, GroundPipeline
from sc2_ros.onboard.pipeline import CameraFrame, OnboardPipeline


def test_another_checkpoint_is_a_counted_mismatch():
    ground = GroundPipeline(model(seed=1), EVERYTHING)
    frame = CameraFrame(noise(), 0, "cam")
    packets = OnboardPipeline(model()).process(frame, 0.0)
    assert receive_all(ground, packets) == []
    assert ground.stats.mismatched == len(packets)
    assert ground.stats.bad_packets == {"mismatch": len(packets)}
    assert f"{model().id:08x}" in ground.stats.last_error
    assert "same checkpoint" in ground.stats.last_error
    assert ground.feedback(1.0) == []


def test_feedback_that_comes_to_the_ground_is_counted():
    ground = GroundPipeline(model(), EVERYTHING)
    receive_all(ground, frames_of_packets()[0])
    (packet,) = ground.feedback(1.0)
    assert ground.receive(packet, 1.0) == []
    assert ground.stats.bad_packets == {"unexpected type": 1}


@cache
def listener():
    return GroundPipeline(model(), EVERYTHING)


def bad(stats):
    return sum(stats.bad_packets.values())


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=1300))
def test_random_bytes_are_counted(data):
    before = bad(listener().stats)
    assert listener().receive(data, 1.0) == []
    assert bad(listener().stats) == before + 1


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.one_of(st.none(), st.integers(0, 1200)))
def test_flipped_bits_and_truncation_are_counted(bit, length):
    packet = bytearray(frames_of_packets()[0][0])
    if length is None:
        packet[bit // 8 % len(packet)] ^= 1 << bit % 8
    else:
        packet = packet[: min(length, len(packet) - 1)]
    before = bad(listener().stats)
    assert listener().receive(bytes(packet), 1.0) == []
    assert bad(listener().stats) == before + 1


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1199), st.integers(1, 255)), min_size=1, max_size=4),
    st.integers(33, 1200),
)
def test_forged_packets_with_a_right_checksum_never_raise(changes, length):
    """Whatever the entropy decoder and the assembler are given; all but the frame's size."""
    packet = bytearray(frames_of_packets()[0][0][:length])
    for at, mask in changes:
        if not 24 <= at < 32:
            packet[at % len(packet)] ^= mask if not 24 <= at % len(packet) < 32 else 0
    ground = GroundPipeline(model(), EVERYTHING)
    for result in ground.receive(sealed(packet), 1.0) + ground.poll(5.0):
        assert np.isfinite(result.boxes).all()
    assert all(len(feedback) <= 100 for feedback in ground.feedback(5.0))


@pytest.mark.parametrize("size", [(0, 5), (4097, 16), (65535, 65535), (4096, 4096), (16, 4096)])
def test_a_forged_frame_size_is_refused_or_waits(size):
    packet = bytearray(frames_of_packets()[0][0])
    packet[24:28] = np.array(size, "<u2").tobytes()
    ground = GroundPipeline(model(), EVERYTHING)
    assert ground.receive(sealed(packet), 1.0) == []
    assert ground.stats.packets == 1


@pytest.mark.parametrize(
    ("size", "taken"),
    [((2048, 2048), True), ((2048, 2049), False), ((8193, 16), False), ((65_535, 65_535), False)],
)
def test_a_forged_source_size_is_refused_and_counted(size, taken):
    packet = bytearray(frames_of_packets()[0][0])
    packet[28:32] = np.array(size, "<u2").tobytes()
    ground = GroundPipeline(model(), EVERYTHING)
    assert ground.accept(sealed(packet), 1.0) == []
    assert ground.stats.bad_packets == ({} if taken else {"undecodable": 1})
    assert len(ground.expire(2.0)) == taken


def test_two_versions_of_a_frame_do_not_mix():
    frame = frames_of_packets()[0]
    packet = wire.parse(frame[1])
    other = replace(packet.header, capture_time_ns=packet.header.capture_time_ns - 1)
    ground = GroundPipeline(model(), EVERYTHING)
    ground.receive(frame[0], 0.0)
    assert ground.receive(wire.build(other, packet.payload), 0.0) == []
    assert ground.stats.bad_packets == {"inconsistent": 1}


def test_streams_are_bounded():
    ground = GroundPipeline(model(), EVERYTHING)
    packet = wire.parse(frames_of_packets()[0][0])
    for number in range(256):
        header = replace(packet.header, stream=number)
        ground.receive(wire.build(header, packet.payload), number * 0.001)
    assert len(ground._streams) == MAX_STREAMS
    assert 255 in ground._streams
