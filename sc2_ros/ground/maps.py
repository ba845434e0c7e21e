# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""From the ground network's maps to boxes, mask and preview, in numpy.

::

    heatmap (K, h4, w4) logits -> cells above the threshold -> best cells
    box (4, h4, w4) px         -> cell centre -+- distances -> NMS by class, averaged boxes
    mask (M, h4, w4) logits    -> (h4', w4') uint8 class, without the padding
    preview (3, h2, w2) [0, 1] -> (h2', w2', 3) uint8

What network/decode.py does with torch, on a CPU in a tenth of the time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.network.nms import averaged_nms

CELL = 4
"""Pixels of the encoded image per cell of boxes and masks."""
PREVIEW_CELL = 2
"""Pixels per cell of the preview."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
Image = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Boxes:
    """Detections, best first.

    Attributes:
        boxes: (N, 4) float32 x1, y1, x2, y2 in pixels.
        scores: (N,) float32.
        labels: (N,) int64.
    """

    boxes: Floats
    scores: Floats
    labels: Ints


@dataclass(frozen=True)
class Window:
    """Where on the latent's grid the encoded frame lies, pixels.

    Attributes:
        origin: (x, y) of its corner.
        size: (width, height).
    """

    origin: tuple[int, int]
    size: tuple[int, int]


def find_boxes(
    heatmap: Floats,
    box: Floats,
    size: tuple[int, int],
    *,
    score_threshold: float,
    nms_iou: float,
    max_detections: int,
    classes: npt.NDArray[np.bool_] | None = None,
) -> Boxes:
    """Cells of a heatmap become boxes, as `network.decode.decode_detections` makes them.

    Args:
        heatmap: (K, h4, w4) class logits.
        box: (4, h4, w4) distances left, top, right, bottom from the cell's centre.
        size: (width, height) in pixels beyond which there is only padding; boxes are cut there.
        score_threshold: lowest score to keep.
        nms_iou: of two boxes of one class that overlap by more, the weaker goes.
        max_detections: at most so many, best first.
        classes: (K,) those that are wanted; None: all.
    """
    width, height = size
    heatmap = heatmap[:, : -(-height // CELL), : -(-width // CELL)]
    least = _logit(score_threshold) - _ROUNDING
    labels, rows, cols = [], [], []
    for label, plane in enumerate(heatmap):
        if classes is not None and not classes[label]:
            continue
        row, col = np.nonzero(plane >= least)
        rows.append(row)
        cols.append(col)
        labels.append(np.full(len(row), label, np.int64))
    if not labels:
        none = np.zeros(0, np.float32)
        return Boxes(none.reshape(0, 4), none, np.zeros(0, np.int64))
    label, row, col = (np.concatenate(parts) for parts in (labels, rows, cols))
    scores = _sigmoid(heatmap[label, row, col])
    enough = scores >= np.float32(score_threshold)
    label, row, col, scores = label[enough], row[enough], col[enough], scores[enough]
    # An object has several cells, of which NMS leaves one.
    best = np.argsort(-scores, kind="stable")[: 4 * max_detections + 100]
    label, row, col, scores = label[best], row[best], col[best], scores[best]
    left, top, right, bottom = box[:, row, col]
    x, y = (col + np.float32(0.5)) * CELL, (row + np.float32(0.5)) * CELL
    boxes = np.stack((x - left, y - top, x + right, y + bottom), axis=1, dtype=np.float32)
    np.clip(boxes, 0, (width, height, width, height), out=boxes)
    whole = ~np.isnan(boxes).any(1)  # one NaN would make the mean of a whole object NaN
    boxes, scores, label = boxes[whole], scores[whole], label[whole]
    kept, boxes = averaged_nms(boxes, scores, label, nms_iou)
    kept = kept[:max_detections]
    return Boxes(boxes[:max_detections], scores[kept], label[kept])


def mask_of(logits: Floats, window: Window) -> Image:
    """(M, h4, w4) logits -> class of each cell of the frame, uint8."""
    return inside(logits, window).argmax(0).astype(np.uint8)


def preview_of(colours: Floats, window: Window) -> Image:
    """(3, h2, w2) in [0, 1] -> uint8 RGB of the frame."""
    pixels = np.rint(np.clip(inside(colours, window, PREVIEW_CELL), 0, 1) * np.float32(255))
    return np.ascontiguousarray(pixels.astype(np.uint8).transpose(1, 2, 0))


def inside(maps: Floats, window: Window, pixels: int = CELL) -> Floats:
    """What lies on the frame: (K, ceil(height / pixels), ceil(width / pixels)), pixels per cell.

    Where the frame's corner lies inside of a cell, each of its cells is mixed from those it covers.
    """
    for axis, (start, side) in ((1, _span(window, 1)), (2, _span(window, 0))):
        cell, part = divmod(start, pixels)
        covered = np.arange(cell, cell - (-side // pixels))
        here = maps.take(covered, axis)
        if part:
            beside = maps.take(np.minimum(covered + 1, maps.shape[axis] - 1), axis)
            here += (beside - here) * np.float32(part / pixels)
        maps = here
    return maps


def _span(window: Window, side: int) -> tuple[int, int]:
    return window.origin[side], window.size[side]


_ROUNDING = 1e-3
"""Of logits: the scores decide."""


def _logit(score: float) -> float:
    """The logit of a score."""
    if not 0 < score < 1:
        return -math.inf if score <= 0 else math.inf
    return math.log(score / (1 - score))


def _sigmoid(logits: Floats) -> Floats:
    scores: Floats = 1 / (1 + np.exp(-logits))
    return scores
