# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Learning a stream from a teacher's answers: the networks and losses of the recipe adapt.

::

    image --> encoder --> bottleneck(rate) --> patches lost --> ground --> heatmap, box, mask
      |                        +--> bits                                     |   as near as can be
      +-----> teacher, frozen, nothing quantised, nothing lost ----> heatmap, box, mask
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sc2_ros.checkpoint import Parts
from sc2_ros.network.bottleneck import ANCHORS, CONTEXTS, Bottleneck
from sc2_ros.training.agreement import agreement_loss
from sc2_ros.training.batches import Batch
from sc2_ros.training.detection_loss import detection_loss
from sc2_ros.training.latents import latents
from sc2_ros.training.sc2_model import LossConfig, answer_at_random, answers_of, preview_loss
from sc2_ros.training.teacher import Teacher


class FixedStream(nn.Module):
    """A stream that stays as it is, with a ground network that learns.

    ::

        image -> encoder -> x gain -> round -> / gain -> patches lost -> ground -> answers
        [---------------------- frozen ---------------------]            [learns]
    """

    gains: Tensor

    def __init__(self, parts: Parts) -> None:
        """parts: of the checkpoint whose ground network is trained."""
        super().__init__()
        self.encoder, self.ground = parts.encoder.requires_grad_(False), parts.ground
        self.register_buffer("gains", torch.tensor(parts.tables.gains))

    def train(self, mode: bool = True) -> FixedStream:
        """Only the ground leaves eval mode, so that no frozen batch norm moves."""
        super().train(mode)
        self.encoder.eval()
        return self

    def forward(
        self, image: Tensor, rate: Tensor, received: Tensor, masked: Tensor | None = None
    ) -> dict[str, Tensor]:
        """Image (B, 3, H, W), rate (B,) in [0, 1], received (B, 1, h, w) -> the ground's answers.

        There are no bits per pixel in it: nothing that learns here changes them.
        """
        with torch.no_grad():
            code = (rate * (len(self.gains) - 1)).round().long()
            gain = self.gains[code][:, :, None, None]
            latent = (self.encoder(image).float() * gain).round().clamp(-127, 127) / gain
        return answers_of(self.ground, latent * received, received, masked)


@torch.no_grad()
def fit_prior(
    bottleneck: Bottleneck, encoder: nn.Module, images: Sequence[NDArray[np.uint8]]
) -> None:
    """Set the prior's Laplace scales to those of the symbols that images give.

    A checkpoint keeps its prior as tables only. The maximum-likelihood scale of a zero-mean
    Laplace density is the mean magnitude; each anchor, context and channel gets its own.
    """
    data = [torch.from_numpy(latent)[None] for latent in latents(encoder.eval(), images)]
    for anchor, gain in enumerate(bottleneck.log_gain.exp()):
        total = torch.zeros(CONTEXTS, len(gain))
        count = torch.zeros(CONTEXTS, len(gain))
        for latent in data:
            scaled = latent * gain[:, None, None]
            start = 0
            around = bottleneck.contexts(scaled.round().clamp(-127, 127))
            for size, context in zip(bottleneck.groups, around, strict=True):
                part = scaled[0, start : start + size].abs().flatten(1)
                onehot = F.one_hot(context.flatten(), CONTEXTS).float()
                total[:, start : start + size] += (part @ onehot).T
                count[:, start : start + size] += onehot.sum(0)[:, None]
                start += size
        seen = count > 0
        scale = (total / count.clamp(min=1)).clamp(min=0.02).log()
        bottleneck.log_scale.data[anchor][seen] = scale[seen]
    assert len(bottleneck.log_scale) == ANCHORS


def adapt_loss(
    model: nn.Module, batch: Batch, teacher: Teacher, config: LossConfig, dense: bool
) -> tuple[Tensor, dict[str, float]]:
    """Agreement with the teacher + lambda(rate) x bits per pixel, at a random rate per image.

    dense: the teacher has our heads' maps; else its boxes are targets already and masks stay.
    """
    image = batch.image
    out, rate, cells = answer_at_random(model, image, config.drop_probability)
    if dense:
        with torch.no_grad():
            wanted = teacher(image)
        parts = agreement_loss(out, wanted, cells)
    else:
        heat, box = detection_loss(out["heatmap"], out["box"], batch.targets, cells)
        parts = {"heat": heat, "box": box, "mask": out["mask"].sum() * 0}
    picture = preview_loss(out["preview"], image, cells)
    loss = parts["heat"] + config.box * parts["box"] + config.mask * parts["mask"]
    loss = loss + config.preview * picture
    if "bpp" in out:
        loss = loss + (config.price(rate) * out["bpp"]).mean()
        parts["bpp"] = out["bpp"].mean()
    parts["preview"] = picture
    return loss, {name: float(value.detach()) for name, value in parts.items()}
