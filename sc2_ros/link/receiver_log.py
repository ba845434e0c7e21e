# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the ground has received of one stream, from which its feedback is made."""

from __future__ import annotations

from dataclasses import dataclass, field

from sc2_ros.link.feedback import (
    HELD_FRAMES,
    MAX_REPORTS,
    Feedback,
    FrameReport,
    build_feedback,
)
from sc2_ros.link.sequence import wrapped_difference

_TRACKED_FRAMES = 32


@dataclass(slots=True)
class _Frame:
    expected: int
    slices: int = 0
    last: int = 0
    """The slice that came last, and when."""
    last_s: float = 0.0


@dataclass
class ReceiverLog:
    """What came of one stream; one log per session of its sender.

    ``session`` is any number that differs from the session before; ``station`` tells stations that
    hear the same drone apart.
    """

    session: int
    station: int = 0
    duplicates: int = 0
    """Packets that came a second time."""
    knows_frame_id: bool = False
    """Whether the stream's frame_id is known."""
    marked: int = 0
    """Packets so far that carried the mark of a congested link (ECN)."""
    _frames: dict[int, _Frame] = field(default_factory=dict)
    _newest: tuple[int, int] | None = None
    _newest_s: float = 0.0
    _number: int = 0
    _packets: int = 0
    _bytes: int = 0
    _decoded: int = 0
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
        record.last, record.last_s = slice_number, now_s
        self._packets += 1
        self._bytes += size_bytes
        newest = self._newest
        if newest is None or wrapped_difference(frame, newest[0]) >= 0:
            self._newest, self._newest_s = (frame, slice_number), now_s
            if newest is None or newest[0] != frame:
                self._forget_old(newest[0] if newest else frame, frame)
        return True

    def on_decoded(self) -> None:
        """Enter that a frame was decoded completely."""
        self._decoded += 1

    def on_held(self, frame: int) -> None:
        """Enter that a frame was decoded completely and is kept."""
        self._held.add(frame)
        self._held = {n for n in self._held if 0 <= wrapped_difference(frame, n) <= HELD_FRAMES}

    def on_not_held(self, frame: int) -> None:
        """Enter that a frame is not what the sender has under its number."""
        self._held.discard(frame)

    def go_back(self, frame: int) -> None:
        """Forget what is ahead of a frame: its number was false."""
        for number in list(self._frames):
            if wrapped_difference(number, frame) > 0:
                del self._frames[number]
        self._held = {number for number in self._held if wrapped_difference(number, frame) <= 0}
        if not self._frames:
            self._newest = None
            return
        newest = max(self._frames, key=lambda number: wrapped_difference(number, frame))
        record = self._frames[newest]
        self._newest = (newest, record.last)
        self._newest_s = record.last_s

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

    def build(self, now_s: float) -> bytes | None:
        """The next message's payload; ``None`` while nothing has come."""
        if self._newest is None:
            return None
        newest_frame, newest_slice = self._newest
        reports = []
        for behind in range(_TRACKED_FRAMES):
            number = (newest_frame - behind) & 0xFFFF
            record = self._frames.get(number)
            if record is not None:
                reports.append(self._report(number, record))
                if len(reports) == MAX_REPORTS:
                    break
        message = Feedback(
            session=self.session,
            number=self._number,
            newest_frame=newest_frame,
            newest_slice=newest_slice,
            hold_s=now_s - self._newest_s,
            arrival_us=round(self._newest_s * 1e6),
            packets=self._packets,
            size_bytes=self._bytes,
            frames_decoded=self._decoded,
            frames=tuple(reports),
            station=self.station,
            held=frozenset(self._held),
            knows_frame_id=self.knows_frame_id,
            marked=self.marked,
        )
        self._number += 1
        return build_feedback(message)

    def _report(self, number: int, record: _Frame) -> FrameReport:
        return FrameReport(
            frame=number,
            expected=record.expected,
            received=record.slices.bit_count(),
            bitmap=record.slices & 0xFFFF,
            age_s=self._newest_s - record.last_s,
        )

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
