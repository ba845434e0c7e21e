# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""A network on whole images: what stands behind every baseline, and the ceiling of every table."""

from __future__ import annotations

import copy
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from sc2_ros.checkpoint import Checkpoint
from sc2_ros.errors import ParameterError
from sc2_ros.evaluation.systems.split_system import MULTIPLE, answers, as_seen
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.network import imaging, winograd
from sc2_ros.network.decode import decode_detections
from sc2_ros.network.heads import CELL
from sc2_ros.split.checkpoint import SplitCheckpoint
from sc2_ros.split.fcos import Fcos
from sc2_ros.split.network import SplitNetwork

# AP is the area under the curve of all thresholds, so nothing may be cut off at the ground.
SCORE_THRESHOLD = 0.01
MAX_DETECTIONS = 300


class ImageNetwork(Protocol):
    """Image uint8 (H, W, 3) RGB or (H, W) grey to answers."""

    detection_classes: tuple[str, ...]
    mask_classes: tuple[str, ...]
    image_classes: tuple[str, ...]

    def __call__(self, image: NDArray[np.uint8]) -> Outputs:
        """The answers to one image."""


class WholeNetwork:
    """A checkpoint's two halves in one place, with nothing quantised between them.

    ::

        image -> encoder -> latent -> ground network -> answers
    """

    image_classes: tuple[str, ...] = ()

    def __init__(self, checkpoint: Checkpoint, *, mask: bool = True, device: str = "cpu") -> None:
        """mask: wanted or not."""
        self.detection_classes = tuple(checkpoint.card["detection_classes"])
        self.mask_classes = tuple(checkpoint.card["mask_classes"])
        self._mask, self._device = mask, device
        self._encoder = checkpoint.encoder.to(device)
        self._ground = checkpoint.ground.to(device)
        if winograd.pays(torch.device(device), torch.float32):
            self._ground = winograd.use(copy.deepcopy(self._ground))

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Outputs:
        """Both halves at once."""
        latent = self._encoder(imaging.to_tensor(image, self._device)).float()
        return self.decode(latent, (image.shape[1], image.shape[0]))

    @torch.inference_mode()
    def decode(self, latent: Tensor, size: tuple[int, int]) -> Outputs:
        """The ground's half: latent (1, C, h, w) of an image of size (width, height)."""
        received = latent.new_ones(1, 1, *latent.shape[2:])
        maps = self._ground(latent.to(self._device), received, mask=self._mask, preview=False)
        return outputs(maps, size)


class SplitWholeNetwork:
    """A teacher or a stock detector, which look at whole images."""

    def __init__(self, checkpoint: SplitCheckpoint) -> None:
        """checkpoint: of a network without a bottleneck."""
        if isinstance(checkpoint.network, SplitNetwork):
            raise ParameterError(
                f"{checkpoint.path} has a bottleneck where its network's first stages were, so it "
                "cannot look at images; give the baselines its teacher's checkpoint"
            )
        self._network, self._card = checkpoint.network, checkpoint.card
        classes, task = tuple(checkpoint.card["classes"]), checkpoint.card["task"]
        self.detection_classes = classes if task == "detection" else ()
        self.mask_classes = classes if task == "segmentation" else ()
        self.image_classes = classes if task == "classification" else ()
        self._device = next(checkpoint.network.parameters()).device

    @torch.inference_mode()
    def __call__(self, image: NDArray[np.uint8]) -> Outputs:
        """The answers to one image, its edges repeated to multiples of the backbone's stride."""
        image = as_seen(image, self._card)
        tensor = imaging.to_tensor(image, self._device)
        if isinstance(self._network, Fcos):
            found = self._network(tensor[..., : image.shape[0], : image.shape[1]])[0]
            boxes, scores, labels = (
                found[key].cpu().numpy() for key in ("boxes", "scores", "labels")
            )
            return Outputs(boxes, scores, labels)
        below, right = -tensor.shape[2] % MULTIPLE, -tensor.shape[3] % MULTIPLE
        padded = F.pad(tensor, (0, right, 0, below), mode="replicate")
        return answers(self._network, padded, 0, (image.shape[1], image.shape[0]))


def outputs(maps: dict[str, Tensor], size: tuple[int, int]) -> Outputs:
    """Maps of one image (see GroundNetwork) to answers; size is the image's (width, height)."""
    width, height = size
    found = decode_detections(
        maps["heatmap"][0],
        maps["box"][0],
        size=size,
        score_threshold=SCORE_THRESHOLD,
        max_detections=MAX_DETECTIONS,
    )
    mask = None
    if "mask" in maps:
        classes = maps["mask"][0].argmax(0)[: -(-height // CELL), : -(-width // CELL)]
        mask = classes.byte().cpu().numpy()
    return Outputs(
        found.boxes.cpu().numpy(), found.scores.cpu().numpy(), found.labels.cpu().numpy(), mask
    )
