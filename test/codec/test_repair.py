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


def repairs_of(packets, count):
    return build_repairs([parse(packet) for packet in packets], count)


def feed(repairer, packets):
    return [piece for packet in packets for piece in repairer.add(parse(packet))]


@given(st.lists(st.binary(max_size=60), min_size=1, max_size=9), st.integers(1, 4), st.data())
def test_what_is_lost_comes_back_bit_by_bit(payloads, count, data):
    packets = frame_of(*payloads)
    repairs = repairs_of(packets, count)
    everything = data.draw(st.permutations(packets + repairs))
    lost = everything[:count]

    found = feed(FrameRepairer(), everything[count:])

    assert sorted(wire.build(piece.header, piece.payload) for piece in found) == sorted(
        packet for packet in lost if packet in packets
    )


def test_one_loss_too_many_gives_nothing():
    packets = frame_of(b"one", b"two", b"three")
    assert not feed(FrameRepairer(), [packets[0], *repairs_of(packets, 1)])


def test_a_reference_comes_back_too():
    packets = [
        features(0, b"a", rows=1, cols=2),
        features(1, b"bcd", rows=1, cols=2, reference=3),
    ]
    (piece,) = feed(FrameRepairer(), [packets[0], *repairs_of(packets, 1)])
    assert (piece.header.reference, piece.payload) == (3, b"bcd")


def test_nothing_is_told_twice():
    packets = frame_of(b"one", b"two", b"three")
    repairs = repairs_of(packets, 2)
    repairer = FrameRepairer()
    assert [p.payload for p in feed(repairer, [*packets[:2], repairs[0]])] == [b"three"]
    assert not feed(repairer, [repairs[1], *packets, *repairs])


def test_a_repair_packet_is_three_bytes_longer_than_the_longest_slice():
    packets = frame_of(b"", bytes(800), bytes(1173))
    assert [len(packet) for packet in repairs_of(packets, 2)] == [1200, 1200]
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
    short = wire.build(replace(parse(repair).header, slice=1), b"1234")
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


def slice_of(version, number, payload, *, reference=0, head_bits=0):
    """A slice of a frame of two, with its absolute capture time."""
    header = Header(
        PacketType.FEATURES, 1, 9, 5, number, 1, 2, 30, reference, 77, version, head_bits
    )
    return wire.Packet(header, payload)


@pytest.mark.parametrize(
    ("version", "slices"),
    [
        (3, [{"reference": 255}, {}]),
        (4, [{"reference": 1}, {}]),
        (4, [{"reference": 32, "head_bits": 7}, {"reference": 32}]),
        (4, [{"reference": 1, "head_bits": 4}, {"reference": 1, "head_bits": 1}]),
    ],
)
@pytest.mark.parametrize("lost", [0, 1])
def test_slices_whose_headers_leave_things_out_come_back_as_they_were(version, slices, lost):
    frame = [slice_of(version, n, b"abc" * n, **fields) for n, fields in enumerate(slices)]
    (repair,) = build_repairs(frame, 1)
    assert parse(repair).header == replace(
        frame[0].header, type=PacketType.REPAIR, reference=0, head_bits=0
    )
    # What came has the checkpoint of none, if its header does not tell it.
    came = frame[1 - lost]
    came = replace(
        came, header=replace(came.header, checkpoint_id=9 * came.header.tells_checkpoint)
    )
    for packets in ([came, parse(repair)], [parse(repair), came]):
        repairer = FrameRepairer()
        (piece,) = [piece for packet in packets for piece in repairer.add(packet)]
        assert piece == frame[lost]


def test_a_repair_packet_of_version_4_is_three_bytes_longer_as_well():
    frame = [slice_of(4, n, bytes(1173), reference=7, head_bits=7) for n in range(2)]
    assert [len(packet) for packet in build_repairs(frame, 1)] == [1200]


@pytest.mark.parametrize(
    ("version", "fields", "message"),
    [
        (4, {"reference": 33}, "33 frames before"),
        (4, {"head_bits": 1}, "not compact"),
        (3, {"reference": 5, "head_bits": 1}, "not compact"),
    ],
)
def test_a_slice_that_no_header_could_tell_is_refused(version, fields, message):
    frame = [slice_of(version, 0, b"one"), slice_of(version, 1, b"two", **fields)]
    (repair,) = build_repairs(frame, 1)
    repairer = FrameRepairer()
    repairer.add(frame[0])
    with pytest.raises(PacketError, match=message):
        repairer.add(parse(repair))
