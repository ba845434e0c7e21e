# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Repair packets: what of a frame's slices was lost comes back without being sent again.

    slices 0 .. n-1 --erasure code--> repair packets 0 .. r-1
    any n of the n + r packets -----> slices 0 .. n-1

A repair packet has the header of its frame's slices, with its own number in the place of theirs.
Its payload combines, byte by byte, one block of each slice:

    0 head bits << 13 | payload's length, u16     2 reference u8     3 payload
    then zeros up to the longest

Capture times are absolute in here: who has not the reference of a compact packet, and so not its
time, does not know which frame it is of.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sc2_ros.codec import packet as wire
from sc2_ros.codec.erasure import MAX_BLOCKS, recover, repair_block
from sc2_ros.codec.header import check
from sc2_ros.errors import PacketError

BLOCK_BYTES = 3
"""By so much is a repair packet longer than the longest slice of its frame."""
OPEN_FRAMES = 4
_HEAD = struct.Struct("<HB")
_HEAD_BITS_AT = 13
_LENGTH = (1 << _HEAD_BITS_AT) - 1


def build_repairs(slices: Sequence[wire.Packet], count: int) -> list[bytes]:
    """``count`` repair packets for all the slices of a frame, given in their order.

    Their headers tell checkpoint and capture time, also where the slices do not travel with them.

    Raises:
        PacketError: they are not slices, or the repair packets would be over 1,200 bytes.
    """
    if count <= 0:
        return []
    blocks = [_block(piece) for piece in slices]
    header = replace(slices[0].header, type=wire.PacketType.REPAIR, reference=0, head_bits=0)
    return [
        wire.build(replace(header, slice=number), repair_block(blocks, number))
        for number in range(min(count, MAX_BLOCKS - len(blocks)))
    ]


@dataclass
class _Frame:
    slices: dict[int, wire.Packet] = field(default_factory=dict)
    repairs: dict[int, wire.Packet] = field(default_factory=dict)


class FrameRepairer:
    """Keeps the packets of a stream's last frames and gives the slices that they make up for."""

    def __init__(self) -> None:
        self._frames: dict[tuple[int, ...], _Frame] = {}

    def add(self, packet: wire.Packet) -> list[wire.Packet]:
        """Take a slice or a repair packet.

        Returns:
            The slices that were missing and can now be told.

        Raises:
            PacketError: it contradicts the others of its frame.
        """
        header = packet.header
        key = (header.frame, header.rows, header.cols, header.rate_code, header.capture_time_ns)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = _Frame()
            if len(self._frames) > OPEN_FRAMES:
                del self._frames[next(iter(self._frames))]
        if header.type is wire.PacketType.FEATURES:
            frame.slices[header.slice] = packet
        else:
            if len(packet.payload) < BLOCK_BYTES:
                raise PacketError(f"repair packet with a payload of {len(packet.payload)} bytes")
            known = next(iter(frame.repairs.values()), packet)
            if len(known.payload) != len(packet.payload):
                raise PacketError("two repair packets of one frame differ in length")
            frame.repairs[header.slice] = packet
        if not frame.repairs:
            return []
        return self._recover(frame, header.rows * header.cols)

    def _recover(self, frame: _Frame, count: int) -> list[wire.Packet]:
        if count - len(frame.slices) > len(frame.repairs) or count == len(frame.slices):
            return []
        blocks = {number: _block(piece) for number, piece in frame.slices.items()}
        repairs = {number: packet.payload for number, packet in frame.repairs.items()}
        # Unlike the header of some slices, that of a repair packet tells the checkpoint.
        header, longest = next((p.header, len(p.payload)) for p in frame.repairs.values())
        if any(len(block) > longest for block in blocks.values()):
            frame.repairs.clear()
            raise PacketError("repair packets that are shorter than a slice of their frame")
        found = {
            number: _slice(header, number, block)
            for number, block in recover(blocks, repairs, count).items()
        }
        frame.slices.update(found)
        return list(found.values())


def _block(packet: wire.Packet) -> bytes:
    if packet.header.type is not wire.PacketType.FEATURES:
        raise PacketError(f"expected a features packet, got {packet.header.type.name}")
    word = packet.header.head_bits << _HEAD_BITS_AT | len(packet.payload)
    return _HEAD.pack(word, packet.header.reference) + packet.payload


def _slice(header: wire.Header, number: int, block: bytes) -> wire.Packet:
    """The slice that a block tells, from the header of a repair packet."""
    word, reference = _HEAD.unpack_from(block)
    length, head_bits = word & _LENGTH, word >> _HEAD_BITS_AT
    if length > min(len(block) - BLOCK_BYTES, wire.MAX_PAYLOAD_BYTES):
        raise PacketError(f"repaired slice of {length} bytes in a block of {len(block)}")
    header = replace(
        header,
        type=wire.PacketType.FEATURES,
        slice=number,
        reference=reference,
        head_bits=head_bits,
    )
    check(header)
    return wire.Packet(header, block[BLOCK_BYTES : BLOCK_BYTES + length])
