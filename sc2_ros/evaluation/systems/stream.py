# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our own system under test: real packets through both pipelines."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.codec import wire
from sc2_ros.errors import PacketError
from sc2_ros.evaluation.systems.image_network import MAX_DETECTIONS, SCORE_THRESHOLD
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.ground.pipeline import GroundConfig, GroundPipeline
from sc2_ros.onboard.pipeline import CameraFrame, OnboardConfig, OnboardPipeline

_FRAME_INTERVAL_S = 1 / 30
_FRAME_TIMEOUT_S = 0.02


class StreamSystem:
    """Encodes at a fixed rate index; the ground decodes what arrives.

    Time is virtual, 30 frames a second; the ground knows it from the packets' capture times alone.
    """

    name = "sc2_ros"
    image_classes: tuple[str, ...] = ()

    def __init__(
        self, checkpoint: Checkpoint, rate_index: float, *, mask: bool = True, device: str = "cpu"
    ) -> None:
        """mask: wanted or not."""
        self.rate_index = rate_index
        self.setting = f"{rate_index:g}"
        self.detection_classes = tuple(checkpoint.card["detection_classes"])
        self.mask_classes = tuple(checkpoint.card["mask_classes"])
        self._onboard = OnboardPipeline(
            checkpoint, OnboardConfig(rate_mode="fixed", rate_index=rate_index, device=device)
        )
        self._ground = GroundPipeline(
            checkpoint,
            GroundConfig(
                score_threshold=SCORE_THRESHOLD,
                max_detections=MAX_DETECTIONS,
                mask=mask,
                preview=False,
                frame_timeout_s=_FRAME_TIMEOUT_S,
                device=device,
            ),
        )
        self._frames = 0
        self._times = wire.CaptureTimes()

    def encode(self, image: NDArray[np.uint8]) -> list[bytes]:
        """One image as the next frame of the stream; stream info packets are among the packets."""
        self._frames += 1
        now_s = self._frames * _FRAME_INTERVAL_S
        return self._onboard.process(CameraFrame(image, round(now_s * 1e9), "camera"), now_s)

    def payload_bytes(self, packet: bytes) -> int:
        """Entropy-coded bytes in a packet."""
        return wire.coded_bytes(wire.parse(packet))

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """What arrived of one frame, holes concealed; nothing where no slice arrived."""
        results = []
        now_s = 0.0
        for packet in packets:
            with contextlib.suppress(PacketError):  # the ground counts it
                header = self._times.resolve(wire.parse(packet))
                if header is not None:
                    now_s = header.capture_time_ns / 1e9
            results += self._ground.receive(packet, now_s)
        results += self._ground.poll(now_s + 1.2 * _FRAME_TIMEOUT_S)
        if not results:
            return Outputs()
        newest = results[-1]
        return Outputs(newest.boxes, newest.scores, newest.labels, newest.mask)
