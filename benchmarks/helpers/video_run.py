# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Systems that send video, and how far what they deliver agrees with the uncompressed frames.

::

    frames -> system, some packets lost -> detections per frame --+
    frames, not compressed -> detections (video_agreement.py)   --+-> AP50, the latter as the truth

A frame of which nothing can be shown keeps the detections of the one before, as a screen would.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from helpers.video_agreement import (
    LEAST_SCORE,
    MOST_DETECTIONS,
    Agreement,
    Truths,
)
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec.wire import HEADER_BYTES
from sc2_ros.data import Sample
from sc2_ros.errors import InputError
from sc2_ros.evaluation.systems.video_codecs import FfmpegCodec, Kind
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.network.decode import Detections
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

Image = NDArray[np.uint8]

WARM_UP = 6
"""The first frames are intra until one is acknowledged, which takes as many as the oldest age. They
do not count, and nothing of them is lost: a peer that loses its key frame shows nothing."""
PACKET_BYTES = 1176
"""What a packet of 1,200 bytes with a header like ours carries of a peer's frame."""

PEERS = {
    "x264": Kind(
        "libx264",
        "h264",
        51,
        {
            "preset": "veryfast",
            "tune": "zerolatency",
            "qp": "{q}",
            "x264-params": "keyint=250:threads=1",
        },
        predicts=True,
    ),
    "x265": Kind(
        "libx265",
        "hevc",
        51,
        {
            "preset": "veryfast",
            "tune": "zerolatency",
            "x265-params": "qp={q}:keyint=250:log-level=none:info=0:pools=none:frame-threads=1",
        },
        predicts=True,
    ),
    "svt-av1": Kind(
        "libsvtav1",
        "libdav1d",
        63,
        {
            "preset": "10",
            "qp": "{q}",
            "svtav1-params": "rc=0:pred-struct=1:lookahead=0:lp=1:keyint=250:enable-overlays=0",
        },
        predicts=True,
        grey=False,
    ),
}


@dataclass
class Delivery:
    """What came of one frame: bytes sent, detections in its own pixels, times."""

    size_bytes: int
    found: Detections | None
    encode_ms: float
    decode_ms: float
    packed_bytes: int
    """With a header of ours for each packet."""
    origin: tuple[int, int] = (0, 0)


class VideoSystem(Protocol):
    """Sends the frames of a clip, one after the other."""

    name: str
    setting: str

    def send(self, image: Image, *, reliable: bool) -> Delivery:
        """Code, lose and show one frame; if reliable, nothing of it is lost."""
        ...


@dataclass
class OwnSystem:
    """Both pipelines; feedback comes so late that frames are predicted from the `age`-th before."""

    checkpoint: Checkpoint
    rate_index: float
    age: int
    loss: float
    fps: float
    seed: int = 0
    name: str = "sc2"
    setting: str = ""
    ages: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name = "sc2" if self.age else "sc2 intra"
        self.setting = f"{self.rate_index:g}"
        self._onboard = OnboardPipeline(
            self.checkpoint,
            OnboardConfig(
                rate_mode="fixed", rate_index=self.rate_index, rate_temporal=self.age > 0
            ),
        )
        self._ground = GroundPipeline(
            self.checkpoint,
            GroundConfig(
                score_threshold=LEAST_SCORE,
                max_detections=MOST_DETECTIONS,
                mask=False,
                preview=False,
                frame_timeout_s=0.02,
                feedback_hz=2 * self.fps,
            ),
        )
        self._random = np.random.default_rng(self.seed)
        self._under_way: deque[list[bytes]] = deque([[]] * max(self.age - 1, 0))
        self._now_s = 0.0

    def send(self, image: Image, *, reliable: bool) -> Delivery:
        """Packets there, feedback back."""
        loss = 0.0 if reliable else self.loss
        self._now_s += 1 / self.fps
        now_s = self._now_s
        frame = CameraFrame(image, round(now_s * 1e9), "camera")
        start_s = time.process_time()
        packets = self._onboard.process(frame, now_s)
        encode_ms = (time.process_time() - start_s) * 1e3
        self.ages.append(self._onboard.stats.reference_age)
        ready = []
        start_s = time.process_time()
        for packet in packets:
            self._onboard.on_sent(packet, now_s)
            if self._random.random() >= loss:
                ready += self._ground.accept(packet, now_s)
        ready += self._ground.expire(now_s + 0.03)
        decode_ms = (time.process_time() - start_s) * 1e3
        results = [self._ground.show(one) for one in ready]
        self._under_way.append(self._ground.feedback(now_s + 0.04))
        for feedback in self._under_way.popleft():
            if self._random.random() >= loss:
                self._onboard.on_feedback(feedback, now_s + 0.05)
        found, origin = None, (0, 0)
        if results:
            last, origin = results[-1], ready[-1].frame.geometry.origin
            found = Detections(
                *(torch.from_numpy(values) for values in (last.boxes, last.scores, last.labels))
            )
        size_bytes = sum(map(len, packets))
        return Delivery(size_bytes, found, encode_ms, decode_ms, size_bytes, origin)


@dataclass
class PeerSystem:
    """A video encoder; its frames go in packets, and one that is lost takes its frame along.

    Only the encoder's own bytes are counted, none for packets, in the peer's favour; those with a
    header like ours for each packet are told beside them.
    """

    name: str
    quality: int
    loss: float
    agreement: Agreement
    seed: int = 0
    setting: str = ""

    def __post_init__(self) -> None:
        self.setting = str(self.quality)
        self._codec = FfmpegCodec(f"{self.name}:{self.quality}", PEERS[self.name], self.quality)
        self._random = np.random.default_rng(self.seed)

    def send(self, image: Image, *, reliable: bool) -> Delivery:
        """Encode, lose, decode what is left, run the network on it."""
        loss = 0.0 if reliable else self.loss
        start_s = time.process_time()
        data = self._codec.encode(image)
        encode_ms = (time.process_time() - start_s) * 1e3
        packets = -(-len(data) // PACKET_BYTES)
        packed_bytes = len(data) + packets * HEADER_BYTES
        if (self._random.random(packets) < loss).any():
            return Delivery(len(data), None, encode_ms, 0.0, packed_bytes)
        start_s = time.process_time()
        try:
            picture = self._codec.decode(data)
        except (InputError, OSError, ValueError):
            return Delivery(len(data), None, encode_ms, 0.0, packed_bytes)
        decode_ms = (time.process_time() - start_s) * 1e3
        found = self.agreement.detect(picture)
        return Delivery(len(data), found, encode_ms, decode_ms, packed_bytes)


def measure(
    runs: Sequence[VideoSystem], truths: Truths, labels: Sequence[Sample], agreement: Agreement
) -> dict[str, object]:
    """Send a clip with each of some like systems: bytes, times and AP50, without WARM_UP frames.

    labels: what there is on the frames, if known.
    """
    nothing = Detections(torch.zeros(0, 4), torch.zeros(0), torch.zeros(0, dtype=torch.int64))
    counted: list[int] = []
    deliveries: list[Delivery] = []
    found: list[Detections] = []
    origins: list[tuple[int, int]] = []
    first_bytes = 0
    for system in runs:
        last, origin = nothing, (0, 0)
        for number, image in enumerate(truths.images):
            delivery = system.send(image, reliable=number < WARM_UP)
            if delivery.found is not None:
                last, origin = delivery.found, delivery.origin
            first_bytes = first_bytes or delivery.size_bytes
            if number >= WARM_UP:
                counted.append(number)
                deliveries.append(delivery)
                found.append(last)
                origins.append(origin)
    at_corner = [truths.at(number) for number in counted]
    as_sent = [truths.at(*place) for place in zip(counted, origins, strict=True)]
    exact = [truths.found(*place) for place in zip(counted, origins, strict=True)]
    known = [labels[number] for number in counted] if labels else []
    return {
        "bytes_per_frame": float(np.mean([one.size_bytes for one in deliveries])),
        "packed_bytes_per_frame": float(np.mean([one.packed_bytes for one in deliveries])),
        "first_frame_bytes": first_bytes,
        "agreement_ap50": agreement.ap50(at_corner, found),
        "agreement_same_grid_ap50": agreement.ap50(as_sent, found),
        "grid_sent_ap50": agreement.ap50(at_corner, exact),
        "ap50": agreement.ap50(known, found) if known else None,
        "encode_ms": round(median(one.encode_ms for one in deliveries), 2),
        "decode_ms": round(median(one.decode_ms for one in deliveries), 2),
        "frames": len(deliveries),
    }
