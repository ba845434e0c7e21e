# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone and a ground station in simulated time, and a stranger who puts packets between them."""

import heapq
import itertools
from functools import cache

from predicting import shipped

from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.link.feedback import parse_feedback
from sc2_ros.media.flight import SyntheticFlight
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

EPOCH_NS = 1_700_000_000_000_000_000
STEP_S = 0.01


@cache
def images():
    flight = SyntheticFlight(0, width=128, height=96)
    return [flight.frame(3 * number).image for number in range(6)]


class Flight:
    """Both pipelines at 10 frames a second over a link of 20 ms; nothing is lost by itself.

    `results` are (time, frame's stamp, frame_id, source size) of frames as they would be shown.
    """

    def __init__(self, mode="auto", fps=10, delay_s=0.02):
        self.onboard = OnboardPipeline(shipped(), OnboardConfig(rate_mode=mode, rate_index=0.2))
        self.ground = GroundPipeline(shipped(), GroundConfig())
        self.now_s = 100.0
        self.down, self.up = [], []
        """Genuine packets and reports so far."""
        self.sent = {}
        """Bytes of each frame that was sent, by time."""
        self.stamps = set()
        self.results = []
        self._frame_s, self._fps, self._delay_s = self.now_s, fps, delay_s
        self._count = 0
        self._under_way = []
        self._order = itertools.count()

    def fly(self, seconds):
        """Let time pass."""
        end_s = self.now_s + seconds
        while self.now_s < end_s - 1e-9:
            self.now_s += STEP_S
            if self.now_s >= self._frame_s - 1e-9:
                self._frame_s += 1 / self._fps
                self._take_picture()
            self._deliver()
            self._show(self.ground.expire(self.now_s))
            for report in self.ground.feedback(self.now_s):
                self.up.append(report)
                self._send(self.onboard.on_feedback, report)

    def to_ground(self, packet):
        """A stranger's packet arrives at the ground now."""
        self._show(self.ground.accept(packet, self.now_s))

    def to_drone(self, packet):
        """A stranger's packet arrives at the drone now."""
        self.onboard.on_feedback(packet, self.now_s)

    def longest_gap_s(self, since_s):
        """The longest time without a genuine result since then, the time until now included."""
        times = [time_s for time_s, stamp, *_ in self.results if stamp in self.stamps]
        times = [since_s, *(time_s for time_s in times if time_s >= since_s), self.now_s]
        return max(later - sooner for sooner, later in itertools.pairwise(times))

    def newest(self, kind=wire.PacketType.FEATURES, complete=True):
        """The last genuine packet of that type, parsed."""
        form = wire.Packet if complete else wire.PredictedPacket
        for packet in reversed(self.down):
            parsed = wire.parse(packet)
            if parsed.header.type is kind and isinstance(parsed, form):
                return parsed
        raise LookupError(kind)

    def report(self):
        """The last genuine report: its header and what it says."""
        packet = wire.parse(self.up[-1])
        return packet.header, parse_feedback(packet.payload)

    def bytes_per_frame(self, since_s):
        """Mean of the frames that were sent since then."""
        sizes = [size for time_s, size in self.sent.items() if time_s >= since_s]
        return sum(sizes) / max(len(sizes), 1)

    def _take_picture(self):
        self._count += 1
        stamp_ns = EPOCH_NS + round(self.now_s * 1e9)
        image = images()[self._count % len(images())]
        packets = self.onboard.process(CameraFrame(image, stamp_ns, "cam"), self.now_s)
        if packets:
            self.stamps.add(stamp_ns)
            self.sent[self.now_s] = sum(map(len, packets))
        for packet in packets:
            self.down.append(packet)
            self.onboard.on_sent(packet, self.now_s)
            self._send(self._arrive, packet)

    def _arrive(self, packet, now_s):
        self._show(self.ground.accept(packet, now_s))

    def _send(self, call, packet):
        item = (self.now_s + self._delay_s, next(self._order), call, packet)
        heapq.heappush(self._under_way, item)

    def _deliver(self):
        while self._under_way and self._under_way[0][0] <= self.now_s + 1e-9:
            when_s, _, call, packet = heapq.heappop(self._under_way)
            call(packet, when_s)

    def _show(self, ready):
        for one in ready:
            frame = one.frame
            self.results.append(
                (self.now_s, frame.header.capture_time_ns, one.stream.frame_id, frame.source_size)
            )
