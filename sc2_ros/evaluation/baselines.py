# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The same network without our codec, on images as an image codec gives them back."""

from __future__ import annotations

import torch

from sc2_ros import imaging
from sc2_ros.checkpoint import Checkpoint
from sc2_ros.evaluation.image_codecs import ImageCodec
from sc2_ros.evaluation.stream import MAX_DETECTIONS, SCORE_THRESHOLD
from sc2_ros.evaluation.sweep import Outcome
from sc2_ros.network.decode import decode_detections
from sc2_ros.network.heads import CELL
from sc2_ros.training.datasets import Sample


class ImageSystem:
    """Sends the image instead of features.

    ::

        image -> codec -> file -> codec -> image -> encoder -> latent (not quantised) -> ground

    Bytes are the file's alone: packet headers would add 2 % at most, and they are left out in the
    baseline's favour. It is never lossy, since a file with a hole is no image.
    """

    rate_index = None
    loss = 0.0

    def __init__(
        self, checkpoint: Checkpoint, codec: ImageCodec, *, mask: bool = True, device: str = "cpu"
    ) -> None:
        """mask: wanted or not."""
        self.name = codec.name
        self.detection_classes = tuple(checkpoint.card["detection_classes"])
        self.mask_classes = tuple(checkpoint.card["mask_classes"])
        self._codec, self._mask, self._device = codec, mask, device
        self._encoder = checkpoint.encoder.to(device)
        self._ground = checkpoint.ground.to(device)

    @torch.inference_mode()
    def run(self, sample: Sample) -> Outcome:
        """Encode, decode, look."""
        data = self._codec.encode(sample.image)
        image = self._codec.decode(data)
        height, width = image.shape[:2]
        latent = self._encoder(imaging.to_tensor(image, self._device)).float()
        received = latent.new_ones(1, 1, *latent.shape[2:])
        maps = self._ground(latent, received, mask=self._mask, preview=False)
        found = decode_detections(
            maps["heatmap"][0],
            maps["box"][0],
            size=(width, height),
            score_threshold=SCORE_THRESHOLD,
            max_detections=MAX_DETECTIONS,
        )
        mask = None
        if self._mask:
            classes = maps["mask"][0].argmax(0)[: -(-height // CELL), : -(-width // CELL)]
            mask = classes.byte().cpu().numpy()
        return Outcome(
            len(data),
            found.boxes.cpu().numpy(),
            found.scores.cpu().numpy(),
            found.labels.cpu().numpy(),
            mask,
        )
