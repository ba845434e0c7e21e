# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Loss of segmentation heads."""

from torch import Tensor
from torch.nn import functional as F

from sc2_ros.training.augment import VOID


def segmentation_loss(logits: Tensor, truth: Tensor) -> Tensor:
    """Cross entropy + soft Dice over classes; logits (B, C, H, W), truth (B, H, W) with VOID.

    Dice (Milletari et al. 2016) weighs a person of ten pixels as much as a field.
    """
    logits = logits.float()
    known = (truth != VOID)[:, None]
    if not bool(known.any()):
        return logits.sum() * 0
    entropy = F.cross_entropy(logits, truth, ignore_index=VOID)
    share = logits.softmax(1) * known
    wanted = F.one_hot(truth.masked_fill(truth == VOID, 0), logits.shape[1])
    wanted = wanted.permute(0, 3, 1, 2) * known
    both = (share * wanted).sum((0, 2, 3))
    either = (share + wanted).sum((0, 2, 3))
    present = wanted.sum((0, 2, 3)) > 0
    dice = 1 - (2 * both + 1) / (either + 1)
    return entropy + dice[present].mean()
