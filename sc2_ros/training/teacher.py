# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What every network to learn from promises; teachers.py opens them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Teacher(nn.Module):
    """A frozen network in eval mode.

    `detection_classes`, `mask_classes` and `image_classes` name the numbers of what it answers,
    empty where it does not answer that. Keys of the dict that all kinds share:

    - heatmap (B, classes, h, w) logits and box (B, 4, h, w) px, as our detection head gives them
    - mask (B, classes, h, w) logits
    - logits (B, classes) of a classifier
    - boxes (N, 4) xyxy px, scores (N,), labels (N,) and image (N,), the image each box is in
    - anything else is a feature under the name of its module
    """

    name: str = ""
    detection_classes: tuple[str, ...] = ()
    mask_classes: tuple[str, ...] = ()
    image_classes: tuple[str, ...] = ()

    def frozen(self, device: str | torch.device) -> Teacher:
        """The teacher on its device, never to be trained."""
        return self.eval().requires_grad_(False).to(device)

    def train(self, mode: bool = True) -> Any:
        """Stays in eval mode inside whatever is trained."""
        return super().train(False)
