# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times against those that a reference makes expect."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.wire import CaptureTimes, Stamp
from sc2_ros.codec.wire.capture_time import resolve
from sc2_ros.codec.wire.predicted import PredictedHead
from sc2_ros.errors import PacketError

I64 = st.integers(-(2**63), 2**63 - 1)
MS = 1_000_000
FEATURES = wire.PacketType.FEATURES


def predicted(frame, distance, offset_ns, **fields):
    values = {"type": FEATURES, "stream": 1, "frame": frame & 0xFFFF, **fields}
    return wire.PredictedPacket(wire.PacketId(**values), PredictedHead(distance, 0), offset_ns, b"")


def keyframe(frame, time_ns, **fields):
    values = {"type": FEATURES, "stream": 1, "frame": frame & 0xFFFF, **fields}
    return wire.Packet(wire.Header(checkpoint_id=9, capture_time_ns=time_ns, **values), b"")


def test_a_camera_that_keeps_its_interval_differs_by_its_jitter():
    first = Stamp(5_000 * MS)
    second = first.following(5_033 * MS, 1)
    fourth = second.following(5_099 * MS + 7, 2)

    assert (first.interval_ns, second.interval_ns, fourth.interval_ns) == (0, 33 * MS, 33 * MS + 3)
    assert first.offset_ns(5_033 * MS, 1) == 33 * MS
    assert second.offset_ns(5_099 * MS + 7, 2) == 7
    assert fourth.offset_ns(5_132 * MS, 1) == -10


def test_an_interval_is_rounded_down():
    assert Stamp(10).following(3, 2).interval_ns == -4
    assert Stamp(3).following(10, 2).interval_ns == 3


@given(I64, I64, I64, st.integers(1, 32))
def test_there_is_an_offset_for_every_time(time_ns, interval_ns, new_ns, distance):
    reference = Stamp(time_ns, interval_ns)

    packet = predicted(7, distance, reference.offset_ns(new_ns, distance))

    header = resolve(packet, reference, 9).header
    assert (header.capture_time_ns, header.checkpoint_id, header.frame) == (new_ns, 9, 7)
    following = reference.following(new_ns, distance)
    assert -(2**63) <= following.interval_ns < 2**63
    assert -(2**63) <= following.expected_ns(distance) < 2**63


@given(I64, I64, I64, st.integers(1, 32))
def test_there_is_a_time_for_every_offset(time_ns, interval_ns, offset_ns, distance):
    header = resolve(predicted(7, distance, offset_ns), Stamp(time_ns, interval_ns), 9).header

    assert -(2**63) <= header.capture_time_ns < 2**63


def test_a_clock_that_is_set_during_the_flight_costs_bytes_and_nothing_else():
    times = [0, 33 * MS, 1_700_000_000 * 1000 * MS, 1_700_000_000 * 1000 * MS + 33 * MS, 5]
    stamp = Stamp(times[0])
    for frame, time_ns in enumerate(times[1:], 1):
        packet = predicted(frame, 1, stamp.offset_ns(time_ns, 1))
        assert resolve(packet, stamp, 9).header.capture_time_ns == time_ns
        stamp = stamp.following(time_ns, 1)


@pytest.mark.parametrize("time_ns", [2**63, -(2**63) - 1])
def test_a_time_of_more_than_64_bits_is_refused(time_ns):
    with pytest.raises(PacketError, match="64 bits"):
        Stamp(0).offset_ns(time_ns, 1)


class Stream:
    """Packets as a drone sends them, and the times that they have."""

    def __init__(self):
        self.stamps = {}

    def keyframe(self, frame, time_ns):
        self.stamps[frame] = Stamp(time_ns)
        return keyframe(frame, time_ns)

    def predicted(self, frame, distance, time_ns, **fields):
        reference = self.stamps[frame - distance & 0xFFFF]
        self.stamps[frame & 0xFFFF] = reference.following(time_ns, distance)
        return predicted(frame, distance, reference.offset_ns(time_ns, distance), **fields)


def test_who_hears_everything_knows_every_time():
    stream, heard = Stream(), CaptureTimes()
    dice = random.Random(0)
    time_ns = 10**18
    start = 65_000
    for frame in range(start, start + 2000):
        time_ns += 33 * MS + dice.randint(-MS, MS)
        oldest = min(frame - start, 32)
        if oldest == 0 or frame % 300 == 0:
            packet = stream.keyframe(frame & 0xFFFF, time_ns)
            start = frame
        else:
            packet = stream.predicted(frame, dice.randint(1, oldest), time_ns)
        found = heard.resolve(packet)
        assert found is not None
        assert found.capture_time_ns == time_ns


def test_the_last_32_frames_of_each_stream_are_known():
    heard = CaptureTimes()
    for frame in range(100):
        for number in (1, 2):
            heard.resolve(keyframe(frame, frame * 33 * MS, stream=number))
    found = heard.resolve(predicted(100, 32, 5))
    assert found is not None
    assert found.capture_time_ns == 68 * 33 * MS + 5
    assert heard.resolve(predicted(100, 32, 5, stream=3)) is None
    assert all(len(frames) <= 32 for frames in heard._streams.values())


def test_what_builds_on_a_frame_that_was_not_heard_is_not_known():
    stream, heard = Stream(), CaptureTimes()
    packets = [stream.keyframe(0, 0)]
    packets += [stream.predicted(frame, 1, frame * 33 * MS) for frame in range(1, 5)]
    assert [heard.resolve(packet) for packet in packets[1:]] == [None] * 4
    assert heard.resolve(packets[0]) is not None
    assert [heard.resolve(packet) is None for packet in packets[2:]] == [True] * 3
    assert heard.resolve(packets[1]) is not None


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_frame_with_keyframe_slices_has_the_interval_of_its_predicted_ones(order):
    stream = Stream()
    first = stream.keyframe(0, 0)
    alone = keyframe(1, 33 * MS, cols=2)
    beside = stream.predicted(1, 1, 33 * MS, slice=1, cols=2)
    repair = replace(alone, header=replace(alone.header, type=wire.PacketType.REPAIR))
    later = stream.predicted(2, 1, 66 * MS)
    heard = CaptureTimes()
    heard.resolve(first)
    for number in order:
        found = heard.resolve((alone, beside, repair)[number])
        assert found is not None
        assert found.capture_time_ns == 33 * MS
    found = heard.resolve(later)
    assert found is not None
    assert found.capture_time_ns == 66 * MS


def test_other_packets_pass_as_they_are():
    heard = CaptureTimes()
    for kind in (wire.PacketType.STREAM_INFO, wire.PacketType.FEEDBACK):
        packet = keyframe(0, 7, type=kind)
        assert heard.resolve(packet) is packet.header
    assert heard.resolve(predicted(1, 1, 0)) is None


def test_a_number_that_is_used_again_has_its_newest_time():
    heard = CaptureTimes()
    heard.resolve(keyframe(0, 5))
    heard.resolve(keyframe(0, 1000))
    found = heard.resolve(predicted(1, 1, 33))
    assert found is not None
    assert found.capture_time_ns == 1033
