# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground tells the drone, ten to twenty times a second, in at most 75 bytes.

Layout, little endian (it travels as the payload of a type 2 packet):

    0  layout u8 (=2) | newest slice u8 | session u16 | number u16 | newest frame u16
    8  hold u32 us | arrival u32 us | packets u32 | bytes u32
    24 decoded u16 | incomplete u16 | last whole frame u16 | queue u16 ms | loss u8 (/255)
    33 flags and count u8: bit 7 = "last whole frame" is valid, low bits = frame reports
    34 station u16 | held u32: bit i is frame "newest - i"
    40 reports, 7 bytes each, newest first: frames behind the newest u8 | expected-1 u8 |
       received-1 u8 | bitmap u16 of slices 0..15 | age u16 in 0.1 ms of its last packet, counted
       back from the newest packet's arrival

"Newest" means newest in sending order: highest frame, then highest slice. Counters are cumulative,
so that lost feedback costs nothing; the session changes when the ground starts counting anew. The
echo (identity, hold time) lets the drone measure the round trip with its own clock alone. Held are
the frames that the ground decoded whole and keeps: from these alone may others be predicted. A
station that holds none gets frames that need no other.

Layout 1 lacks station and held, its reports begin at 34; it is still read, as holding nothing.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import NamedTuple

from sc2_ros.errors import PacketError
from sc2_ros.link.sequence import wrapped_difference

LAYOUT = 2
HELD_FRAMES = 32
MAX_REPORTS = 5
_MOST_READ = 6  # what layout 1 may hold
_FIXED = struct.Struct("<BBHHHIIIIHHHHBB")
_HELD = struct.Struct("<HI")
_REPORT = struct.Struct("<BBBHH")
MAX_PAYLOAD_BYTES = _FIXED.size + _HELD.size + MAX_REPORTS * _REPORT.size
_TRACKED_FRAMES = 32
_HAS_WHOLE = 0x80


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


@dataclass(slots=True)
class _Frame:
    expected: int
    slices: int = 0
    last_s: float = 0.0


@dataclass
class FeedbackBuilder:
    """Keeps the ground's books on one stream; one builder per session of its sender.

    ``session`` is any number that differs from the session before; ``station`` tells stations that
    hear the same drone apart.
    """

    session: int
    station: int = 0
    duplicates: int = 0
    """Packets that came a second time."""
    _frames: dict[int, _Frame] = field(default_factory=dict)
    _newest: tuple[int, int] | None = None
    _newest_s: float = 0.0
    _number: int = 0
    _packets: int = 0
    _bytes: int = 0
    _decoded: int = 0
    _incomplete: int = 0
    _whole: int | None = None
    _held: set[int] = field(default_factory=set)

    def on_packet(
        self, frame: int, slice_number: int, expected: int, size_bytes: int, now_s: float
    ) -> bool:
        """Enter a packet that came at ``now_s``; False if it came before or is too old to tell.

        ``expected`` is the number of slices of its frame, 1 to 256. A repair packet counts as one
        more slice than its frame was known to have: only such a packet may raise the number.
        """
        record = self._frames.get(frame)
        if record is not None:
            if slice_number == expected - 1 >= record.expected:
                record.expected = expected
            if slice_number >= record.expected:
                return False
        else:
            if slice_number >= expected:
                return False
            if self._newest and wrapped_difference(frame, self._newest[0]) <= -_TRACKED_FRAMES:
                return False
            record = self._frames[frame] = _Frame(expected)
        bit = 1 << slice_number
        if record.slices & bit:
            self.duplicates += 1
            return False
        record.slices |= bit
        record.last_s = now_s
        self._packets += 1
        self._bytes += size_bytes
        newest = self._newest
        if newest is None or self._order(frame, slice_number) > 0:
            self._newest, self._newest_s = (frame, slice_number), now_s
            if newest is None or newest[0] != frame:
                self._forget_old(newest[0] if newest else frame, frame)
        return True

    def on_frame(self, frame: int, whole: bool) -> None:
        """Enter that a frame was decoded, with or without missing slices."""
        if not whole:
            self._incomplete += 1
            return
        self._decoded += 1
        if self._whole is None or wrapped_difference(frame, self._whole) > 0:
            self._whole = frame

    def on_held(self, frame: int) -> None:
        """Enter that a frame was decoded whole and is kept."""
        self._held.add(frame)
        self._held = {n for n in self._held if 0 <= wrapped_difference(frame, n) <= HELD_FRAMES}

    @property
    def newest_frame(self) -> int | None:
        """Frame number of the newest packet; ``None`` before the first one."""
        return self._newest[0] if self._newest else None

    @property
    def loss(self) -> float:
        """Share of the packets of the last frames (without the newest) that did not come.

        A frame of which nothing came counts as many packets as the others had on average.
        """
        if self._newest is None:
            return 0.0
        newest = self._newest[0]
        older = [number for number in self._frames if number != newest]
        if not older:
            return 0.0
        expected = received = oldest = 0
        for number in older:
            record = self._frames[number]
            expected += record.expected
            received += record.slices.bit_count()
            oldest = max(oldest, (newest - number) & 0xFFFF)
        absent = oldest - len(older)
        expected_all = expected * (1 + absent / len(older))
        return max(0.0, 1.0 - received / expected_all)

    def build(self, now_s: float, queue_s: float = 0.0) -> bytes | None:
        """The next message's payload; ``None`` while nothing has come."""
        if self._newest is None:
            return None
        newest_frame, newest_slice = self._newest
        reports = []
        for behind in range(_TRACKED_FRAMES):
            record = self._frames.get((newest_frame - behind) & 0xFFFF)
            if record is not None:
                reports.append(self._report(behind, record))
                if len(reports) == MAX_REPORTS:
                    break
        fixed = _FIXED.pack(
            LAYOUT,
            newest_slice,
            self.session & 0xFFFF,
            self._number & 0xFFFF,
            newest_frame,
            _clip((now_s - self._newest_s) * 1e6, 32),
            round(self._newest_s * 1e6) & 0xFFFFFFFF,
            self._packets & 0xFFFFFFFF,
            self._bytes & 0xFFFFFFFF,
            self._decoded & 0xFFFF,
            self._incomplete & 0xFFFF,
            self._whole or 0,
            _clip(queue_s * 1e3, 16),
            round(self.loss * 255),
            len(reports) | (_HAS_WHOLE if self._whole is not None else 0),
        )
        self._number += 1
        bits = 0
        for frame in self._held:
            behind = wrapped_difference(newest_frame, frame)
            if 0 <= behind < HELD_FRAMES:
                bits |= 1 << behind
        return fixed + _HELD.pack(self.station & 0xFFFF, bits) + b"".join(reports)

    def _report(self, behind: int, record: _Frame) -> bytes:
        return _REPORT.pack(
            behind,
            record.expected - 1,
            record.slices.bit_count() - 1,
            record.slices & 0xFFFF,
            _clip((self._newest_s - record.last_s) * 1e4, 16),
        )

    def _order(self, frame: int, slice_number: int) -> int:
        assert self._newest is not None
        return (wrapped_difference(frame, self._newest[0]) << 8) + slice_number - self._newest[1]

    def _forget_old(self, before: int, newest: int) -> None:
        """``before`` was the newest frame until now."""
        frames = self._frames
        ahead = (newest - before) & 0xFFFF
        if 0 < ahead < _TRACKED_FRAMES:
            for number in range(newest - _TRACKED_FRAMES - ahead + 1, newest - _TRACKED_FRAMES + 1):
                frames.pop(number & 0xFFFF, None)
            return
        for number in list(frames):
            # Not only those behind: after a jump by half of all numbers, old ones seem to be ahead.
            if not -_TRACKED_FRAMES < wrapped_difference(number, newest) <= 0:
                del self._frames[number]


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
    if layout not in (1, LAYOUT):
        raise PacketError(f"feedback layout {layout} is not {LAYOUT}: update the older side")
    count = flags & ~_HAS_WHOLE
    first = _FIXED.size + (_HELD.size if layout == LAYOUT else 0)
    if count > _MOST_READ or len(payload) != first + count * _REPORT.size:
        raise PacketError(f"feedback of {len(payload)} bytes does not hold {count} frame reports")
    station, bits = _HELD.unpack_from(payload, _FIXED.size) if layout == LAYOUT else (0, 0)
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
    )


def _held(newest_frame: int, bits: int) -> frozenset[int]:
    return frozenset((newest_frame - i) & 0xFFFF for i in range(HELD_FRAMES) if bits >> i & 1)


def _clip(value: float, bits: int) -> int:
    """Round into an unsigned field; too large values saturate, negative ones become 0."""
    return min(max(round(value), 0), (1 << bits) - 1)
