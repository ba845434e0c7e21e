# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Pictures of what a checkpoint gets wrong, for its model card.

    python benchmarks/failures.py --data ../shared/data/hituav --figure docs/figures/failures.jpg

Of every image real packets at one rate index are decoded; the images with the most errors among
boxes of a score of 0.3 and more are drawn: red what was missed, white what was found although
nothing is labelled there, the class's colour what is right.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros import checkpoint
from sc2_ros.data import DETECTION_CLASSES, Sample, open_dataset
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.systems.stream import StreamSystem
from sc2_ros.evaluation.systems.system import Outputs
from sc2_ros.media.overlay import BOX_COLOURS
from sc2_ros.network.imaging import resize
from sc2_ros.network.nms import overlaps

Image = npt.NDArray[np.uint8]
Flags = npt.NDArray[np.bool_]

SCORE, IOU = 0.3, 0.5
MISSED, FALSE = (255, 60, 60), (255, 255, 255)
TILE_WIDTH = 640


@dataclass(frozen=True)
class Errors:
    """Of one image: (N,) which labels were missed, and of the boxes found their number and which
    are right; boxes on regions to ignore are left out.
    """

    sample: Sample
    found: Outputs
    missed: Flags
    right: Flags

    @property
    def count(self) -> int:
        """Misses and false boxes."""
        return int(self.missed.sum() + (~self.right).sum())


def errors_of(sample: Sample, found: Outputs) -> Errors:
    """Match boxes and labels of a class, best score first, at IoU 0.5 or more."""
    sure = found.scores >= SCORE
    if len(sample.ignore):
        centres = (found.boxes[:, :2] + found.boxes[:, 2:]) / 2
        low, high = sample.ignore[:, None, :2] <= centres, centres <= sample.ignore[:, None, 2:]
        sure &= ~(low & high).all(axis=2).any(axis=0)
    found = Outputs(found.boxes[sure], found.scores[sure], found.labels[sure])
    missed = np.ones(len(sample.boxes), np.bool_)
    right = np.zeros(len(found.boxes), np.bool_)
    iou = overlaps(found.boxes, sample.boxes)
    for number in np.argsort(-found.scores, kind="stable"):
        overlap = np.where(missed & (sample.labels == found.labels[number]), iou[number], 0)
        if overlap.size and overlap.max() >= IOU:
            right[number], missed[overlap.argmax()] = True, False
    return Errors(sample, found, missed, right)


def draw(errors: Errors) -> Image:
    """The image, TILE_WIDTH wide, with its boxes."""
    image = errors.sample.image
    colours = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if image.ndim == 2 else image
    scale = TILE_WIDTH / image.shape[1]
    size = (TILE_WIDTH, round(image.shape[0] * scale))
    canvas = resize(colours, *size).copy()
    boxes = [(box, MISSED) for box in errors.sample.boxes[errors.missed]]
    for box, label, right in zip(
        errors.found.boxes, errors.found.labels, errors.right, strict=True
    ):
        boxes.append((box, BOX_COLOURS[DETECTION_CLASSES[label]] if right else FALSE))
    for box, colour in boxes:
        x1, y1, x2, y2 = (round(float(side) * scale) for side in box)
        cv2.rectangle(canvas, (x1 - 1, y1 - 1), (x2 + 1, y2 + 1), colour, 1)
    return canvas


def main() -> int:
    """Decode, match, draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="default")
    parser.add_argument("--data", required=True)
    parser.add_argument("--limit", type=int, help="of the images, spread evenly")
    parser.add_argument("--rate-index", type=float, default=0.5)
    parser.add_argument("--images", type=int, default=4)
    parser.add_argument("--figure", type=Path, required=True)
    args = parser.parse_args()
    system = StreamSystem(checkpoint.load(args.checkpoint), args.rate_index, mask=False)
    data = open_dataset(args.data, "val")
    every = []
    for number in choose(len(data), args.limit):
        sample = data[number]
        every.append(errors_of(sample, system.decode(system.encode(sample.image))))
    for label, name in enumerate(DETECTION_CLASSES):
        labels = [e.sample.labels == label for e in every]
        missed = sum(int(e.missed[of].sum()) for e, of in zip(every, labels, strict=True))
        false = sum(int((~e.right[e.found.labels == label]).sum()) for e in every)
        total = sum(int(of.sum()) for of in labels)
        print(f"{name:14} {total:5} labels, {missed:4} missed, {false:4} false")
    worst = sorted(every, key=lambda e: -e.count)[: args.images]
    tiles = [draw(errors) for errors in worst]
    rows = [np.hstack(tiles[i : i + 2]) for i in range(0, len(tiles) - 1, 2)]
    args.figure.parent.mkdir(parents=True, exist_ok=True)
    picture = cv2.cvtColor(np.vstack(rows), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(args.figure), picture, [cv2.IMWRITE_JPEG_QUALITY, 85])
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
