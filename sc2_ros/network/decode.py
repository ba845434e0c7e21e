# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the detection head's maps to boxes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from sc2_ros.network.heads import CELL
from sc2_ros.network.nms import averaged_nms


@dataclass(frozen=True)
class Detections:
    """Boxes (N, 4) float32 x1, y1, x2, y2 in pixels; scores (N,), best first; labels (N,) int64.

    On the CPU.
    """

    boxes: Tensor
    scores: Tensor
    labels: Tensor


def decode_detections(
    heatmap: Tensor,
    box: Tensor,
    *,
    size: tuple[int, int],
    score_threshold: float = 0.3,
    nms_iou: float = 0.6,
    max_detections: int = 200,
) -> Detections:
    """Cells of one image's heatmap become boxes.

    ::

        heatmap (classes, h, w) logits -> sigmoid -> best cells
        box (4, h, w) left, top, right, bottom in px -> cell centre -+- distances -> NMS, average

    Not the local maxima alone, as CenterNet takes them (Zhou et al. 2019, section 3.1): people and
    bicycles stand 8 to 16 px apart, which is two to four cells, and of such neighbours the weaker
    is no maximum. Boxes tell them apart (HIT-UAV val: mean AP50 0.864 instead of 0.841). The
    boxes of one object are averaged (AP75 0.467 instead of 0.456).

    Args:
        heatmap: one image's class logits.
        box: one image's distances from the cell centre (x + 0.5) * 4.
        size: (width, height) in pixels of the image without padding; boxes are cut at its edges
            and cells outside it are not looked at.
        score_threshold: lowest score to keep.
        nms_iou: of two boxes of one class that overlap by more, the weaker goes.
        max_detections: at most so many, best first.
    """
    width, height = size
    heatmap = heatmap.float()[:, : -(-height // CELL), : -(-width // CELL)]
    score = heatmap.sigmoid()
    score = torch.where(score >= score_threshold, score, score.new_zeros(()))
    classes, rows, cols = score.shape
    # An object has several cells, of which NMS leaves one.
    count = min(score.numel(), 4 * max_detections + 100)
    scores, at = score.flatten().topk(count)
    at = at[scores > 0]
    scores = scores[: len(at)]
    labels, cell = at // (rows * cols), at % (rows * cols)
    y, x = cell // cols, cell % cols
    left, top, right, bottom = box.float()[:, y, x]
    cx, cy = (x + 0.5) * CELL, (y + 0.5) * CELL
    boxes = torch.stack(
        (
            (cx - left).clamp(0, width),
            (cy - top).clamp(0, height),
            (cx + right).clamp(0, width),
            (cy + bottom).clamp(0, height),
        ),
        dim=1,
    )
    # A few hundred boxes: on a GPU, NMS would start more kernels than it is worth.
    boxes, scores, labels = boxes.cpu(), scores.cpu(), labels.cpu()
    whole = ~boxes.isnan().any(1)  # one NaN would make the mean of every object NaN
    boxes, scores, labels = boxes[whole], scores[whole], labels[whole]
    found, averaged = averaged_nms(boxes.numpy(), scores.numpy(), labels.numpy(), nms_iou)
    kept = torch.from_numpy(found[:max_detections])
    boxes = torch.from_numpy(averaged[:max_detections])
    return Detections(boxes, scores[kept], labels[kept])
