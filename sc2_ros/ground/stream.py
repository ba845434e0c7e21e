# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the station knows of one stream: open frames, references, and what was received."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from sc2_ros.codec.frame.reference import Reference, ReferenceWindow
from sc2_ros.codec.tables import CodingTables
from sc2_ros.codec.wire import Header, Packet, PacketId, PredictedPacket
from sc2_ros.codec.wire.repair import FrameRepairer
from sc2_ros.ground.assembler import AssembledFrame, FrameAssembler
from sc2_ros.link.continuity import Continuity, Sizes
from sc2_ros.link.receiver_log import ReceiverLog


@dataclass(frozen=True)
class Arrival:
    """A packet that was parsed, its bytes on the wire, and when it came."""

    packet: Packet | PredictedPacket
    size_bytes: int
    now_s: float


class GroundStream:
    """The state of one stream: its open frames, and the log from which its feedback is made.

    Packets are entered in one thread, frames that were shown perhaps in another; `lock` guards the
    log.
    """

    def __init__(
        self,
        number: int,
        tables: CodingTables,
        station: int,
        now_s: float,
        *,
        trusts_first: bool = True,
    ) -> None:
        """trusts_first: whether it begins with its first packet, or with two that agree."""
        self.number = number
        self.continuity = Continuity[Arrival](trusts_first)
        self.references = ReferenceWindow()
        self.assembler = FrameAssembler(tables, references=self.references)
        self.repairer = FrameRepairer()
        self.frame_id = ""
        self._named = False
        self._rival: str | None = None
        self.heard_s = now_s
        self.feedback_due_s = now_s
        self.newest: PacketId | None = None
        """Of the newest packet; without a capture time where its reference is not here."""
        self.lock = threading.Lock()
        self.log = ReceiverLog(_session(now_s), station)

    @property
    def newest_time_ns(self) -> int | None:
        """Capture time of the newest packet; None where it is not known."""
        return self.newest.capture_time_ns if isinstance(self.newest, Header) else None

    @property
    def sizes(self) -> Sizes | None:
        """Of its picture and its image, where they are known."""
        newest = self.continuity.newest
        return newest.sizes if newest is not None else None

    def name(self, frame_id: str) -> None:
        """Stream info has come, with the frame_id of the stream.

        One that differs counts when it comes a second time: until then the feedback says that the
        frame_id is not known, which makes the drone send it.
        """
        believed = not self._named or frame_id in (self.frame_id, self._rival)
        self._rival = None if believed else frame_id
        if believed:
            self.frame_id, self._named = frame_id, True
        with self.lock:
            self.log.knows_frame_id = believed

    def restart(self) -> None:
        """Begin a new log: the sender counts anew."""
        self._named, self._rival = False, None
        with self.lock:
            self.log = ReceiverLog((self.log.session + 1) & 0xFFFF, self.log.station)
        self.references.clear()
        self.assembler.restart()

    def go_back(self, frame: int) -> None:
        """Forget what is ahead of a frame: it was not this stream's."""
        with self.lock:
            self.log.go_back(frame)
            if self.newest is not None and self.newest.frame != self.log.newest_frame:
                self.newest = None
        self.references.forget_ahead(frame)
        self.assembler.go_back(frame)

    def doubt(self, frame: int) -> None:
        """The drone has another frame of this number: do not claim to hold it."""
        if self.references.get(frame) is not None:
            self.references.forget(frame)
            with self.lock:
                self.log.on_not_held(frame)

    def enter(self, header: PacketId, size_bytes: int, now_s: float) -> None:
        """Enter a packet in the log."""
        # Repair packets count like slices beyond the grid: their bytes have passed the link, too.
        expected = max(header.slices, header.number + 1)
        with self.lock:
            self.log.on_packet(header.frame, header.number, expected, size_bytes, now_s)
            if self.log.newest_frame == header.frame:
                self.newest = header

    def keep(self, frames: list[AssembledFrame]) -> None:
        """Keep complete frames, to predict later ones from them, and say so to the drone."""
        for frame in frames:
            if frame.complete:
                header = frame.header
                self.references.put(
                    Reference(
                        header.frame,
                        header.rate_code,
                        frame.geometry,
                        frame.symbols,
                        frame.coded,
                        frame.stamp,
                    )
                )
                with self.lock:
                    self.log.on_held(header.frame)

    def enter_shown(self, frame: AssembledFrame, log: ReceiverLog) -> float:
        """Enter a frame in the log of its session; returns the loss by that log."""
        with self.lock:
            if frame.complete:
                log.on_decoded()
            return log.loss

    def message(self, now_s: float, marked: int) -> bytes | None:
        """The next feedback payload, if anything has come."""
        with self.lock:
            self.log.marked = marked
            return self.log.build(now_s)

    def ready(self, frames: list[AssembledFrame]) -> list[ReadyFrame]:
        """The frames, to be shown later."""
        return [ReadyFrame(self.number, self, frame, self.log) for frame in frames]


@dataclass(frozen=True)
class ReadyFrame:
    """A frame of which all packets came or are waited for no longer; no network has run on it."""

    number: int
    stream: GroundStream
    frame: AssembledFrame
    log: ReceiverLog
    """Of the sender's session that the frame belongs to; a newer one may have begun since."""


def _session(now_s: float) -> int:
    """A number that differs from the one before a restart, unless by bad luck."""
    return round(now_s * 1000) & 0xFFFF
