# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.wire import MAX_PACKET_BYTES, Geometry
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.systems import chunks

GEOMETRY = Geometry((640, 512), (640, 512))


@given(
    st.binary(max_size=64), st.sampled_from([1, 37, 997]), st.integers(0, 2**32 - 1), st.randoms()
)
def test_whatever_is_split_joins_again_in_any_order(text, times, number, order):
    payload = text * times
    packets = chunks.split(payload, GEOMETRY, checkpoint_id=number, frame=70000)
    assert all(len(packet) <= MAX_PACKET_BYTES for packet in packets)
    order.shuffle(packets)
    assert chunks.join(packets, number) == (payload, GEOMETRY)


def test_overhead_is_a_header_for_each_packet_and_one_geometry():
    packets = chunks.split(bytes(20_000), GEOMETRY)
    assert sum(map(len, packets)) == 20_000 + 8 + 24 * len(packets)
    assert len(packets) == 18  # 20,008 bytes need 18 payloads of 1,176


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=4))
def test_strings_come_back(strings):
    assert chunks.unpack_strings(chunks.pack_strings(strings), len(strings)) == strings


@given(st.binary(max_size=40), st.integers(1, 5))
def test_hostile_strings_raise_nothing_else(payload, count):
    try:
        strings = chunks.unpack_strings(payload, count)
    except PacketError:
        return
    assert len(strings) == count
    assert sum(map(len, strings)) <= len(payload)


def test_a_missing_packet_loses_the_frame():
    packets = chunks.split(random.Random(0).randbytes(5000), GEOMETRY)
    with pytest.raises(PacketError, match="1 of 5 packets of the frame are missing"):
        chunks.join(packets[1:])


def test_packets_of_another_checkpoint_or_frame_are_refused():
    one = chunks.split(bytes(2000), GEOMETRY, checkpoint_id=1, frame=3)
    other = chunks.split(bytes(2000), GEOMETRY, checkpoint_id=1, frame=4)
    with pytest.raises(PacketError, match="checkpoint 00000001, expected 00000002"):
        chunks.join(one, 2)
    with pytest.raises(PacketError, match="mixed"):
        chunks.join([one[0], other[1]], 1)
    with pytest.raises(PacketError, match="no packet"):
        chunks.join([])


def test_a_frame_too_big_for_256_packets_is_refused():
    with pytest.raises(PacketError, match="at most 301056"):
        chunks.split(bytes(301_056), GEOMETRY)
