# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Our own system under test: real packets through both pipelines, some of them lost."""

from __future__ import annotations

import numpy as np

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.evaluation.sweep import Outcome
from sc2_ros.ground import GroundConfig, GroundPipeline
from sc2_ros.onboard import CameraFrame, OnboardConfig, OnboardPipeline
from sc2_ros.training.datasets import Sample

# AP is the area under the curve of all thresholds, so nothing may be cut off at the ground.
SCORE_THRESHOLD = 0.01
MAX_DETECTIONS = 300
_FRAME_INTERVAL_S = 1 / 30
_FRAME_TIMEOUT_S = 0.02


class StreamSystem:
    """Encodes at a fixed rate index, loses packets at random, decodes what is left.

    Bytes are those of all packets that the drone sends, lost ones and stream info included.
    Time is virtual, 30 frames a second.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        rate_index: float,
        *,
        loss: float = 0.0,
        mask: bool = True,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        """loss: probability of each packet to be lost, drawn from the seed; mask: wanted or not."""
        self.name = "sc2_ros"
        self.rate_index, self.loss = rate_index, loss
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
        self._random = np.random.default_rng(seed)
        self._frames = 0

    def run(self, sample: Sample) -> Outcome:
        """Send one image as the next frame of the stream."""
        self._frames += 1
        now_s = self._frames * _FRAME_INTERVAL_S
        stamp_ns = round(now_s * 1e9)
        packets = self._onboard.process(CameraFrame(sample.image, stamp_ns, "camera"), now_s)
        results = []
        for packet in packets:
            if self._random.random() >= self.loss:
                results += self._ground.receive(packet, now_s)
        results += self._ground.poll(now_s + 1.2 * _FRAME_TIMEOUT_S)
        size_bytes = sum(len(packet) for packet in packets)
        for result in results:
            if result.stamp_ns == stamp_ns:
                return Outcome(size_bytes, result.boxes, result.scores, result.labels, result.mask)
        return Outcome(size_bytes)
