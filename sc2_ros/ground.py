# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The station's pipeline: packets in, results and feedback out. No ROS, no clock, no thread.

::

    packet -> parse -> decode slice -> FrameAssembler -> latent (C, h, w), received (h, w)
                |                                           -> ground network
                +-> FeedbackBuilder -> feedback packet      -> boxes, mask, preview
"""

from __future__ import annotations

import math
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec import packet as wire
from sc2_ros.codec.assembler import AssembledFrame, FrameAssembler
from sc2_ros.codec.coder import DecodedSlice, LatentCodec
from sc2_ros.codec.references import Reference, ReferenceWindow
from sc2_ros.codec.repair import FrameRepairer
from sc2_ros.devices import autocast
from sc2_ros.errors import MismatchError, MissingReferenceError, PacketError
from sc2_ros.ground_types import FrameResult, GroundConfig, GroundStats
from sc2_ros.link.feedback import FeedbackBuilder
from sc2_ros.link.rate import index_of
from sc2_ros.link.sequence import has_restarted
from sc2_ros.network.decode import Detections, decode_detections
from sc2_ros.network.heads import CELL

__all__ = ["FrameResult", "GroundConfig", "GroundPipeline", "GroundStats", "ReadyFrame"]

MAX_STREAMS = 16
"""Streams served at a time; the one that was silent for longest makes room for a new one."""

QUIET_S = 10.0
"""A stream that was silent for so long gets no more feedback."""


class _Stream:
    """The state of one stream: its open frames and the books for its feedback.

    Packets are entered in one thread, frames that were shown maybe in another; `lock` keeps the
    books of both.
    """

    def __init__(self, codec: LatentCodec, station: int, now_s: float) -> None:
        self.references = ReferenceWindow()
        self.assembler = FrameAssembler(codec, references=self.references)
        self.repairer = FrameRepairer()
        self.frame_id = ""
        self.heard_s = now_s
        self.feedback_due_s = now_s
        self.newest: wire.Header | None = None
        self.lock = threading.Lock()
        self.builder = FeedbackBuilder(_session(now_s), station)

    def has_restarted(self, header: wire.Header) -> bool:
        """Whether a packet shows that the sender counts anew."""
        newest = self.newest
        return newest is not None and has_restarted(
            header.frame, header.capture_time_ns, newest.frame, newest.capture_time_ns
        )

    def restart(self) -> None:
        """Begin new books."""
        with self.lock:
            self.builder = FeedbackBuilder(
                (self.builder.session + 1) & 0xFFFF, self.builder.station
            )
        self.references.clear()

    def enter(self, header: wire.Header, size_bytes: int, now_s: float) -> None:
        """Enter a packet in the books."""
        # Repair packets count like slices beyond the grid: their bytes have passed the link, too.
        expected = max(header.rows * header.cols, header.place + 1)
        with self.lock:
            self.builder.on_packet(header.frame, header.place, expected, size_bytes, now_s)
            if self.builder.newest_frame == header.frame:
                self.newest = header

    def keep(self, frames: list[AssembledFrame]) -> None:
        """Keep what came whole, to predict later frames from it, and say so to the drone."""
        for frame in frames:
            if frame.complete:
                header = frame.header
                self.references.put(
                    Reference(header.frame, header.rate_code, frame.geometry, frame.symbols)
                )
                with self.lock:
                    self.builder.on_held(header.frame)

    def enter_shown(self, frame: AssembledFrame, books: FeedbackBuilder) -> float:
        """Enter a frame in the books of its session; the loss that they have."""
        with self.lock:
            books.on_frame(frame.header.frame, frame.complete)
            return books.loss

    def message(self, now_s: float, queue_s: float) -> bytes | None:
        """The next feedback payload, if anything has come."""
        with self.lock:
            return self.builder.build(now_s, queue_s)


@dataclass(frozen=True)
class ReadyFrame:
    """A frame of which all packets came or are waited for no longer; no network has run on it."""

    number: int
    stream: _Stream
    frame: AssembledFrame
    books: FeedbackBuilder
    """Of the sender's session that the frame belongs to; a newer one may have begun since."""


class GroundPipeline:
    """Turns packets of any number of streams into results, and reports back.

    ``receive`` and ``poll`` do all of it. Who must not fall behind calls the cheap ``accept`` and
    ``expire`` as packets come and the costly ``show`` only on the newest frame: the two halves
    share nothing but counters and, under a lock, the books of a stream, so they may run in two
    threads. ``configure`` belongs in the thread of ``show``.
    """

    def __init__(self, checkpoint: Checkpoint, config: GroundConfig | None = None) -> None:
        self.stats = GroundStats()
        self.detection_classes = tuple(checkpoint.card["detection_classes"])
        self._checkpoint_id = checkpoint.id
        self._network = checkpoint.ground
        self._codec = LatentCodec(checkpoint.tables, checkpoint.id)
        self._streams: dict[int, _Stream] = {}
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
        old, self._config = self._config, config
        if old is None or old.device != config.device:
            self._network = self._network.to(config.device).to(memory_format=torch.channels_last)

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
        timeout_s = self.config.frame_timeout_s
        return [
            ready
            for number, stream in self._streams.items()
            for ready in _ready(number, stream, stream.assembler.expire(now_s, timeout_s))
        ]

    def feedback(self, now_s: float, queue_s: float = 0.0) -> list[bytes]:
        """The feedback packets that are due, one per stream that is alive.

        ``queue_s`` is how long packets wait in the station before ``receive``.
        """
        packets = []
        for number, stream in self._streams.items():
            period_s = 1 / self.config.feedback_hz
            if stream.feedback_due_s > now_s + 2 * period_s:  # the clock was set back
                stream.feedback_due_s = now_s
            if stream.feedback_due_s > now_s or now_s - stream.heard_s > QUIET_S:
                continue
            payload = stream.message(now_s, queue_s)
            if payload is None or stream.newest is None:
                continue
            header = wire.Header(
                wire.PacketType.FEEDBACK,
                number,
                self._checkpoint_id,
                stream.newest.frame,
                capture_time_ns=stream.newest.capture_time_ns,
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
        if header.checkpoint_id != self._checkpoint_id:
            raise MismatchError(
                f"packet of checkpoint {header.checkpoint_id:08x}, but {self._checkpoint_id:08x} "
                "is loaded; start both ends with the same checkpoint"
            )
        if header.type is wire.PacketType.STREAM_INFO:
            frame_id = wire.parse_stream_info(packet)
            self._stream(header.stream, now_s).frame_id = frame_id
            return []
        known = self._streams.get(header.stream)
        restarted = known is not None and known.has_restarted(header)
        pieces = []
        if header.type is wire.PacketType.FEATURES:
            references = known.references if known is not None and not restarted else None
            try:
                with self._stage("decode"):
                    pieces.append(self._bounded(self._codec.decode(packet, references)))
            except MissingReferenceError as error:
                # It came all the same: the feedback tells the drone which frames are here.
                self._refuse("reference missing", error)
        else:
            self.stats.repair_packets += 1
        stream = self._stream(header.stream, now_s)
        ready = []
        if restarted:
            ready = _ready(header.stream, stream, stream.assembler.expire(now_s, -math.inf))
            stream.restart()
        stream.enter(header, len(data), now_s)
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
        return ready + _ready(header.stream, stream, frames)

    def _repaired(self, stream: _Stream, packet: wire.Packet) -> list[DecodedSlice]:
        """The lost slices that a packet, together with those before, makes up for."""
        try:
            with self._stage("decode"):
                lost = stream.repairer.add(packet)
                known = stream.references
                pieces = [self._bounded(self._codec.decode(slice_, known)) for slice_ in lost]
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

    def _stream(self, number: int, now_s: float) -> _Stream:
        stream = self._streams.get(number)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS:
                quietest = min(self._streams, key=lambda other: self._streams[other].heard_s)
                del self._streams[quietest]
            stream = self._streams[number] = _Stream(self._codec, self._station, now_s)
        stream.heard_s = now_s
        return stream

    def show(self, ready: ReadyFrame) -> FrameResult:
        """Run the ground network on a frame and enter it in the books."""
        stream, frame = ready.stream, ready.frame
        with torch.inference_mode():
            with self._stage("network"):
                output = self._run_network(frame)
            with self._stage("boxes"):
                found = self._detect(output, frame)
            with self._stage("pictures"):
                mask, preview = self._pictures(output, frame)
        stats = self.stats
        stats.frames += 1
        stats.incomplete_frames += not frame.complete
        stats.loss = stream.enter_shown(frame, ready.books)
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
            boxes=found.boxes.numpy(),
            scores=found.scores.numpy(),
            labels=found.labels.numpy(),
            mask=mask,
            preview=preview,
        )

    def _run_network(self, frame: AssembledFrame) -> dict[str, Tensor]:
        config = self.config
        latent = torch.from_numpy(frame.latent)[None].to(config.device)
        received = torch.from_numpy(frame.received | frame.concealed)[None, None].to(
            config.device, torch.float32
        )
        with autocast(config.device, config.precision):
            output: dict[str, Tensor] = self._network(
                latent, received, mask=config.mask, preview=config.preview
            )
        if config.device != "cpu":
            torch.cuda.synchronize(config.device)
        return output

    def _detect(self, output: dict[str, Tensor], frame: AssembledFrame) -> Detections:
        """Boxes in pixels of the camera's image, on the CPU."""
        config = self.config
        heatmap = output["heatmap"][0]
        if config.classes:
            wanted = [name in config.classes for name in self.detection_classes]
            heatmap = heatmap.clone()
            heatmap[~torch.tensor(wanted, device=heatmap.device)] = -torch.inf
        origin = frame.geometry.origin
        grid_size = (origin[0] + frame.encoded_size[0], origin[1] + frame.encoded_size[1])
        found = decode_detections(
            heatmap,
            output["box"][0],
            size=grid_size,
            score_threshold=config.score_threshold,
            nms_iou=config.nms_iou,
            max_detections=config.max_detections,
        )
        boxes = found.boxes.cpu() - torch.tensor([*origin, *origin], dtype=torch.float32)
        boxes.clamp_(min=0)
        # What lay wholly beside the picture, on its repeated edge, is nothing.
        inside = (boxes[:, 2:] > boxes[:, :2]).all(1)
        scale = np.divide(frame.source_size, frame.encoded_size)
        boxes = boxes[inside] * torch.tensor([*scale, *scale], dtype=torch.float32)
        return Detections(boxes, found.scores.cpu()[inside], found.labels.cpu()[inside])

    def _pictures(
        self, output: dict[str, Tensor], frame: AssembledFrame
    ) -> tuple[npt.NDArray[np.uint8] | None, npt.NDArray[np.uint8] | None]:
        """Mask (h4, w4) and preview (h4, w4, 3), uint8, without the padding."""
        columns, rows = (-(-side // CELL) for side in frame.encoded_size)
        left, above = (side // CELL for side in frame.geometry.origin)
        inside = (slice(above, above + rows), slice(left, left + columns))
        mask = preview = None
        if self.config.mask:
            classes = output["mask"][0][:, inside[0], inside[1]].argmax(0)
            mask = classes.to(torch.uint8).cpu().numpy()
        if self.config.preview:
            colours = output["preview"][0][:, inside[0], inside[1]].float().clamp(0, 1)
            pixels = (colours * 255).round().to(torch.uint8).permute(1, 2, 0)
            preview = pixels.cpu().contiguous().numpy()
        return mask, preview

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


def _ready(number: int, stream: _Stream, frames: list[AssembledFrame]) -> list[ReadyFrame]:
    return [ReadyFrame(number, stream, frame, stream.builder) for frame in frames]


def _session(now_s: float) -> int:
    """A number that differs from the one before a restart, unless by bad luck."""
    return round(now_s * 1000) & 0xFFFF
