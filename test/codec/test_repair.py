# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lost slices come back from repair packets, exactly, and hostile ones do no harm."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import packet as wire
from sc2_ros.codec.packet import Header, PacketType, parse
from sc2_ros.codec.repair import OPEN_FRAMES, FrameRepairer, build_repairs
from sc2_ros.errors import PacketError


def features(number, payload, *, frame=5, rows=2, cols=2, reference=0):
    header = Header(PacketType.FEATURES, 1, 9, frame, number, rows, cols, 30, reference, 77)
    return wire.build(header, payload)


def frame_of(*payloads, **fields):
    cols = len(payloads)
    return [features(n, p, rows=1, cols=cols, **fields) for n, p in enumerate(payloads)]


def feed(repairer, packets):
    return [piece for packet in packets for piece in repairer.add(parse(packet))]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=9), st.integers(1, 4), st.data())
def test_what_is_lost_comes_back_bit_by_bit(payloads, count, data):
    packets = frame_of(*payloads)
    repairs = build_repairs(packets, count)
    everything = data.draw(st.permutations(packets + repairs))
    lost = everything[:count]

    found = feed(FrameRepairer(), everything[count:])

    assert sorted(wire.build(piece.header, piece.payload) for piece in found) == sorted(
        packet for packet in lost if packet in packets
    )


def test_one_loss_too_many_gives_nothing():
    packets = frame_of(b"one", b"two", b"three")
    assert not feed(FrameRepairer(), [packets[0], *build_repairs(packets, 1)])


def test_a_reference_comes_back_too():
    packets = [
        features(0, b"a", rows=1, cols=2),
        features(1, b"bcd", rows=1, cols=2, reference=3),
    ]
    (piece,) = feed(FrameRepairer(), [packets[0], *build_repairs(packets, 1)])
    assert (piece.header.reference, piece.payload) == (3, b"bcd")


def test_nothing_is_told_twice():
    packets = frame_of(b"one", b"two", b"three")
    repairs = build_repairs(packets, 2)
    repairer = FrameRepairer()
    assert [p.payload for p in feed(repairer, [*packets[:2], repairs[0]])] == [b"three"]
    assert not feed(repairer, [repairs[1], *packets, *repairs])


def test_a_repair_packet_is_three_bytes_longer_than_the_longest_slice():
    packets = frame_of(b"", bytes(800), bytes(1173))
    assert [len(packet) for packet in build_repairs(packets, 2)] == [1200, 1200]
    with pytest.raises(PacketError, match="1177"):
        build_repairs(frame_of(bytes(1174)), 1)


def test_frames_do_not_mix_and_old_ones_are_forgotten():
    repairer = FrameRepairer()
    frames = [frame_of(bytes([n]), bytes([n + 100]), frame=n) for n in range(OPEN_FRAMES + 1)]
    for packets in frames:
        assert not feed(repairer, packets[:1])
    assert not feed(repairer, build_repairs(frames[0], 1))
    found = [feed(repairer, build_repairs(packets, 1)) for packets in frames[2:]]
    assert [piece.payload for (piece,) in found] == [b"\x66", b"\x67", b"\x68"]


def test_contradictions_are_refused():
    packets = frame_of(b"one", b"three")
    (repair,) = build_repairs(packets, 1)
    short = wire.build(replace(parse(repair).header, slice=1), b"1234")
    repairer = FrameRepairer()
    feed(repairer, [repair])
    with pytest.raises(PacketError, match="differ"):
        feed(repairer, [short])
    with pytest.raises(PacketError, match="shorter"):
        feed(FrameRepairer(), [short, packets[1]])
    with pytest.raises(PacketError, match="expected a features packet"):
        build_repairs([repair], 1)


@given(st.binary(max_size=80), st.integers(0, 2), st.integers(0, 1))
def test_forged_repairs_give_slices_or_an_error(payload, number, came):
    packets = frame_of(b"one", b"three")
    header = replace(parse(packets[0]).header, type=PacketType.REPAIR, slice=number)
    repairer = FrameRepairer()
    feed(repairer, packets[:came])
    try:
        found = feed(
            repairer, [wire.build(replace(header, slice=n), payload) for n in (number, number + 1)]
        )
    except PacketError:
        return
    assert all(piece.header.slice >= came for piece in found)
