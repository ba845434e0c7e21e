# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Non-maximum suppression by class, in numpy, and an average of the boxes of one object.

The boxes that stay are those that torchvision.ops.batched_nms keeps.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SAME_OBJECT_IOU = 0.8
"""Boxes that overlap by more are averaged; chosen on half of HIT-UAV val: docs/model_changes.md."""


def averaged_nms(boxes: Floats, scores: Floats, labels: Ints, iou: float) -> tuple[Ints, Floats]:
    """Numbers of the boxes that stay, best first, and the boxes of each object averaged by score.

    Args:
        boxes: (N, 4) float32 x1, y1, x2, y2.
        scores: (N,) float32; equal ones keep their order.
        labels: (N,) int64 classes; boxes of different classes do not see each other.
        iou: of two boxes of one class that overlap by more, the weaker goes.

    Beside the numbers: (M, 4) float32 boxes, each the mean of the boxes of its class that overlap
    it by more than `SAME_OBJECT_IOU` (box voting, Gidaris and Komodakis 2015, section 4.2).
    """
    order = np.argsort(-scores, kind="stable")
    boxes, scores = boxes[order], scores[order]
    overlaps = _overlaps_by_class(boxes, labels[order])
    stays = _survivors(overlaps, iou)
    scores = np.maximum(scores, np.finfo(np.float32).tiny)  # a weight even where it is 0
    weights = np.where(overlaps[stays] > SAME_OBJECT_IOU, scores, np.float32(0))
    weights[np.arange(len(weights)), np.flatnonzero(stays)] = scores[stays]  # also without an area
    # In double precision, so that what is cut at the picture's edge stays at it.
    exact = weights.astype(np.float64)
    averaged = (exact @ boxes) / exact.sum(1, keepdims=True)
    return order[stays], averaged.astype(np.float32)


def overlaps(boxes: Floats, others: Floats) -> Floats:
    """(N, M) IoU of boxes (N, 4) with others (M, 4); 0 where neither has an area."""
    x1, y1, x2, y2 = boxes.T[..., None]
    left, top, right, bottom = others.T
    width = np.minimum(x2, right) - np.maximum(x1, left)
    height = np.minimum(y2, bottom) - np.maximum(y1, top)
    shared = np.maximum(width, 0) * np.maximum(height, 0)
    union = (x2 - x1) * (y2 - y1) + (right - left) * (bottom - top) - shared
    found: Floats = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return found


def _overlaps_by_class(boxes: Floats, labels: Ints) -> Floats:
    """(N, N) IoU of the boxes; 0 of different classes."""
    return np.where(labels[:, None] == labels, overlaps(boxes, boxes), np.float32(0))


def _survivors(overlaps: Floats, iou: float) -> Flags:
    """(N,) which of the boxes stay, in the order of their scores."""
    # As torchvision: a quotient in float32 against a threshold in double precision.
    beats = overlaps.astype(np.float64) > iou
    stays = np.ones(len(overlaps), np.bool_)
    for number in np.flatnonzero(np.triu(beats, 1).any(axis=1)):
        if stays[number]:
            stays[number + 1 :] &= ~beats[number, number + 1 :]
    return stays
