# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A split network as a live stream, with the same methods as the two pipelines.

::

    VirtualRun(SplitOnboard(path), SplitGround(path), link, listener).run(frames)

A split checkpoint has one rate, so nothing reacts to the link, and there is no feedback; a frame
of which a packet is lost gives no answer.
"""

from __future__ import annotations

import time

import numpy as np

from sc2_ros.codec.wire import PacketType, parse
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.split_system import SplitSystem
from sc2_ros.ground.config import FrameResult, GroundConfig, GroundStats
from sc2_ros.onboard.pipeline import CameraFrame, OnboardStats

_NUMBERS = 1 << 16
_BEHIND = 1 << 15


class SplitOnboard:
    """The drone's side: OnboardPipeline's methods around `SplitSystem.encode`."""

    def __init__(self, system: SplitSystem, stream: int = 0) -> None:
        """stream: its number, 0 to 255."""
        self.system, self.stream = system, stream
        self.stats = OnboardStats()
        self._frame = 0

    def process(self, frame: CameraFrame, now_s: float) -> list[bytes]:
        """One picture to its packets."""
        start = time.perf_counter()
        packets = self.system.encode(
            frame.image, stream=self.stream, frame=self._frame, capture_time_ns=frame.stamp_ns
        )
        self._frame = (self._frame + 1) % _NUMBERS
        self.stats.frames_in += 1
        self.stats.stage_ms = {"encode": (time.perf_counter() - start) * 1e3}
        return packets

    def on_sent(self, packet: bytes, now_s: float) -> None:
        """One rate: it does not matter when packets leave."""

    def on_feedback(self, data: bytes, now_s: float) -> None:
        """One rate: nothing follows from feedback."""


class SplitGround:
    """The station's side: GroundPipeline's methods around `SplitSystem.decode`."""

    def __init__(self, system: SplitSystem, config: GroundConfig | None = None) -> None:
        """config: its frame_timeout_s and score_threshold count."""
        self.system, self.config = system, config or GroundConfig()
        self.stats = GroundStats()
        self._open: dict[int, tuple[float, dict[int, bytes]]] = {}
        self._shown: int | None = None

    def receive(self, data: bytes, now_s: float) -> list[FrameResult]:
        """One packet; the frame's result once all of its packets are here."""
        self.stats.packets += 1
        self.stats.bytes += len(data)
        try:
            header = parse(data).header
        except PacketError as error:
            return self._bad("damaged", error)
        if header.type is not PacketType.FEATURES:
            return []
        if self._shown is not None and (header.frame - self._shown - 1) % _NUMBERS >= _BEHIND:
            self.stats.late_packets += 1
            return []
        _, packets = self._open.setdefault(header.frame, (now_s, {}))
        packets[header.slice] = data
        if len(packets) < header.rows * header.cols:
            return self.poll(now_s)
        del self._open[header.frame]
        start = time.perf_counter()
        try:
            _, geometry = chunks.join(packets.values(), self.system.id)
        except PacketError as error:
            return self._bad("mismatch", error)
        try:
            outputs = self.system.read(list(packets.values()))
        except PacketError as error:
            return self._bad("damaged", error)
        self._shown = header.frame
        self.stats.frames += 1
        self.stats.stage_ms = {"decode": (time.perf_counter() - start) * 1e3}
        best = outputs.scores >= self.config.score_threshold
        result = FrameResult(
            stream=header.stream,
            frame=header.frame,
            stamp_ns=header.capture_time_ns,
            frame_id="",
            source_size=geometry.source_size,
            rate_index=0.0,
            size_bytes=sum(map(len, packets.values())),
            packets_expected=len(packets),
            packets_received=len(packets),
            packets_repaired=0,
            share_received=1.0,
            share_repaired=0.0,
            share_concealed=0.0,
            boxes=outputs.boxes[best],
            scores=outputs.scores[best],
            labels=np.asarray(outputs.labels)[best],
            mask=outputs.mask,
            preview=None,
        )
        return [result, *self.poll(now_s)]

    def poll(self, now_s: float) -> list[FrameResult]:
        """Give up on frames whose packets do not come; they have no result."""
        for number, (since_s, _) in list(self._open.items()):
            if now_s - since_s > self.config.frame_timeout_s:
                del self._open[number]
                self.stats.incomplete_frames += 1
        return []

    def feedback(self, now_s: float) -> list[bytes]:
        """None: the sender has one rate."""
        return []

    def _bad(self, reason: str, error: PacketError) -> list[FrameResult]:
        self.stats.bad_packets[reason] = self.stats.bad_packets.get(reason, 0) + 1
        self.stats.last_error = str(error)
        return []
