# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A split network under test: strings in real packets, answers from the packets alone.

::

    image -> pad to 32 -> encoder, prior -> strings -> packets | packets -> strings -> prior,
    decoder -> features -> stages, head -> boxes, mask or category
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.codec.wire import Geometry
from sc2_ros.errors import PacketError, ParameterError
from sc2_ros.evaluation.systems import chunks
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.network import imaging
from sc2_ros.network.decode import decode_detections
from sc2_ros.network.heads import CELL
from sc2_ros.split import checkpoint as split_checkpoint
from sc2_ros.split import feature_image
from sc2_ros.split.bottleneck import Bottleneck
from sc2_ros.split.checkpoint import SplitCheckpoint
from sc2_ros.split.fcos import Fcos
from sc2_ros.split.heads import TaskNetwork
from sc2_ros.split.network import SplitNetwork

MULTIPLE = 32
"""Both sides of the networks' input are multiples of it: the stride of torchvision's backbones."""
SCORE_THRESHOLD = 0.01
MAX_DETECTIONS = 300


class SplitSystem:
    """One checkpoint as a PacketSystem; a teacher sends its image as lossless WebP."""

    loss = 0.0
    rate_index = None

    def __init__(
        self,
        checkpoint: SplitCheckpoint,
        *,
        picture: tuple[str, int] | None = None,
        features: tuple[str, int, int] | None = None,
        setting: str = "",
    ) -> None:
        """What a teacher gets: its image as `picture` says, or features.

        Args:
            checkpoint: of a student, or of a teacher.
            picture: codec and quality by which a teacher gets its image, as ("jpeg", 30).
            features: the same and a split, as ("jpeg", 30, 1): the teacher's first stages fly.
            setting: for tables; else what the card says.
        """
        card, network = checkpoint.card, checkpoint.network
        classes = tuple(card["classes"])
        self.task = card["task"]
        self.detection_classes = classes if self.task == "detection" else ()
        self.mask_classes = classes if self.task == "segmentation" else ()
        self.image_classes = classes if self.task == "classification" else ()
        self.ground: TaskNetwork
        if isinstance(network, Fcos):
            raise ParameterError(
                f"{checkpoint.path} is a stock detector, which looks at images: name them, as in "
                "--baselines uncompressed,jpeg:30"
            )
        if isinstance(network, SplitNetwork):
            self.bottleneck, self.ground = network.bottleneck, network.ground
            self.name = card["recipe"]
        else:
            codec, quality, split = features or (*(picture or ("lossless", 0)), 0)
            self.bottleneck = feature_image.build(network.backbone, codec, quality, split).eval()
            self.ground = network
            self.name = "teacher"
            if picture or features:
                self.name = f"feature-{codec}" if features else codec
                setting = setting or str(quality)
        self.setting = setting or str(card.get("setting", ""))
        self.frames_failed = 0
        self.id, self.card = checkpoint.id, card
        self._device = next(self.ground.parameters()).device
        self.bottleneck.to(self._device)

    @classmethod
    def load(cls, path: str | Path, device: str = "cpu") -> SplitSystem:
        """From a file. Raises CheckpointError."""
        return cls(split_checkpoint.load(path, device))

    def encode(
        self,
        image: NDArray[np.uint8],
        *,
        stream: int = 0,
        frame: int = 0,
        capture_time_ns: int = 0,
    ) -> list[bytes]:
        """See PacketSystem; nothing of the ground network is used. The rest is for the header."""
        imaging.check_image(image)
        image = as_seen(image, self.card)
        height, width = image.shape[:2]
        strings = self.bottleneck.compress(self._padded(image))
        size = (width, height)
        return chunks.split(
            chunks.pack_strings(strings),
            Geometry(size, size),
            checkpoint_id=self.id,
            stream=stream,
            frame=frame,
            capture_time_ns=capture_time_ns,
        )

    def decode(self, packets: Sequence[bytes]) -> Outputs:
        """See PacketSystem; the encoder is not used. A damaged or incomplete frame is counted."""
        try:
            return self.read(packets)
        except PacketError:
            self.frames_failed += 1
            return Outputs()

    @torch.inference_mode()
    def read(self, packets: Sequence[bytes]) -> Outputs:
        """Packets of a frame -> answers. Raises PacketError where they are damaged or forged."""
        payload, geometry = chunks.join(packets, self.id)
        strings = chunks.unpack_strings(payload, self.bottleneck.prior.strings)
        width, height = geometry.encoded_size
        size = (height + -height % MULTIPLE, width + -width % MULTIPLE)
        features = self.bottleneck.decompress(strings, size).to(self._device)
        return answers(self.ground, features, self.bottleneck.split, (width, height))

    def _padded(self, image: NDArray[np.uint8]) -> Tensor:
        """Uint8 image -> (1, 3, H', W') in [0, 1], edges repeated."""
        tensor = imaging.to_tensor(image, self._device)
        below, right = -tensor.shape[2] % MULTIPLE, -tensor.shape[3] % MULTIPLE
        return F.pad(tensor, (0, right, 0, below), mode="replicate")


def as_seen(image: NDArray[np.uint8], card: dict[str, Any]) -> NDArray[np.uint8]:
    """A classifier's image at the side that it was trained at; other tasks' as it is."""
    if card["task"] != "classification":
        return image
    side = int(card["crop"])
    return cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR).astype(np.uint8)


def answers(ground: TaskNetwork, features: Tensor, split: int, size: tuple[int, int]) -> Outputs:
    """Features (1, C, h, w) behind `split` stages of an image of (width, height) -> answers."""
    found = ground.behind(features, split)
    if ground.task == "classification":
        return Outputs(category=int(cast(Tensor, found["logits"])[0].argmax()))
    if ground.task == "segmentation":
        width, height = size
        classes = cast(Tensor, found["mask"])[0].argmax(0)
        mask = classes[: -(-height // CELL), : -(-width // CELL)].byte().cpu().numpy()
        return Outputs(mask=mask)
    boxes = decode_detections(
        cast(Tensor, found["heatmap"])[0],
        cast(Tensor, found["box"])[0],
        size=size,
        score_threshold=SCORE_THRESHOLD,
        max_detections=MAX_DETECTIONS,
    )
    return Outputs(
        boxes.boxes.cpu().numpy(), boxes.scores.cpu().numpy(), boxes.labels.cpu().numpy()
    )


def parts_on_board(bottleneck: Bottleneck) -> nn.Module:
    """What flies: the encoder, and of the prior what codes."""
    return nn.ModuleList([bottleneck.encoder, bottleneck.prior])
