# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The station's pipeline: packets in, results and feedback out. No ROS, no clock, no thread.

::

    packet -> parse -> decode slice -> FrameAssembler -> latent (C, h, w), received (h, w)
                |                                           -> ground network
                +-> ReceiverLog -> feedback packet          -> boxes, mask, preview
"""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec import wire
from sc2_ros.codec.frame.decoder import DecodedSlice, PacketDecoder
from sc2_ros.errors import MismatchError, MissingReferenceError, PacketError
from sc2_ros.ground.config import FrameResult, GroundConfig, GroundStats
from sc2_ros.ground.results import FrameReader
from sc2_ros.ground.stream import GroundStream, ReadyFrame
from sc2_ros.link.rate import index_of

__all__ = ["FrameResult", "GroundConfig", "GroundPipeline", "GroundStats", "ReadyFrame"]

MAX_STREAMS = 16
"""Streams served at a time; the one that was silent for longest makes room for a new one."""

QUIET_S = 10.0
"""A stream that was silent for so long gets no more feedback."""


class GroundPipeline:
    """Turns packets of any number of streams into results, and reports back.

    ``receive`` and ``poll`` do all of it. Who must not fall behind calls the cheap ``accept`` and
    ``expire`` as packets come and the costly ``show`` only on the newest frame: the two halves
    share nothing but counters and, under a lock, the log of a stream, so they may run in two
    threads. ``configure`` belongs in the thread of ``show``.
    """

    def __init__(self, checkpoint: Checkpoint, config: GroundConfig | None = None) -> None:
        self.stats = GroundStats()
        self.detection_classes = tuple(checkpoint.card["detection_classes"])
        self._checkpoint_id = checkpoint.id
        self._reader = FrameReader(checkpoint)
        self._tables = checkpoint.tables
        self._decoder = PacketDecoder(checkpoint.tables, checkpoint.id)
        self._streams: dict[int, GroundStream] = {}
        # Stations that hear the same drone tell apart; that two are equal is one in 65,535.
        self._station = 1 + secrets.randbelow(0xFFFF)
        self._config: GroundConfig | None = None
        self._stages: dict[str, float] = {}
        self.configure(config or GroundConfig())

    @property
    def config(self) -> GroundConfig:
        """The configuration in force."""
        assert self._config is not None
        return self._config

    def configure(self, config: GroundConfig) -> None:
        """Take a new configuration for the frames to come.

        Raises:
            ParameterError: a value cannot be used; the old configuration stays.
        """
        config.validate(self.detection_classes)
        self._reader.configure(config)
        self._config = config

    def receive(self, data: bytes, now_s: float) -> list[FrameResult]:
        """Take a packet; the results of the frames that it finishes, oldest first.

        Never raises: whatever cannot be used is counted in ``stats`` and dropped.
        """
        return [self.show(ready) for ready in self.accept(data, now_s)]

    def poll(self, now_s: float) -> list[FrameResult]:
        """The results of frames whose missing slices are waited for no longer."""
        return [self.show(ready) for ready in self.expire(now_s)]

    def accept(self, data: bytes, now_s: float) -> list[ReadyFrame]:
        """Take a packet, as ``receive``, but leave the frames that it finishes to ``show``."""
        self.stats.packets += 1
        self.stats.bytes += len(data)
        try:
            return self._accept(data, now_s)
        except MismatchError as error:
            self.stats.mismatched += 1
            self._refuse("mismatch", error)
        except PacketError as error:
            self._refuse("undecodable", error)
        return []

    def expire(self, now_s: float) -> list[ReadyFrame]:
        """The frames whose missing slices are waited for no longer, as ``poll`` but not shown."""
        limits_s = self.config.frame_timeout_s, self.config.deadline_s
        return [
            ready
            for stream in self._streams.values()
            for ready in stream.ready(stream.assembler.expire(now_s, *limits_s))
        ]

    def feedback(self, now_s: float) -> list[bytes]:
        """The feedback packets that are due, one per stream that is alive."""
        packets = []
        for number, stream in self._streams.items():
            period_s = 1 / self.config.feedback_hz
            if stream.feedback_due_s > now_s + 2 * period_s:  # the clock was set back
                stream.feedback_due_s = now_s
            if stream.feedback_due_s > now_s or now_s - stream.heard_s > QUIET_S:
                continue
            payload = stream.message(now_s)
            if payload is None or stream.newest is None:
                continue
            header = wire.Header(
                type=wire.PacketType.FEEDBACK,
                stream=number,
                checkpoint_id=self._checkpoint_id,
                frame=stream.newest.frame,
                capture_time_ns=stream.newest_time_ns or 0,
            )
            packets.append(wire.build(header, payload))
            stream.feedback_due_s = max(stream.feedback_due_s + period_s, now_s)
        return packets

    def _accept(self, data: bytes, now_s: float) -> list[ReadyFrame]:
        try:
            with self._stage("decode"):
                packet = wire.parse(data)
        except PacketError as error:
            self._refuse("damaged", error)
            return []
        header = packet.header
        if header.type is wire.PacketType.FEEDBACK:
            self._refuse("unexpected type", PacketError("a feedback packet came to the ground"))
            return []
        known = self._streams.get(header.stream)
        restarted = False
        if isinstance(packet, wire.Packet):
            packet.header.check_checkpoint(self._checkpoint_id)
            if header.type is wire.PacketType.STREAM_INFO:
                frame_id = wire.parse_stream_info(packet)
                self._stream(header.stream, now_s).name(frame_id)
                return []
            restarted = known is not None and known.has_restarted(packet.header)
        pieces = []
        if header.type is wire.PacketType.FEATURES:
            references = known.references if known is not None and not restarted else None
            try:
                with self._stage("decode"):
                    packet = self._decoder.resolve(packet, references)
                    pieces.append(self._bounded(self._decoder.decode(packet, references)))
            except MissingReferenceError as error:
                # It came all the same: the feedback tells the drone which frames are here.
                self._refuse("reference missing", error)
        else:
            self.stats.repair_packets += 1
        stream = self._stream(header.stream, now_s)
        ready = []
        if restarted:
            ready = stream.ready(stream.assembler.expire(now_s, -math.inf))
            stream.restart()
        stream.enter(packet.header, len(data), now_s)
        before = replace(stream.assembler.stats)
        frames = []
        for piece in pieces:
            frames += stream.assembler.add(piece, len(data), now_s)
        for number, piece in enumerate(self._repaired(stream, packet)):
            size_bytes = 0 if number or pieces else len(data)
            frames += stream.assembler.add(piece, size_bytes, now_s, repaired=True)
        stream.keep(frames)
        after = stream.assembler.stats
        self.stats.late_packets += after.late - before.late
        self.stats.duplicate_packets += after.duplicates - before.duplicates
        if after.inconsistent > before.inconsistent:
            self._refuse("inconsistent", PacketError("two packets of one frame contradict"))
        return ready + stream.ready(frames)

    def _repaired(
        self, stream: GroundStream, packet: wire.Packet | wire.PredictedPacket
    ) -> list[DecodedSlice]:
        """The lost slices that a packet, together with those before, makes up for."""
        if isinstance(packet, wire.PredictedPacket):  # its reference is missing
            return []
        try:
            with self._stage("decode"):
                lost = stream.repairer.add(packet)
                known = stream.references
                pieces = [self._bounded(self._decoder.decode(slice_, known)) for slice_ in lost]
        except PacketError as error:
            self._refuse("undecodable", error)
            return []
        self.stats.repaired_packets += len(pieces)
        return pieces

    def _bounded(self, piece: DecodedSlice) -> DecodedSlice:
        """The slice, unless its frame would make the network run at a size that nobody expects."""
        width, height = piece.encoded_size
        if width * height > self.config.max_pixels:
            raise PacketError(
                f"frame of {width}x{height} pixels, more than the {self.config.max_pixels} of "
                "max_pixels; raise it if the drone does send such frames"
            )
        return piece

    def _stream(self, number: int, now_s: float) -> GroundStream:
        stream = self._streams.get(number)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS:
                quietest = min(self._streams, key=lambda other: self._streams[other].heard_s)
                del self._streams[quietest]
            stream = self._streams[number] = GroundStream(
                number, self._tables, self._station, now_s
            )
        stream.heard_s = now_s
        return stream

    def show(self, ready: ReadyFrame) -> FrameResult:
        """Run the ground network on a frame and enter it in its stream's log."""
        stream, frame = ready.stream, ready.frame
        with self._stage("network"):
            seen = self._reader.run(frame)
        stats = self.stats
        stats.frames += 1
        stats.incomplete_frames += not frame.complete
        stats.loss = stream.enter_shown(frame, ready.log)
        stats.stage_ms, self._stages = self._stages, {}
        return FrameResult(
            stream=ready.number,
            frame=frame.header.frame,
            stamp_ns=frame.header.capture_time_ns,
            frame_id=stream.frame_id,
            source_size=frame.source_size,
            rate_index=index_of(frame.header.rate_code),
            size_bytes=frame.size_bytes,
            packets_expected=frame.slices_expected,
            packets_received=frame.slices_received,
            packets_repaired=frame.slices_repaired,
            share_received=float((frame.received & ~frame.repaired).mean()),
            share_repaired=float(frame.repaired.mean()),
            share_concealed=float(frame.concealed.mean()),
            boxes=seen.boxes.boxes,
            scores=seen.boxes.scores,
            labels=seen.boxes.labels,
            mask=seen.mask,
            preview=seen.preview,
        )

    def _refuse(self, reason: str, error: PacketError) -> None:
        self.stats.bad_packets[reason] = self.stats.bad_packets.get(reason, 0) + 1
        self.stats.last_error = str(error)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Add up how long a stage takes; nothing is decided by it."""
        start_s = time.perf_counter()
        yield
        spent_ms = (time.perf_counter() - start_s) * 1e3
        self._stages[name] = self._stages.get(name, 0.0) + spent_ms
