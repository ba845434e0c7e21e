# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Repair packets: slices of a frame that were lost come back without being sent again.

    slices 0 .. n-1 --erasure code--> repair packets 0 .. r-1
    any n of the n + r packets -----> slices 0 .. n-1

A repair packet has the complete header of its frame, with its own number in place of a slice's. Its
payload combines, byte by byte, one block of each slice:

    0 bits << 13 | length of what follows the distance, u16     2 distance u8, 0 of a keyframe slice
    3 what follows the header in the slice's own packet, then zeros up to the longest

bits: of PredictedHead, 0 of a keyframe slice. The header has the frame's capture time, also for
predicted slices: who lacks their packets lacks their offsets.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from sc2_ros.codec.wire.erasure import MAX_BLOCKS, recover, repair_block
from sc2_ros.codec.wire.header import MAX_PAYLOAD_BYTES, Header, PacketType, check
from sc2_ros.codec.wire.packet import Packet, build
from sc2_ros.codec.wire.predicted import PredictedHead
from sc2_ros.errors import PacketError

BLOCK_BYTES = 3
"""By so much is a repair packet longer than the longest slice of its frame."""
OPEN_FRAMES = 4
_BLOCK = struct.Struct("<HB")
_BITS_AT = 13
_LENGTH = (1 << _BITS_AT) - 1


def build_repairs(slices: Sequence[Packet], count: int) -> list[bytes]:
    """`count` repair packets for all the slices of a frame, given in their order.

    Raises:
        PacketError: they are not slices, or the repair packets would be over 1,200 bytes.
    """
    if count <= 0:
        return []
    blocks = [_block(piece) for piece in slices]
    header = replace(slices[0].header, type=PacketType.REPAIR)
    return [
        build(replace(header, slice=number), repair_block(blocks, number))
        for number in range(min(count, MAX_BLOCKS - len(blocks)))
    ]


@dataclass
class _Frame:
    slices: dict[int, Packet] = field(default_factory=dict)
    repairs: dict[int, Packet] = field(default_factory=dict)


class FrameRepairer:
    """Keeps the packets of a stream's last frames and gives back the slices that were lost."""

    def __init__(self) -> None:
        self._frames: dict[tuple[int, ...], _Frame] = {}

    def add(self, packet: Packet) -> list[Packet]:
        """Take a slice or a repair packet.

        Returns:
            The slices that were missing and can now be made.

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
        if header.type is PacketType.FEATURES:
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
        return self._recover(frame, header.slices)

    def _recover(self, frame: _Frame, count: int) -> list[Packet]:
        if count - len(frame.slices) > len(frame.repairs) or count == len(frame.slices):
            return []
        blocks = {number: _block(piece) for number, piece in frame.slices.items()}
        repairs = {number: packet.payload for number, packet in frame.repairs.items()}
        header, longest = next((p.header, len(p.payload)) for p in frame.repairs.values())
        if any(len(block) > longest for block in blocks.values()):
            frame.repairs.clear()
            raise PacketError("repair packets that are shorter than a slice of their frame")
        try:
            found = {
                number: _slice(header, number, block)
                for number, block in recover(blocks, repairs, count).items()
            }
        except PacketError:
            # One of them is forged. Kept, they would cost as much again with every packet.
            frame.repairs.clear()
            raise
        frame.slices.update(found)
        return list(found.values())


def _block(packet: Packet) -> bytes:
    if packet.header.type is not PacketType.FEATURES:
        raise PacketError(f"expected a features packet, got {packet.header.type.name}")
    bits = distance = 0
    data = packet.payload
    if packet.head is not None:
        bits, distance = packet.head.bits, packet.head.distance
        data = packet.head.to_bytes() + data
    return _BLOCK.pack(bits << _BITS_AT | len(data), distance) + data


def _slice(header: Header, number: int, block: bytes) -> Packet:
    """The slice in a block, with the header of a repair packet."""
    word, distance = _BLOCK.unpack_from(block)
    length, bits = word & _LENGTH, word >> _BITS_AT
    if length > min(len(block) - BLOCK_BYTES, MAX_PAYLOAD_BYTES):
        raise PacketError(f"repaired slice of {length} bytes in a block of {len(block)}")
    data, head = block[BLOCK_BYTES : BLOCK_BYTES + length], None
    if distance:
        head, data = PredictedHead.parse(distance, bits, data)
    elif bits:
        raise PacketError(f"repaired keyframe slice with the bits {bits} of a predicted one")
    header = replace(header, type=PacketType.FEATURES, slice=number)
    check(header)
    return Packet(header, data, head)
