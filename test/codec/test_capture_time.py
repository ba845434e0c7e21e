# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Capture times against those that a reference lets expect."""

import dataclasses
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.capture_time import CaptureTimes, Stamp, absolute, relative
from sc2_ros.errors import PacketError

I64 = st.integers(-(2**63), 2**63 - 1)
MS = 1_000_000


def predicted(frame, distance, time_ns, **fields):
    return wire.Header(
        wire.PacketType.FEATURES,
        1,
        0,
        frame & 0xFFFF,
        reference=distance,
        capture_time_ns=time_ns,
        version=4,
        **fields,
    )


def whole(frame, time_ns, **fields):
    header = predicted(frame, 0, time_ns, **fields)
    return dataclasses.replace(header, checkpoint_id=9)


def test_a_camera_that_keeps_its_interval_differs_by_its_jitter():
    first = Stamp(5_000 * MS)
    second = first.following(5_033 * MS, 1)
    fourth = second.following(5_099 * MS + 7, 2)

    assert (first.interval_ns, second.interval_ns, fourth.interval_ns) == (0, 33 * MS, 33 * MS + 3)
    assert relative(predicted(1, 1, 5_033 * MS), first).capture_time_ns == 33 * MS
    assert relative(predicted(3, 2, 5_099 * MS + 7), second).capture_time_ns == 7
    assert relative(predicted(4, 1, 5_132 * MS), fourth).capture_time_ns == -10


def test_an_interval_is_rounded_down():
    assert Stamp(10).following(3, 2).interval_ns == -4
    assert Stamp(3).following(10, 2).interval_ns == 3


@given(I64, I64, I64, st.integers(1, 32))
def test_there_is_a_difference_for_every_time(time_ns, interval_ns, new_ns, distance):
    reference = Stamp(time_ns, interval_ns)
    header = predicted(7, distance, new_ns)

    told = relative(header, reference)

    assert told.time_is_relative
    assert wire.parse(wire.build(told, b"")).header == told
    assert absolute(told, reference) == header
    assert absolute(header, reference) == header
    following = reference.following(new_ns, distance)
    assert -(2**63) <= following.interval_ns < 2**63
    assert -(2**63) <= following.expected_ns(distance) < 2**63


@given(I64, I64, I64, st.integers(1, 32))
def test_there_is_a_time_for_every_difference(time_ns, interval_ns, difference_ns, distance):
    told = predicted(7, distance, difference_ns, time_is_relative=True)

    header = absolute(told, Stamp(time_ns, interval_ns))

    assert not header.time_is_relative
    assert -(2**63) <= header.capture_time_ns < 2**63


def test_a_clock_that_is_set_during_the_flight_costs_bytes_and_nothing_else():
    times = [0, 33 * MS, 1_700_000_000 * 1000 * MS, 1_700_000_000 * 1000 * MS + 33 * MS, 5]
    stamp = Stamp(times[0])
    for frame, time_ns in enumerate(times[1:], 1):
        told = relative(predicted(frame, 1, time_ns), stamp)
        assert absolute(told, stamp).capture_time_ns == time_ns
        for distance in range(1, 33):
            relative(predicted(frame, distance, 3), stamp)
        stamp = stamp.following(time_ns, 1)


@pytest.mark.parametrize("time_ns", [2**63, -(2**63) - 1])
def test_a_time_of_more_than_64_bits_is_refused(time_ns):
    with pytest.raises(PacketError, match="64 bits"):
        relative(predicted(1, 1, time_ns), Stamp(0))


class Stream:
    """Headers as a drone sends them, and the times that they have."""

    def __init__(self):
        self.stamps = {}

    def whole(self, frame, time_ns):
        self.stamps[frame] = Stamp(time_ns)
        return whole(frame, time_ns)

    def predicted(self, frame, distance, time_ns, **fields):
        reference = self.stamps[frame - distance & 0xFFFF]
        self.stamps[frame & 0xFFFF] = reference.following(time_ns, distance)
        return relative(predicted(frame, distance, time_ns, **fields), reference)


def test_who_hears_everything_knows_every_time():
    stream, heard = Stream(), CaptureTimes()
    dice = random.Random(0)
    time_ns = 10**18
    start = 65_000
    for frame in range(start, start + 2000):
        time_ns += 33 * MS + dice.randint(-MS, MS)
        oldest = min(frame - start, 32)
        if oldest == 0 or frame % 300 == 0:
            header = stream.whole(frame & 0xFFFF, time_ns)
            start = frame
        else:
            header = stream.predicted(frame, dice.randint(1, oldest), time_ns)
        found = heard.resolve(header)
        assert found is not None
        assert found.capture_time_ns == time_ns
        assert not found.time_is_relative


def test_the_last_32_frames_of_each_stream_are_known():
    heard = CaptureTimes()
    for frame in range(100):
        for number in (1, 2):
            heard.resolve(dataclasses.replace(whole(frame, frame * 33 * MS), stream=number))
    told = predicted(100, 32, 5, time_is_relative=True)
    found = heard.resolve(told)
    assert found is not None
    assert found.capture_time_ns == 68 * 33 * MS + 5
    assert heard.resolve(dataclasses.replace(told, stream=3)) is None
    assert all(len(frames) <= 32 for frames in heard._streams.values())


def test_what_builds_on_a_frame_that_was_not_heard_is_not_known():
    stream, heard = Stream(), CaptureTimes()
    headers = [stream.whole(0, 0)]
    headers += [stream.predicted(frame, 1, frame * 33 * MS) for frame in range(1, 5)]
    assert [heard.resolve(header) for header in headers[1:]] == [None] * 4
    assert heard.resolve(headers[0]) is not None
    assert [heard.resolve(header) is None for header in headers[2:]] == [True] * 3
    assert heard.resolve(headers[1]) is not None


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)])
def test_a_frame_of_which_some_slices_need_no_other_has_the_interval_of_the_rest(order):
    stream = Stream()
    first = stream.whole(0, 0)
    alone = whole(1, 33 * MS, cols=2)
    beside = stream.predicted(1, 1, 33 * MS, slice=1, cols=2)
    repair = dataclasses.replace(alone, type=wire.PacketType.REPAIR)
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
        header = wire.Header(kind, 1, 9, 0, capture_time_ns=7)
        assert heard.resolve(header) is header
    for version in (1, 2, 3):
        reference = int(version > 1)
        header = dataclasses.replace(whole(5, 99), version=version, reference=reference)
        assert heard.resolve(header) is header
    assert heard.resolve(predicted(1, 1, 0, time_is_relative=True)) is None


def test_a_number_that_is_used_again_has_its_newest_time():
    heard = CaptureTimes()
    heard.resolve(whole(0, 5))
    heard.resolve(whole(0, 1000))
    found = heard.resolve(predicted(1, 1, 33, time_is_relative=True))
    assert found is not None
    assert found.capture_time_ns == 1033
