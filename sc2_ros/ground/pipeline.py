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
from sc2_ros.ground.plausible import check_sizes, place_of
from sc2_ros.ground.results import FrameReader
from sc2_ros.ground.stream import Arrival, GroundStream, ReadyFrame
from sc2_ros.link.continuity import Verdict
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

    def feedback(self, now_s: float, marked: int = 0) -> list[bytes]:
        """The feedback packets that are due, one per stream that is alive.

        ``marked``: packets so far that came with the mark of a congested link (ECN).
        """
        packets = []
        for number, stream in self._streams.items():
            period_s = 1 / self.config.feedback_hz
            if stream.feedback_due_s > now_s + 2 * period_s:  # the clock was set back
                stream.feedback_due_s = now_s
            if stream.feedback_due_s > now_s or now_s - stream.heard_s > QUIET_S:
                continue
            payload = stream.message(now_s, marked)
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
        if isinstance(packet, wire.Packet):
            packet.header.check_checkpoint(self._checkpoint_id)
        known = self._streams.get(header.stream)
        references = known.references if known is not None else None
        place = place_of(packet, self._decoder, references)
        check_sizes(place.sizes, self.config.max_pixels)
        stream = known or self._begin(header.stream, now_s)
        arrival = Arrival(packet, len(data), now_s)
        verdict = stream.continuity.judge(place, arrival, now_s)
        if verdict is Verdict.HOLD:
            self._refuse("implausible", PacketError("a jump that no second packet confirms"))
            return []
        ready = []
        if verdict is Verdict.RESTART:
            ready = stream.ready(stream.assembler.expire(now_s, -math.inf))
            stream.restart()
        elif verdict is Verdict.BACK:
            stream.go_back(header.frame)
        stream.heard_s = now_s
        held = stream.continuity.released
        if held:
            self._unrefuse("implausible", len(held))
        for one in (*held, arrival):
            try:
                ready += self._take(stream, one)
            except PacketError as error:
                self._refuse("undecodable", error)
        return ready

    def _take(self, stream: GroundStream, arrival: Arrival) -> list[ReadyFrame]:
        """Use a packet that belongs in its stream.

        Raises:
            PacketError: what is in it cannot be decoded.
        """
        packet, size_bytes, now_s = arrival.packet, arrival.size_bytes, arrival.now_s
        pieces = []
        if packet.header.type is wire.PacketType.STREAM_INFO:
            assert isinstance(packet, wire.Packet)
            stream.name(wire.parse_stream_info(packet))
            return []
        if packet.header.type is wire.PacketType.FEATURES:
            try:
                with self._stage("decode"):
                    packet = self._decoder.resolve(packet, stream.references)
                    pieces.append(self._decoder.decode(packet, stream.references))
            except MissingReferenceError as error:
                # It came all the same: the feedback tells the drone which frames are here.
                self._refuse("reference missing", error)
                if packet.head is not None:
                    stream.doubt((packet.header.frame - packet.head.distance) & 0xFFFF)
        else:
            self.stats.repair_packets += 1
        stream.enter(packet.header, size_bytes, now_s)
        before = replace(stream.assembler.stats)
        frames = []
        for piece in pieces:
            frames += stream.assembler.add(piece, size_bytes, now_s)
        for number, piece in enumerate(self._repaired(stream, packet)):
            own_bytes = 0 if number or pieces else size_bytes
            frames += stream.assembler.add(piece, own_bytes, now_s, repaired=True)
        stream.keep(frames)
        after = stream.assembler.stats
        self.stats.late_packets += after.late - before.late
        self.stats.duplicate_packets += after.duplicates - before.duplicates
        if after.inconsistent > before.inconsistent:
            self._refuse("inconsistent", PacketError("two packets of one frame contradict"))
        return stream.ready(frames)

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
                for slice_ in lost:
                    sizes = place_of(slice_, self._decoder, known).sizes
                    check_sizes(sizes, self.config.max_pixels)
                    if sizes and stream.sizes and sizes != stream.sizes:
                        # The camera was switched to another size, or the packet is forged. A size
                        # counts once two packets of slices have it.
                        return []
                pieces = [self._decoder.decode(slice_, known) for slice_ in lost]
        except PacketError as error:
            self._refuse("undecodable", error)
            return []
        self.stats.repaired_packets += len(pieces)
        return pieces

    def _begin(self, number: int, now_s: float) -> GroundStream:
        """Make room for a stream; beside one that flies it takes two packets to begin another."""
        streams = self._streams
        if len(streams) >= MAX_STREAMS:
            quietest = min(
                streams, key=lambda n: (streams[n].newest is not None, streams[n].heard_s)
            )
            del streams[quietest]
        alone = all(now_s - other.heard_s > QUIET_S for other in streams.values())
        stream = streams[number] = GroundStream(
            number, self._tables, self._station, now_s, trusts_first=alone
        )
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
        self.stats.refuse(reason, str(error))

    def _unrefuse(self, reason: str, count: int) -> None:
        left = self.stats.bad_packets.pop(reason, 0) - count
        if left > 0:
            self.stats.bad_packets[reason] = left

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        """Add up how long a stage takes; nothing is decided by it."""
        start_s = time.perf_counter()
        yield
        spent_ms = (time.perf_counter() - start_s) * 1e3
        self._stages[name] = self._stages.get(name, 0.0) + spent_ms
