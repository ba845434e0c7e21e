# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The whole system in virtual time: no ROS, no DDS, no waiting, the same run every time.

    SourceFrame -> OnboardPipeline -> Pacer -> LinkPipe -> GroundPipeline -> FrameResult
                          ^------------------- LinkPipe <-- feedback ---------+

Time is that at which the frames are played, long gaps cut short. Computing takes no virtual time,
so a run does not depend on the machine; what it took is measured and added to the latencies that
are reported.
"""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from sc2_ros.codec.wire import parse
from sc2_ros.ground.config import FrameResult, GroundConfig, GroundStats
from sc2_ros.link.pacer import Pacer
from sc2_ros.link.sim.emulator import LinkModel, LinkPipe
from sc2_ros.link.sim.spec import LinkSpec
from sc2_ros.media.frames import SourceFrame
from sc2_ros.onboard.pipeline import CameraFrame, OnboardStats

TICK_S = 0.01
"""How often the ground looks at its clock between packets."""
CAPACITY_S = 0.1
"""Seconds between two entries of the link's capacity."""
LONGEST_INTERVAL_S = 0.1
"""Packets of a slow camera are not spread over more than this (as in the onboard node)."""

LONGEST_GAP_S = 60.0
"""A longer gap between stamps is cut to this: the clock was set, nobody flew for 50 years."""


class Listener(Protocol):
    """Receives the events of a run in order; times are virtual seconds since the first frame."""

    def camera(self, frame: SourceFrame, time_s: float) -> None:
        """The camera took a frame."""

    def sent(self, packet: bytes, time_s: float) -> None:
        """A packet left the drone."""

    def delivered(self, packet: bytes, time_s: float) -> None:
        """A packet reached the ground."""

    def result(self, result: FrameResult, time_s: float, latency_ms: float) -> None:
        """The ground is done with a frame, `latency_ms` after its capture, computing included."""

    def capacity(self, bits_per_s: float, time_s: float) -> None:
        """What the link carries at that time."""


class Drone(Protocol):
    """What sends: `OnboardPipeline`, or another codec with its methods."""

    @property
    def stats(self) -> OnboardStats:
        """Counters, and the milliseconds of the last frame's stages."""

    def process(self, frame: CameraFrame, now_s: float) -> list[bytes]:
        """One picture to its packets."""

    def on_sent(self, packet: bytes, now_s: float) -> None:
        """A packet has left."""

    def on_feedback(self, data: bytes, now_s: float) -> None:
        """The station's answer has come."""


class Station(Protocol):
    """What receives: `GroundPipeline`, or another codec with its methods."""

    @property
    def config(self) -> GroundConfig:
        """How long it waits for a frame's packets, among others."""

    @property
    def stats(self) -> GroundStats:
        """Counters, and the milliseconds of the last frame's stages."""

    def receive(self, data: bytes, now_s: float) -> list[FrameResult]:
        """One packet; the results that it completes."""

    def poll(self, now_s: float) -> list[FrameResult]:
        """The results of frames that need not be waited for any more."""

    def feedback(self, now_s: float) -> list[bytes]:
        """What is to go back to the drone now."""


class VirtualRun:
    """Both pipelines with a link between them.

    The way back has the link's delay, jitter and loss but no limit: feedback is a few bytes.
    """

    def __init__(
        self,
        onboard: Drone,
        ground: Station,
        link: LinkSpec,
        listener: Listener,
        seed: int = 0,
    ) -> None:
        self._onboard, self._ground, self._listener = onboard, ground, listener
        self._up = LinkPipe(LinkModel(link, seed))
        self._down = LinkPipe(LinkModel(replace(link, rate_bps=math.inf, trace=None), seed + 1))
        self._pacer = Pacer[bytes]()
        self._tick_s = 0.0
        self._capacity_s = 0.0
        self._captures: dict[tuple[int, int], tuple[float, float]] = {}
        """Stream and frame number -> (time of capture in s, computing on board in ms)."""
        self.now_s = 0.0

    def run(self, frames: Iterable[SourceFrame], seconds: float = math.inf) -> float:
        """Send frames until they end or `seconds` are over, and wait for the last results.

        Returns:
            Virtual seconds from the first frame to one frame interval after the last one.
        """
        last_ns: int | None = None
        now_ns = 0
        captured_s, interval_s = 0.0, LONGEST_INTERVAL_S
        for frame in frames:
            gap_ns = 0 if last_ns is None else frame.time_ns - last_ns
            last_ns = frame.time_ns
            now_ns += min(gap_ns, round(LONGEST_GAP_S * 1e9))
            now_s = now_ns / 1e9
            if now_s >= seconds:
                break
            if now_s > captured_s:
                interval_s = now_s - captured_s
            captured_s = now_s
            self._advance(now_s)
            self._capture(frame, now_s, min(interval_s, LONGEST_INTERVAL_S))
        if last_ns is None:
            return 0.0
        self._drain(captured_s + interval_s)
        return captured_s + interval_s

    def _capture(self, frame: SourceFrame, now_s: float, interval_s: float) -> None:
        self._listener.camera(frame, now_s)
        picture = CameraFrame(frame.image, frame.stamp_ns, frame.frame_id)
        packets = self._onboard.process(picture, now_s)
        if packets:
            computing_ms = sum(self._onboard.stats.stage_ms.values())
            header = parse(packets[-1]).header  # stamps may repeat
            self._captures[header.stream, header.frame] = now_s, computing_ms
        self._pacer.push(packets, now_s, interval_s)
        self._send(now_s)

    def _drain(self, now_s: float) -> None:
        """Let everything arrive that is under way, and the ground give up on the rest."""
        self._advance(now_s)
        while self._pacer.next_s is not None or self._up.next_s is not None:
            self._advance(min(self._times()))
        self._advance(self.now_s + self._ground.config.frame_timeout_s + 2 * TICK_S)

    def _times(self) -> list[float]:
        """When something happens next."""
        times = [self._pacer.next_s, self._up.next_s, self._down.next_s]
        return [self._tick_s, *(time_s for time_s in times if time_s is not None)]

    def _advance(self, until_s: float) -> None:
        """Play what happens up to a time."""
        while (time_s := min(self._times())) <= until_s:
            self.now_s = max(time_s, self.now_s)
            self._send(self.now_s)
            for arrival_s, packet in self._up.pop(self.now_s):
                self._listener.delivered(packet, arrival_s)
                self._show(self._ground.receive(packet, arrival_s), arrival_s)
            for arrival_s, packet in self._down.pop(self.now_s):
                self._onboard.on_feedback(packet, arrival_s)
            if self._tick_s <= self.now_s:
                self._tick(self.now_s)
        self.now_s = max(until_s, self.now_s)

    def _tick(self, now_s: float) -> None:
        self._tick_s = now_s + TICK_S
        self._show(self._ground.poll(now_s), now_s)
        for packet in self._ground.feedback(now_s):
            self._down.push(packet, now_s)
        if self._capacity_s <= now_s:
            self._listener.capacity(self._up.model.capacity_bps(now_s), now_s)
            self._capacity_s = now_s + CAPACITY_S

    def _send(self, now_s: float) -> None:
        for packet in self._pacer.pop(now_s):
            self._listener.sent(packet, now_s)
            self._onboard.on_sent(packet, now_s)
            self._up.push(packet, now_s)

    def _show(self, results: list[FrameResult], now_s: float) -> None:
        for result in results:
            number = result.stream, result.frame
            captured_s, computing_ms = self._captures.pop(number, (now_s, 0.0))
            computing_ms += sum(self._ground.stats.stage_ms.values())
            self._listener.result(result, now_s, (now_s - captured_s) * 1e3 + computing_ms)
