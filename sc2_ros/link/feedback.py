# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground tells the drone, ten to twenty times a second, in at most 75 bytes.

Layout, little endian (it travels as the payload of a type 2 packet):

    0  layout u8 (=3) | newest slice u8 | session u16 | number u16 | newest frame u16
    8  hold u32 us | arrival u32 us | packets u32 | bytes u32
    24 decoded u16 | incomplete u16 | last whole frame u16 | queue u16 ms | loss u8 (/255)
    33 flags and count u8: bit 7 = "last whole frame" is valid, bit 6 = the stream's frame_id is
       known, low bits = frame reports
    34 station u16 | held u32: bit i is frame "newest - i"
    40 reports, 7 bytes each, newest first: frames behind the newest u8 | expected-1 u8 |
       received-1 u8 | bitmap u16 of slices 0..15 | age u16 in 0.1 ms of its last packet, counted
       back from the newest packet's arrival

"Newest" means newest in sending order: highest frame, then highest slice. Counters are cumulative,
so that lost feedback costs nothing; the session changes when the ground starts counting anew. The
echo (identity, hold time) lets the drone measure the round trip with its own clock alone. Held are
the frames that the ground decoded whole and keeps: from these alone may others be predicted. A
station that holds none gets frames that need no other.

Layout 2 lacks bit 6. Layout 1 lacks station and held, too, and its reports begin at 34. Both are
still read, as knowing no frame_id and, layout 1, as holding nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import NamedTuple

from sc2_ros.errors import PacketError
from sc2_ros.link.sequence import wrapped_difference

LAYOUT = 3
_LAYOUTS = (1, 2, LAYOUT)
HELD_FRAMES = 32
MAX_REPORTS = 5
_MOST_READ = 6  # what layout 1 may hold
_FIXED = struct.Struct("<BBHHHIIIIHHHHBB")
_HELD = struct.Struct("<HI")
_REPORT = struct.Struct("<BBBHH")
MAX_PAYLOAD_BYTES = _FIXED.size + _HELD.size + MAX_REPORTS * _REPORT.size
_HAS_WHOLE = 0x80
_NAMED = 0x40


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
        newest_frame: frame number of the newest packet received.
        newest_slice: its slice number.
        hold_s: seconds between the newest packet's arrival and this message.
        arrival_us: the newest packet's arrival on the ground's clock, us modulo 2**32.
        packets: distinct packets received in this session, modulo 2**32.
        size_bytes: their bytes, modulo 2**32.
        frames_decoded: frames decoded whole in this session, modulo 2**16.
        frames_incomplete: frames decoded with slices missing, modulo 2**16.
        last_whole_frame: newest frame decoded whole; ``None`` if there is none yet.
        queue_s: seconds of work that wait in the ground station.
        loss: share of the recent packets that did not come, as the ground sees it.
        frames: the last frames, newest first.
        station: number of the ground station; 0 from those that have none.
        held: numbers of the frames that it decoded whole and keeps.
        named: whether it knows the stream's frame_id.
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
    frames_incomplete: int
    last_whole_frame: int | None
    queue_s: float
    loss: float
    frames: tuple[FrameReport, ...]
    station: int = 0
    held: frozenset[int] = frozenset()
    named: bool = False


def build_feedback(message: Feedback) -> bytes:
    """The payload of a message; counters wrap, what is held farther back than told is left out."""
    newest = message.newest_frame
    whole = message.last_whole_frame
    fixed = _FIXED.pack(
        LAYOUT,
        message.newest_slice,
        message.session & 0xFFFF,
        message.number & 0xFFFF,
        newest,
        _clip(message.hold_s * 1e6, 32),
        message.arrival_us & 0xFFFFFFFF,
        message.packets & 0xFFFFFFFF,
        message.size_bytes & 0xFFFFFFFF,
        message.frames_decoded & 0xFFFF,
        message.frames_incomplete & 0xFFFF,
        whole or 0,
        _clip(message.queue_s * 1e3, 16),
        round(message.loss * 255),
        len(message.frames) | _HAS_WHOLE * (whole is not None) | _NAMED * message.named,
    )
    bits = 0
    for frame in message.held:
        behind = wrapped_difference(newest, frame)
        if 0 <= behind < HELD_FRAMES:
            bits |= 1 << behind
    held = _HELD.pack(message.station & 0xFFFF, bits)
    return fixed + held + b"".join(_report(newest, report) for report in message.frames)


def parse_feedback(payload: bytes) -> Feedback:
    """Read a feedback payload; raises ``PacketError`` on anything that is not one."""
    if len(payload) < _FIXED.size:
        raise PacketError(f"feedback of {len(payload)} bytes is shorter than {_FIXED.size}")
    (
        layout,
        newest_slice,
        session,
        number,
        newest_frame,
        hold_us,
        arrival_us,
        packets,
        size_bytes,
        decoded,
        incomplete,
        whole,
        queue_ms,
        loss,
        flags,
    ) = _FIXED.unpack_from(payload)
    if layout not in _LAYOUTS:
        raise PacketError(f"feedback layout {layout} is not {LAYOUT}: update the older side")
    named = layout >= 3 and bool(flags & _NAMED)
    count = flags & ~(_HAS_WHOLE | _NAMED * named)
    first = _FIXED.size + (_HELD.size if layout > 1 else 0)
    if count > _MOST_READ or len(payload) != first + count * _REPORT.size:
        raise PacketError(f"feedback of {len(payload)} bytes does not hold {count} frame reports")
    station, bits = _HELD.unpack_from(payload, _FIXED.size) if layout > 1 else (0, 0)
    reports = []
    for behind, expected, received, bitmap, age in _REPORT.iter_unpack(payload[first:]):
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
        frames_incomplete=incomplete,
        last_whole_frame=whole if flags & _HAS_WHOLE else None,
        queue_s=queue_ms / 1e3,
        loss=loss / 255,
        frames=tuple(reports),
        station=station,
        held=_held(newest_frame, bits) if bits else frozenset(),
        named=named,
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
