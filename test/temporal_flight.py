# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A drone that predicts its frames, and the stations that hear it."""

from collections import deque

import numpy as np

from sc2_ros.codec import wire
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline


class Scene:
    """A picture that changes a little from frame to frame, and wholly at a cut."""

    def __init__(self, seed=0):
        self._rng = np.random.default_rng(seed)
        self.cut()

    def cut(self):
        coarse = self._rng.integers(0, 255, (10, 12, 3)).astype(np.uint8)
        self._base = coarse.repeat(8, 0).repeat(8, 1)

    def frame(self, number):
        noise = self._rng.integers(-2, 3, self._base.shape)
        picture = np.clip(self._base.astype(int) + noise, 0, 255).astype(np.uint8)
        return CameraFrame(picture, number * 100_000_000, "camera")


class Flight:
    """A drone and its stations; time passes 0.1 s per frame, feedback takes `delay` frames."""

    def __init__(self, checkpoint, stations=1, delay=1, **config):
        values = {"rate_mode": "fixed", "rate_index": 0.5, **config}
        self.onboard = OnboardPipeline(checkpoint, OnboardConfig(**values))
        self.stations = [GroundPipeline(checkpoint, GroundConfig()) for _ in range(stations)]
        self.checkpoint = checkpoint
        self.scene = Scene()
        self.now_s = 0.0
        self.number = 0
        self.packets = []
        self.under_way = deque([[]] * (delay - 1))

    def step(self, lose=None, lose_feedback=None):
        """Send a frame; the features packets and, per station, the frames that came."""
        packets = self.onboard.process(self.scene.frame(self.number), self.now_s)
        self.number += 1
        self.packets.append(packets)
        shown = []
        for station in self.stations:
            frames = []
            for packet in packets:
                if not (lose and lose()):
                    frames += station.accept(packet, self.now_s + 0.01)
            for ready in frames:
                ready.stream.enter_shown(ready.frame, ready.log)
            shown.append(frames)
        for packet in packets:
            self.onboard.on_sent(packet, self.now_s)
        self.now_s += 0.1
        news = [p for station in self.stations for p in station.feedback(self.now_s - 0.04)]
        self.under_way.append(news)
        for packet in self.under_way.popleft():
            if not (lose_feedback and lose_feedback()):
                self.onboard.on_feedback(packet, self.now_s - 0.02)
        parsed = [wire.parse(packet) for packet in packets]
        return [p for p in parsed if p.header.type is wire.PacketType.FEATURES], shown

    def sent(self, number):
        """The drone's own record of a frame."""
        return self.onboard._keeper._references.get(number)


def distances(packets):
    """How many frames before theirs the references of features packets are; 0 of keyframes."""
    return [packet.head.distance if packet.head else 0 for packet in packets]


def held(station):
    return station._streams[0].references
