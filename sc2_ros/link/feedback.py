# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground tells the drone, ten to twenty times a second, in at most 68 bytes.

Version 1, little endian; it travels as the payload of a feedback packet:

    0  version u8 (=1) | newest slice u8 | session u16 | number u16 | newest frame u16
    8  hold u32 us | arrival u32 us | packets u32 | bytes u32
    24 decoded u16 | flags and count u8: bit 7 = the stream's frame_id is known, bits 3 to 6 =
       packets with a congestion mark (ECN, RFC 3168), modulo 16, bits 0 to 2 = reports
    27 station u16 | held u32: bit i is frame "newest - i"
    33 reports, 7 bytes each, newest first: frames behind the newest u8 | expected-1 u8 |
       received-1 u8 | bitmap u16 of slices 0..15 | age u16 in 0.1 ms of its last packet, counted
       back from the newest packet's arrival

"Newest" is the packet that came last of the highest frame: the slices of a frame leave in an order
of their own, which only the drone knows. Counters are cumulative,
so that lost feedback costs nothing; the session changes when the ground starts counting anew. The
echo (identity, hold time) lets the drone measure the round trip with its own clock alone. Held are
the frames that the ground decoded completely and keeps: only these may others be predicted from. A
station that holds none gets keyframes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from sc2_ros.errors import PacketError
from sc2_ros.link.sequence import wrapped_difference

VERSION = 1
HELD_FRAMES = 32
MAX_REPORTS = 5
_FIXED = struct.Struct("<BBHHHIIIIHBHI")
_REPORT = struct.Struct("<BBBHH")
MAX_PAYLOAD_BYTES = _FIXED.size + MAX_REPORTS * _REPORT.size
_KNOWS_FRAME_ID = 0x80
_MARKED_SHIFT, MARKED_WRAP = 3, 16
_COUNT = 0x07


class FrameReport(NamedTuple):
    """What has come of one frame.

    Attributes:
        frame: its number.
        expected: slices that it was cut into.
        received: slices that came.
        bitmap: which of the slices 0 to 15 came, slice 0 in the lowest bit.
        age_s: by how long its last packet came before the newest packet, seconds.
    """

    frame: int
    expected: int
    received: int
    bitmap: int
    age_s: float


@dataclass(frozen=True)
class Feedback:
    """One feedback message.

    Attributes:
        session: changes when the ground counts anew.
        number: counts the messages, wraps at 2**16.
        newest_frame: highest frame number of a packet received.
        newest_slice: the slice of that frame that came last.
        hold_s: seconds between the newest packet's arrival and this message.
        arrival_us: the newest packet's arrival on the ground's clock, us modulo 2**32.
        packets: distinct packets received in this session, modulo 2**32.
        size_bytes: their bytes, modulo 2**32.
        frames_decoded: frames decoded completely in this session, modulo 2**16.
        frames: the last frames, newest first.
        station: number of the ground station.
        held: numbers of the frames that it decoded completely and keeps.
        knows_frame_id: whether it knows the stream's frame_id.
        marked: packets with the mark of a congested link (ECN), modulo 16.
    """

    session: int
    number: int
    newest_frame: int
    newest_slice: int
    hold_s: float
    arrival_us: int
    packets: int
    size_bytes: int
    frames_decoded: int
    frames: tuple[FrameReport, ...]
    station: int = 0
    held: frozenset[int] = frozenset()
    knows_frame_id: bool = False
    marked: int = 0


def build_feedback(message: Feedback) -> bytes:
    """The payload of a message.

    Counters wrap. Held frames more than 31 behind the newest are left out.
    """
    newest = message.newest_frame
    bits = 0
    for frame in message.held:
        behind = wrapped_difference(newest, frame)
        if 0 <= behind < HELD_FRAMES:
            bits |= 1 << behind
    fixed = _FIXED.pack(
        VERSION,
        message.newest_slice,
        message.session & 0xFFFF,
        message.number & 0xFFFF,
        newest,
        _clip(message.hold_s * 1e6, 32),
        message.arrival_us & 0xFFFFFFFF,
        message.packets & 0xFFFFFFFF,
        message.size_bytes & 0xFFFFFFFF,
        message.frames_decoded & 0xFFFF,
        len(message.frames)
        | message.marked % MARKED_WRAP << _MARKED_SHIFT
        | _KNOWS_FRAME_ID * message.knows_frame_id,
        message.station & 0xFFFF,
        bits,
    )
    return fixed + b"".join(_report(newest, report) for report in message.frames)


def parse_feedback(payload: bytes) -> Feedback:
    """Read a feedback payload; raises ``PacketError`` on anything that is not one."""
    if len(payload) < _FIXED.size:
        raise PacketError(f"feedback of {len(payload)} bytes is shorter than {_FIXED.size}")
    (
        version,
        newest_slice,
        session,
        number,
        newest_frame,
        hold_us,
        arrival_us,
        packets,
        size_bytes,
        decoded,
        flags,
        station,
        bits,
    ) = _FIXED.unpack_from(payload)
    if version != VERSION:
        raise PacketError(
            f"feedback of version {version}, expected {VERSION}: update drone and ground together"
        )
    count = flags & _COUNT
    if count > MAX_REPORTS or len(payload) != _FIXED.size + count * _REPORT.size:
        raise PacketError(f"feedback of {len(payload)} bytes does not hold {count} frame reports")
    reports = []
    for behind, expected, received, bitmap, age in _REPORT.iter_unpack(payload[_FIXED.size :]):
        if received > expected:
            raise PacketError(f"feedback reports {received + 1} slices of {expected + 1}")
        reports.append(
            FrameReport(
                (newest_frame - behind) & 0xFFFF, expected + 1, received + 1, bitmap, age / 1e4
            )
        )
    return Feedback(
        session=session,
        number=number,
        newest_frame=newest_frame,
        newest_slice=newest_slice,
        hold_s=hold_us / 1e6,
        arrival_us=arrival_us,
        packets=packets,
        size_bytes=size_bytes,
        frames_decoded=decoded,
        frames=tuple(reports),
        station=station,
        held=_held(newest_frame, bits) if bits else frozenset(),
        knows_frame_id=bool(flags & _KNOWS_FRAME_ID),
        marked=(flags >> _MARKED_SHIFT) % MARKED_WRAP,
    )


def _report(newest_frame: int, report: FrameReport) -> bytes:
    return _REPORT.pack(
        (newest_frame - report.frame) & 0xFFFF,
        report.expected - 1,
        report.received - 1,
        report.bitmap,
        _clip(report.age_s * 1e4, 16),
    )


def _held(newest_frame: int, bits: int) -> frozenset[int]:
    return frozenset((newest_frame - i) & 0xFFFF for i in range(HELD_FRAMES) if bits >> i & 1)


def _clip(value: float, bits: int) -> int:
    """Round into an unsigned field; too large values saturate, negative ones become 0."""
    return min(max(round(value), 0), (1 << bits) - 1)
