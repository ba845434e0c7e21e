# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression by class, in numpy: what torchvision.ops.batched_nms gives."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def batched_nms(boxes: Floats, scores: Floats, labels: Ints, iou: float) -> Ints:
    """Numbers of the boxes that stay, best first; equal scores keep their order.

    Args:
        boxes: (N, 4) float32 x1, y1, x2, y2.
        scores: (N,) float32.
        labels: (N,) int64 classes; boxes of different classes do not see each other.
        iou: of two boxes of one class that overlap by more, the weaker goes.
    """
    order = np.argsort(-scores, kind="stable")
    boxes, labels = boxes[order], labels[order]
    x1, y1, x2, y2 = boxes.T
    width = np.minimum(x2[:, None], x2) - np.maximum(x1[:, None], x1)
    height = np.minimum(y2[:, None], y2) - np.maximum(y1[:, None], y1)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    area = (x2 - x1) * (y2 - y1)
    union = area[:, None] + area - shared
    # Of boxes without an area nothing is shared.
    overlap = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    # As torchvision: a quotient in float32 against a threshold in double precision.
    beats = (overlap.astype(np.float64) > iou) & (labels[:, None] == labels)
    stays = np.ones(len(order), np.bool_)
    for number in np.flatnonzero(np.triu(beats, 1).any(axis=1)):
        if stays[number]:
            stays[number + 1 :] &= ~beats[number, number + 1 :]
    kept: Ints = order[stays]
    return kept
