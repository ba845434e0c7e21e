# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Drones, links and a ground station in virtual time, without networks or codec.

    camera -> RateController -> Pacer -> LinkModel -> ReceiverLog -> LinkModel -> RateController

Everything but the content is the code that flies: controller, pacer, receiver log, the wire format
of feedback, and the model of the link.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, NamedTuple

from sc2_ros.link.feedback import parse_feedback
from sc2_ros.link.pacer import Pacer
from sc2_ros.link.rate import RATE_CODES, RateController
from sc2_ros.link.receiver_log import ReceiverLog
from sc2_ros.link.sim.content import SLICE_BYTES, Content
from sc2_ros.link.sim.emulator import LinkModel

FEEDBACK_HZ = 15.0
FRAME_TIMEOUT_S = 0.25
GROUND_S = 0.02
"""The network's time on the ground; of frames that come meanwhile only the newest is shown."""
LONGEST_INTERVAL_S = 0.1
"""As in the nodes: packets of a slow camera are not spread over more than this."""


class SentRecord(NamedTuple):
    """A packet at the bottleneck: when, its bytes, how long it waited, whether it was dropped."""

    time_s: float
    size_bytes: int
    wait_s: float
    dropped: bool


class FrameRecord(NamedTuple):
    """A frame at the ground: capture and result times, bytes, share of its slices that came.

    ``shown_s`` is when the network was done with it; infinite if a newer frame took its place.
    """

    captured_s: float
    result_s: float
    size_bytes: int
    share: float
    shown_s: float = math.inf


@dataclass
class FlowLog:
    """What happened to one drone's stream."""

    frames_taken: int = 0
    frames_sent: int = 0
    packets: list[SentRecord] = field(default_factory=list)
    frames: list[FrameRecord] = field(default_factory=list)
    targets: list[tuple[float, float, float]] = field(default_factory=list)
    """(time, target bit/s, queueing delay as estimated), where the controller tells them."""


class Simulation:
    """A clock, its events, and the two directions of the link that all flows share."""

    def __init__(self, up: LinkModel, down: LinkModel) -> None:
        self.up, self.down = up, down
        self.now_s = 0.0
        self._events: list[tuple[float, int, Callable[[Any], None], Any]] = []
        self._count = 0

    def at(self, time_s: float, action: Callable[[Any], None], subject: Any = None) -> None:
        """Do something to a subject at a time, at once if it is past."""
        if time_s < self.now_s:
            time_s = self.now_s
        heappush(self._events, (time_s, self._count, action, subject))
        self._count += 1

    def run(self, seconds: float) -> None:
        """Play the events of so many seconds."""
        events = self._events
        while events and events[0][0] <= seconds:
            self.now_s, _, action, subject = heappop(events)
            action(subject)
        self.now_s = seconds


class _Packet(NamedTuple):
    frame: int
    slice_number: int
    expected: int
    size_bytes: int


@dataclass(slots=True)
class _OpenFrame:
    captured_s: float
    size_bytes: int
    expected: int
    slices: set[int] = field(default_factory=set)


class Drone:
    """One camera stream with its controller, and its half of the ground station."""

    def __init__(
        self,
        simulation: Simulation,
        rate: RateController,
        content: Content,
        *,
        fps: float = 30.0,
        start_s: float = 0.0,
        stop_s: float = math.inf,
        feedback_hz: float = FEEDBACK_HZ,
        ground_s: float = GROUND_S,
        on_feedback: Callable[[float], tuple[float, float] | None] | None = None,
    ) -> None:
        self.log = FlowLog()
        self._simulation, self._rate, self._content = simulation, rate, content
        self._interval_s, self._stop_s = 1 / fps, stop_s
        self._feedback_s = 1 / feedback_hz
        self._ground_s = ground_s
        self._look = on_feedback
        self._pacer = Pacer[_Packet]()
        self._received = ReceiverLog(1)
        self._open: dict[int, _OpenFrame] = {}
        self._waiting = -1
        self._free_s = -math.inf
        self._frame = 0
        self._last_s: float | None = None
        simulation.at(start_s, self._camera)
        simulation.at(start_s + 0.013, self._report)

    def _camera(self, _: None = None) -> None:
        now_s = self._simulation.now_s
        if now_s >= self._stop_s:
            return
        self._simulation.at(now_s + self._interval_s, self._camera)
        self.log.frames_taken += 1
        decision = self._rate.allowance(now_s)
        number = self.log.frames_taken
        code = decision.code
        if decision.budget_bytes is not None:
            high = RATE_CODES if code is None else code
            code = self._content.highest_code(number, decision.budget_bytes, decision.low, high)
        if code is None:
            return
        size_bytes = self._content.price(number, code)
        self._rate.on_sent(size_bytes, now_s)
        frame, self._frame = self._frame, (self._frame + 1) & 0xFFFF
        count = max(1, -(-size_bytes // SLICE_BYTES))
        packets = [
            _Packet(
                frame, part, count, size_bytes * (part + 1) // count - size_bytes * part // count
            )
            for part in range(count)
        ]
        self._open[frame] = _OpenFrame(now_s, size_bytes, count)
        self.log.frames_sent += 1
        interval_s = LONGEST_INTERVAL_S if self._last_s is None else now_s - self._last_s
        self._last_s = now_s
        self._pacer.push(packets, now_s, min(interval_s, LONGEST_INTERVAL_S))
        self._send()

    def _send(self, _: None = None) -> None:
        simulation, up = self._simulation, self._simulation.up
        now_s = simulation.now_s
        for packet in self._pacer.pop(now_s):
            size_bytes = packet.size_bytes
            self._rate.on_packet(packet.frame, packet.slice_number, size_bytes, now_s)
            before = up.packets_dropped
            arrivals = up.send(size_bytes, now_s)
            dropped = up.packets_dropped > before
            wait_s = 0.0 if dropped else up.wait_s
            self.log.packets.append(SentRecord(now_s, size_bytes, wait_s, dropped))
            for arrival_s in arrivals:
                simulation.at(arrival_s, self._arrive, packet)
        due_s = self._pacer.next_s
        if due_s is not None:
            simulation.at(due_s, self._send)

    def _arrive(self, packet: _Packet) -> None:
        now_s = self._simulation.now_s
        self._received.on_packet(
            packet.frame, packet.slice_number, packet.expected, packet.size_bytes, now_s
        )
        frame = self._open.get(packet.frame)
        if frame is None:
            return
        if not frame.slices:
            self._simulation.at(now_s + FRAME_TIMEOUT_S, self._finish, packet.frame)
        frame.slices.add(packet.slice_number)
        if len(frame.slices) == frame.expected:
            for number in list(self._open):  # in the order in which they were taken
                self._finish(number)
                if number == packet.frame:
                    break

    def _finish(self, number: int) -> None:
        """The ground decodes what has come of a frame."""
        frame = self._open.pop(number, None)
        if frame is None or not frame.slices:
            return
        share = len(frame.slices) / frame.expected
        if share == 1:
            self._received.on_decoded()
        now_s = self._simulation.now_s
        number = len(self.log.frames)
        self.log.frames.append(FrameRecord(frame.captured_s, now_s, frame.size_bytes, share))
        if self._waiting < 0 and now_s < self._free_s:
            self._simulation.at(self._free_s, self._show)
        self._waiting = number
        if now_s >= self._free_s:
            self._show()

    def _show(self, _: None = None) -> None:
        """The network takes the newest frame that waits, as the ground node's worker does."""
        number, self._waiting = self._waiting, -1
        if number < 0:
            return  # taken as it came, at the very moment when the network got free
        self._free_s = self._simulation.now_s + self._ground_s
        self.log.frames[number] = self.log.frames[number]._replace(shown_s=self._free_s)

    def _report(self, _: None) -> None:
        simulation, now_s = self._simulation, self._simulation.now_s
        simulation.at(now_s + self._feedback_s, self._report)
        payload = self._received.build(now_s)
        if payload is None:
            return
        for arrival_s in simulation.down.send(24 + len(payload), now_s):
            simulation.at(arrival_s, self._hear, payload)

    def _hear(self, payload: bytes) -> None:
        now_s = self._simulation.now_s
        self._rate.on_feedback(parse_feedback(payload), now_s)
        seen = self._look(now_s) if self._look else None
        if seen is not None:
            self.log.targets.append((now_s, *seen))


class TcpFlow:
    """A long download by the rules of TCP Reno (RFC 5681): what fills a queue and shares a link."""

    SEGMENT_BYTES = 1200

    def __init__(
        self,
        simulation: Simulation,
        *,
        start_s: float = 0.0,
        stop_s: float = math.inf,
        uplink: bool = True,
    ) -> None:
        self._simulation = simulation
        self.is_uplink = uplink
        self._there = simulation.up if uplink else simulation.down
        self._delay_s = (simulation.down if uplink else simulation.up).spec.delay_s
        self._window, self._threshold = 10.0, math.inf
        self._in_flight = 0
        self._recovered_s = -math.inf
        self._rtt_s = 2 * self._delay_s + 0.02
        self._stop_s = stop_s
        self.sent: list[tuple[float, int]] = []
        simulation.at(start_s, self._fill)

    def _fill(self, _: None = None) -> None:
        now_s = self._simulation.now_s
        while self._in_flight < self._window and now_s < self._stop_s:
            self._in_flight += 1
            arrivals = self._there.send(self.SEGMENT_BYTES, now_s)
            if arrivals:
                self.sent.append((arrivals[0], self.SEGMENT_BYTES))
                self._simulation.at(arrivals[0] + self._delay_s, self._acknowledged, now_s)
            else:
                self._simulation.at(now_s + self._rtt_s, self._missed, now_s)

    def _acknowledged(self, sent_s: float) -> None:
        self._in_flight -= 1
        self._rtt_s += 0.125 * (self._simulation.now_s - sent_s - self._rtt_s)
        self._window += 1.0 if self._window < self._threshold else 1.0 / self._window
        self._fill()

    def _missed(self, sent_s: float) -> None:
        """Three later acknowledgements would have come by now."""
        self._in_flight -= 1
        if sent_s > self._recovered_s:
            self._recovered_s = self._simulation.now_s
            self._threshold = self._window = max(2.0, self._window / 2)
        self._fill()


def merged(logs: Sequence[FlowLog]) -> list[SentRecord]:
    """The packets of all streams in order of time."""
    return sorted((record for log in logs for record in log.packets), key=lambda r: r.time_s)
