# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the network finds on the uncompressed frames of a clip, as the truth for what is sent.

    frames -> encoder -> latent, not quantised -> ground network -> detections

What it finds depends a little on where its grid of 16 x 16 pixels lies, which follows a moving
camera's picture (motion.py). So there are two truths: with the grid at the picture's corner, the
same for all systems, and with the grid that the frame was sent on.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.data import Sample
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.network import imaging
from sc2_ros.network.decode import Detections, decode_detections

Image = NDArray[np.uint8]

TRUTH_SCORE = 0.2
LEAST_SCORE = 0.01
MOST_DETECTIONS = 300


class Agreement:
    """The network on uncompressed frames, and AP50 against what it finds there."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint
        self.classes = tuple(checkpoint.card["detection_classes"])

    @torch.inference_mode()
    def detect(self, image: Image, origin: tuple[int, int] = (0, 0)) -> Detections:
        """Detections of the encoder and the network without quantisation, (H, W[, 3]).

        origin: where the picture's corner lies on the grid.
        """
        latent = self._checkpoint.encoder(imaging.to_tensor(image, origin=origin))
        received = torch.ones(1, 1, *latent.shape[2:])
        output = self._checkpoint.ground(latent, received, mask=False, preview=False)
        height, width = image.shape[:2]
        left, above = origin
        found = decode_detections(
            output["heatmap"][0],
            output["box"][0],
            size=(left + width, above + height),
            score_threshold=LEAST_SCORE,
            max_detections=MOST_DETECTIONS,
        )
        boxes = (found.boxes - torch.tensor([*origin, *origin])).clamp_(min=0)
        inside = (boxes[:, 2:] > boxes[:, :2]).all(1)
        return Detections(boxes[inside], found.scores[inside], found.labels[inside])

    def ap50(self, truth: Sequence[Sample], found: Sequence[Detections]) -> float | None:
        """Mean AP50 of `found` over the classes of `truth`; None: it is empty."""
        score = DetectionScore(self.classes, self.classes)
        for sample, got in zip(truth, found, strict=True):
            score.add(sample, got.boxes.numpy(), got.scores.numpy(), got.labels.numpy())
        present = [value for value in score.result().ap50.values() if value is not None]
        return sum(present) / len(present) if present else None


class Truths:
    """What the network finds on the uncompressed frames of a clip, as if it were labels."""

    def __init__(self, agreement: Agreement, images: Sequence[Image]) -> None:
        self._agreement = agreement
        self._known: dict[tuple[int, tuple[int, int]], Detections] = {}
        self.images = images

    def found(self, number: int, origin: tuple[int, int] = (0, 0)) -> Detections:
        """What the network finds on a frame whose corner lies there on the grid."""
        if (number, origin) not in self._known:
            self._known[number, origin] = self._agreement.detect(self.images[number], origin)
        return self._known[number, origin]

    def at(self, number: int, origin: tuple[int, int] = (0, 0)) -> Sample:
        """Boxes of TRUTH_SCORE and more of that, as if they were labels."""
        found = self.found(number, origin)
        sure = found.scores >= TRUTH_SCORE
        boxes, labels = found.boxes[sure].numpy(), found.labels[sure].numpy()
        return Sample(self.images[number], "", boxes, labels)
