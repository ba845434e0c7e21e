# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Lost slices come back from repair packets, exactly, and hostile ones do no harm."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec import wire
from sc2_ros.codec.wire import Header, Motion, PacketType, parse
from sc2_ros.codec.wire.predicted import PredictedHead
from sc2_ros.codec.wire.repair import OPEN_FRAMES, FrameRepairer, build_repairs
from sc2_ros.errors import PacketError


def features(number, payload, *, frame=5, rows=2, cols=2, head=None):
    """A slice with its complete header; head: of a predicted one."""
    header = Header(
        type=PacketType.FEATURES,
        stream=1,
        checkpoint_id=9,
        frame=frame,
        slice=number,
        rows=rows,
        cols=cols,
        rate_code=30,
        capture_time_ns=77,
    )
    return wire.Packet(header, payload, head)


def frame_of(*payloads, **fields):
    cols = len(payloads)
    return [features(n, p, rows=1, cols=cols, **fields) for n, p in enumerate(payloads)]


def repairs_of(slices, count):
    return [parse(packet) for packet in build_repairs(slices, count)]


def feed(repairer, packets):
    return [piece for packet in packets for piece in repairer.add(packet)]


def sizes(packets):
    return [len(wire.build(packet.header, packet.payload)) for packet in packets]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=9), st.integers(1, 4), st.data())
def test_what_is_lost_comes_back_bit_by_bit(payloads, count, data):
    packets = frame_of(*payloads)
    repairs = repairs_of(packets, count)
    everything = data.draw(st.permutations(packets + repairs))
    lost = everything[:count]

    found = feed(FrameRepairer(), everything[count:])

    order = [packet.header.slice for packet in lost if packet in packets]
    assert sorted(found, key=lambda piece: piece.header.slice) == [
        packets[n] for n in sorted(order)
    ]


def test_one_loss_too_many_gives_nothing():
    packets = frame_of(b"one", b"two", b"three")
    assert not feed(FrameRepairer(), [packets[0], *repairs_of(packets, 1)])


def test_nothing_is_given_twice():
    packets = frame_of(b"one", b"two", b"three")
    repairs = repairs_of(packets, 2)
    repairer = FrameRepairer()
    assert [p.payload for p in feed(repairer, [*packets[:2], repairs[0]])] == [b"three"]
    assert not feed(repairer, [repairs[1], *packets, *repairs])


def test_a_repair_packet_is_three_bytes_longer_than_the_longest_slice():
    packets = frame_of(b"", bytes(800), bytes(1173))
    assert sizes(repairs_of(packets, 2)) == [1200, 1200]
    with pytest.raises(PacketError, match="1177"):
        repairs_of(frame_of(bytes(1174)), 1)


def test_frames_do_not_mix_and_old_ones_are_forgotten():
    repairer = FrameRepairer()
    frames = [frame_of(bytes([n]), bytes([n + 100]), frame=n) for n in range(OPEN_FRAMES + 1)]
    for packets in frames:
        assert not feed(repairer, packets[:1])
    assert not feed(repairer, repairs_of(frames[0], 1))
    found = [feed(repairer, repairs_of(packets, 1)) for packets in frames[2:]]
    assert [piece.payload for (piece,) in found] == [b"\x66", b"\x67", b"\x68"]


def test_contradictions_are_refused():
    packets = frame_of(b"one", b"three")
    (repair,) = repairs_of(packets, 1)
    short = wire.Packet(replace(repair.header, slice=1), b"1234")
    repairer = FrameRepairer()
    feed(repairer, [repair])
    with pytest.raises(PacketError, match="differ"):
        feed(repairer, [short])
    with pytest.raises(PacketError, match="shorter"):
        feed(FrameRepairer(), [short, packets[1]])
    with pytest.raises(PacketError, match="expected a features packet"):
        repairs_of([repair], 1)


@given(st.binary(max_size=80), st.integers(0, 2), st.integers(0, 1))
def test_forged_repairs_give_slices_or_an_error(payload, number, came):
    packets = frame_of(b"one", b"three")
    header = replace(packets[0].header, type=PacketType.REPAIR, slice=number)
    repairer = FrameRepairer()
    feed(repairer, packets[:came])
    try:
        found = feed(
            repairer, [wire.Packet(replace(header, slice=n), payload) for n in (number, number + 1)]
        )
    except PacketError:
        return
    assert all(piece.header.slice >= came for piece in found)


def test_repairs_that_give_no_slice_are_not_tried_again_with_every_packet():
    packets = frame_of(b"one", b"three", b"five")
    repairs = repairs_of(packets, 2)
    forged = replace(repairs[0], payload=b"\xff" * len(repairs[0].payload))
    repairer = FrameRepairer()
    feed(repairer, [packets[0], forged])
    with pytest.raises(PacketError, match="repaired slice"):
        feed(repairer, [repairs[1]])

    assert feed(repairer, [packets[0]]) == []
    assert feed(repairer, repairs) == packets[1:]


HEADS = [
    PredictedHead(1, 0x1234),
    PredictedHead(32, 0xFFFF, 3, (15, 1), Motion(-5, 6, 7, -8)),
    PredictedHead(7, 0, 2, motion=Motion(dx=1)),
]


@pytest.mark.parametrize("heads", [(HEADS[0], None), HEADS[:2], HEADS[1:], (HEADS[2], HEADS[0])])
@pytest.mark.parametrize("lost", [0, 1])
def test_predicted_slices_come_back_with_their_heads(heads, lost):
    frame = [
        features(number, b"abc" * number, rows=1, head=head) for number, head in enumerate(heads)
    ]
    (repair,) = repairs_of(frame, 1)
    assert repair.header == replace(frame[0].header, type=PacketType.REPAIR)
    for packets in ([frame[1 - lost], repair], [repair, frame[1 - lost]]):
        (piece,) = feed(FrameRepairer(), packets)
        assert piece == frame[lost]


def test_the_head_of_a_predicted_slice_counts_in_the_length_of_a_repair_packet():
    frame = [features(number, bytes(1164), rows=1, head=HEADS[1]) for number in range(2)]
    assert sizes(repairs_of(frame, 1)) == [1200]


@pytest.mark.parametrize(
    ("block", "message"),
    [
        (b"\x02\x20\x21..", "33 frames before"),
        (b"\x02\x20\x00..", "bits 1 of a predicted one"),
        (b"\x01\x00\x01.", "ends after 1 bytes"),
        (b"\x02\x20\x01..", "ends after 2 bytes"),
        (b"\x03\x00\x00..", "slice of 3 bytes in a block of 5"),
    ],
)
def test_a_slice_that_no_encoder_makes_is_refused(block, message):
    header = replace(features(0, b"", rows=1, cols=1).header, type=PacketType.REPAIR)
    with pytest.raises(PacketError, match=message):
        FrameRepairer().add(wire.Packet(header, block))
