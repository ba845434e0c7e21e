# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The network that the sc2_ros recipe trains, and its loss."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.data import MASK_CLASSES
from sc2_ros.errors import ParameterError
from sc2_ros.network.backbone import GroundBackbone
from sc2_ros.network.bottleneck import Bottleneck, drop_patches
from sc2_ros.network.encoder import STRIDE, OnboardEncoder
from sc2_ros.network.heads import PREVIEW_CELL
from sc2_ros.network.model import GroundNetwork
from sc2_ros.training.agreement import agreement_loss
from sc2_ros.training.aligned_loss import aligned_loss
from sc2_ros.training.augment import VOID
from sc2_ros.training.batches import Batch
from sc2_ros.training.detection_loss import detection_loss
from sc2_ros.training.imitation import IMITATED, imitation_loss
from sc2_ros.training.segmentation_loss import segmentation_loss

Answers = Callable[[Tensor], dict[str, Tensor]]
"""Images (B, 3, H, W) -> maps under the names and of the shapes of the ground network's."""


@dataclass(frozen=True)
class LossConfig:
    """Weights of the parts of the loss; lambda per bit and pixel, from rate index 0 to 1.

    distil: of agreement with the teacher, where there is one; imitate: of its features, at rate
    index 1 and less below it, where they would cost more bits than the task does; quality: how
    much the fit of a box counts in its score (`detection_loss`); aligned: `aligned_loss` in its
    place.
    """

    lambda_low: float = 10.0
    lambda_high: float = 0.15
    box: float = 4.0
    mask: float = 0.3
    preview: float = 0.1
    drop_probability: float = 0.3
    distil: float = 0.5
    imitate: float = 0.5
    quality: float = 0.0
    aligned: bool = False

    def price(self, rate: Tensor) -> Tensor:
        """Lambda at a rate index, (B,) -> (B,)."""
        return self.lambda_low * (self.lambda_high / self.lambda_low) ** rate

    def imitation(self, rate: Tensor) -> Tensor:
        """Weight of a teacher's features at a rate index, (B,) -> (B,)."""
        return self.imitate * (self.lambda_high / self.price(rate)).sqrt()


@dataclass(frozen=True)
class GroundShape:
    """Channels and residual blocks of the ground network at strides 16, 8 and 4, and whether it has
    EfficientNet's later blocks (network/semantics.py).
    """

    widths: tuple[int, ...] = (128, 96, 64)
    depths: tuple[int, ...] = (3, 2, 1)
    semantics: bool = False

    def __post_init__(self) -> None:
        """Raise ParameterError for other than three of each."""
        if len(self.widths) != 3 or len(self.depths) != 3:
            raise ParameterError(f"{self}: a ground network has three widths and three depths")

    @classmethod
    def of(cls, backbone: GroundBackbone) -> GroundShape:
        """Of a network that is there."""
        return cls(backbone.widths, backbone.depths, backbone.semantics is not None)

    def card(self) -> dict[str, Any]:
        """What a checkpoint's card says of it under `network`."""
        return {
            "ground_widths": list(self.widths),
            "ground_depths": list(self.depths),
            "ground_semantics": self.semantics,
        }


class TrainingModel(nn.Module):
    """Encoder, bottleneck and ground network in one graph.

    ::

        image -> encoder -> bottleneck(rate) -> patches lost -> ground -> detection, mask, preview
    """

    def __init__(
        self, channels: int = 64, mask_classes: int = len(MASK_CLASSES), **ground: Any
    ) -> None:
        """channels: latent channels C; mask_classes: of the mask head; ground: its shape."""
        super().__init__()
        self.encoder = OnboardEncoder(channels)
        self.bottleneck = Bottleneck(channels)
        self.ground = GroundNetwork(channels, mask_classes=mask_classes, **ground)

    def forward(
        self, image: Tensor, rate: Tensor, received: Tensor, masked: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Image (B, 3, H, W), rate (B,), received (B, 1, h, w) -> outputs, plus bits per pixel.

        masked: numbers of the images whose masks are wanted; None: all.
        """
        latent = self.encoder(image)
        with torch.autocast(image.device.type, enabled=False):
            y_hat, bits = self.bottleneck(latent, rate)
        result = answers_of(self.ground, y_hat * received, received, masked)
        result["bpp"] = bits.sum((1, 2)) / (image.shape[2] * image.shape[3])
        return result


def answers_of(
    ground: nn.Module, latent: Tensor, received: Tensor, masked: Tensor | None
) -> dict[str, Tensor]:
    """What a ground network answers in training; no masks where `masked` (M,) numbers no image.

    Masks are a seventh of the ground network's work, and few images of a mixture have any.
    """
    wanted = masked is None or len(masked) > 0
    result: dict[str, Tensor] = ground(latent, received, mask=wanted, masked=masked)
    return result


def answer_at_random(
    model: nn.Module, image: Tensor, drop_probability: float, masked: Tensor | None = None
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """What a stream answers to images (B, 3, H, W), each at a rate of its own, with patches lost.

    Returns its outputs, the rates (B,), and the cells (B, 1, H/4, W/4) where latents arrived.
    """
    size = image.shape[0]
    rate = torch.rand(size, device=image.device)
    height, width = image.shape[2] // STRIDE, image.shape[3] // STRIDE
    received = drop_patches(size, height, width, drop_probability, image.device)
    out = model(image, rate, received, masked)
    return out, rate, F.interpolate(received, out["heatmap"].shape[2:], mode="nearest")


def preview_loss(preview: Tensor, image: Tensor, cells: Tensor) -> Tensor:
    """Mean difference of a picture (B, 3, H/2, W/2) from its image (B, 3, H, W), where known.

    cells: (B, 1, H/4, W/4), 1 where latents arrived.
    """
    wanted = F.avg_pool2d(image, PREVIEW_CELL)
    known = F.interpolate(cells, wanted.shape[2:], mode="nearest")
    return ((preview.float() - wanted).abs() * known).mean()


def sc2_loss(
    model: nn.Module, batch: Batch, config: LossConfig, teacher: Answers | None = None
) -> tuple[Tensor, dict[str, float]]:
    """Task losses + lambda(rate) x bits per pixel, with a random rate per image (Cui et al. 2021).

    A teacher sees the whole image, nothing of it quantised or lost; what it answers is learned
    beside the labels (as the Entropic Student's second stage).

    Returns the loss and its parts for the log.
    """
    image = batch.image
    wanted: dict[str, Tensor] = {}
    if teacher is not None:
        with torch.no_grad():
            wanted = teacher(image)
    # A teacher of masks has something to say of every image's.
    masked = None
    if "mask" not in wanted:
        masked = (batch.mask != VOID).flatten(1).any(1).nonzero()[:, 0]
    out, rate, cells = answer_at_random(model, image, config.drop_probability, masked)
    if config.aligned:
        heat, box = aligned_loss(out["heatmap"], out["box"], batch.targets, cells)
    else:
        heat, box = detection_loss(out["heatmap"], out["box"], batch.targets, cells, config.quality)
    preview = preview_loss(out["preview"], image, cells)
    loss = heat + config.box * box + config.preview * preview
    parts = {"heat": heat, "box": box, "preview": preview}
    if "mask" in out:
        truth = batch.mask.masked_fill(cells[:, 0] == 0, VOID)
        truth = truth if masked is None else truth[masked]
        parts["mask"] = segmentation_loss(out["mask"], truth)
        loss = loss + config.mask * parts["mask"]
    if "bpp" in out:  # a stream that is fixed prices nothing
        loss = loss + (config.price(rate) * out["bpp"]).mean()
        parts["bpp"] = out["bpp"].mean()
    if wanted:
        far = agreement_loss(out, wanted, cells)
        weights = {"heat": 1.0, "box": config.box, "mask": config.mask}
        learned = torch.stack([weights[name] * value for name, value in far.items()]).sum()
        if IMITATED.keys() <= out.keys() and set(IMITATED.values()) <= wanted.keys():
            parts["imitate"] = imitation_loss(out, wanted, cells, config.imitation(rate))
            loss = loss + parts["imitate"]
        parts["distil"] = learned
        loss = loss + config.distil * learned
    return loss, {name: float(value.detach()) for name, value in parts.items()}
