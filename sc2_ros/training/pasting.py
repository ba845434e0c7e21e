# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Copy-paste of objects that have a mask (Ghiasi et al. 2021); numpy and OpenCV, no torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.data import DETECTION_CLASSES, Sample

# Class of the mask that an object's pixels have.
_MASKED_AS = {
    "person": "person",
    "car": "vehicle",
    "bicycle": "vehicle",
    "other_vehicle": "vehicle",
}
_MIN_PIXELS = 100
_MIN_FILL = 0.25
_MAX_OVERLAP = 0.05
# Side in px that a pasted object is brought to, and how far it may be scaled for that.
_SIDES, _SCALES = (14.0, 110.0), (0.3, 1.4)
_TRIES = 8
# Of what is left of an object at its new size; less is none to be found.
_FEWEST_PIXELS = 20


@dataclass(frozen=True)
class Cutout:
    """An object on its own, with its class and its number in the masks of its data set.

    image (h, w, 3), and inside (h, w), 255 at the pixels that are of the object and 0 elsewhere.
    """

    image: NDArray[np.uint8]
    inside: NDArray[np.uint8]
    label: int
    mask_number: int


def cutouts(
    samples: Sequence[Sample], mask_lookup: NDArray[np.uint8], mask_classes: Sequence[str]
) -> list[Cutout]:
    """The objects of images with boxes and masks that no other of their class touches.

    mask_lookup (256,): number in a sample's mask -> number in mask_classes.
    """
    found = []
    for sample in samples:
        if sample.mask is None or sample.image.ndim == 2:
            continue
        for number, (box, label) in enumerate(zip(sample.boxes, sample.labels, strict=True)):
            name = _MASKED_AS[DETECTION_CLASSES[label]]
            if name not in mask_classes or _touched(sample.boxes, number):
                continue
            x1, y1 = np.floor(box[:2]).astype(int)
            x2, y2 = np.ceil(box[2:]).astype(int)
            mask = sample.mask[y1:y2, x1:x2]
            here = mask_lookup[mask] == mask_classes.index(name)
            if here.sum() >= _MIN_PIXELS and here.mean() >= _MIN_FILL:
                found.append(
                    Cutout(
                        sample.image[y1:y2, x1:x2].copy(),
                        here.astype(np.uint8) * 255,
                        int(label),
                        int(np.bincount(mask[here]).argmax()),
                    )
                )
    return found


def _touched(boxes: NDArray[np.float32], number: int) -> bool:
    """Whether other boxes cover more than a little of this one, so that its mask is not its own."""
    box = boxes[number]
    covered = _shared(box, boxes) / max(float((box[2:] - box[:2]).prod()), 1.0)
    covered[number] = 0
    return bool((covered > _MAX_OVERLAP).any())


def _shared(box: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Area (px) that a box (4,) has in common with each of the others (N, 4): (N,)."""
    sides = np.minimum(others[:, 2:], box[2:]) - np.maximum(others[:, :2], box[:2])
    area: NDArray[np.float32] = sides.clip(min=0).prod(1)
    return area


def paste(
    sample: Sample, objects: Sequence[Cutout], count: float, rng: np.random.Generator
) -> Sample:
    """Objects turned, scaled and relit into free places of a crop, with boxes and masks.

    Args:
        sample: crop (S, S, 3), with a mask or without.
        objects: to choose from, at least one.
        count: how many on average (Poisson).
        rng: source of all randomness.
    """
    image: Any = sample.image.copy()
    mask: Any = None if sample.mask is None else sample.mask.copy()
    boxes, labels = [*sample.boxes], [*sample.labels]
    for _ in range(rng.poisson(count)):
        chosen = objects[int(rng.integers(len(objects)))]
        picture, inside = _varied(chosen, rng)
        solid = (inside > 127).astype(np.uint8)
        if np.count_nonzero(solid) < _FEWEST_PIXELS:
            continue
        left, top, width, height = cv2.boundingRect(solid)
        tight = np.s_[top : top + height, left : left + width]
        picture, inside, solid = picture[tight], inside[tight], solid[tight]
        place = _free_place(image.shape[:2], inside.shape, [*boxes, *sample.ignore], rng)
        if place is None:
            continue
        x, y = place
        window = np.s_[y : y + height, x : x + width]
        share = inside[..., None].astype(np.float32) / 255
        image[window] = np.rint(image[window] * (1 - share) + picture * share).astype(np.uint8)
        if mask is not None:
            mask[window][solid > 0] = chosen.mask_number
        boxes.append(np.array([x, y, x + width, y + height], np.float32))
        labels.append(chosen.label)
    return replace(
        sample,
        image=image,
        mask=mask,
        boxes=np.array(boxes, np.float32).reshape(-1, 4),
        labels=np.array(labels, np.int64),
    )


def _varied(
    chosen: Cutout, rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A cutout at another size, angle, side and light, on a canvas that holds all of it."""
    height, width = chosen.inside.shape
    side = float(np.exp(rng.uniform(np.log(_SIDES[0]), np.log(_SIDES[1]))))
    scale = float(np.clip(side / np.sqrt(height * width), *_SCALES))
    canvas = int(np.ceil(np.hypot(height, width) * scale)) + 4
    matrix: Any = cv2.getRotationMatrix2D(
        ((width - 1) / 2, (height - 1) / 2), rng.uniform(0, 360), scale
    )
    matrix[:, 2] += (canvas - 1) / 2 - np.array([(width - 1) / 2, (height - 1) / 2])
    if rng.random() < 0.5:
        matrix[0] = [-matrix[0, 0], -matrix[0, 1], canvas - 1 - matrix[0, 2]]
    size = (canvas, canvas)
    source = chosen.image
    if scale < 0.6:  # else thin limbs fall between the points that are read
        source = cv2.blur(source, (2, 2))
    picture: Any = cv2.warpAffine(source, matrix, size, borderMode=cv2.BORDER_REPLICATE)
    inside: Any = cv2.warpAffine(chosen.inside, matrix, size)
    picture = cv2.convertScaleAbs(picture, alpha=rng.uniform(0.75, 1.25), beta=rng.uniform(-15, 15))
    return picture, cv2.blur(inside, (3, 3))


def _free_place(
    size: tuple[int, int],
    needed: tuple[int, int],
    taken: Sequence[NDArray[np.float32]],
    rng: np.random.Generator,
) -> tuple[int, int] | None:
    """Left and top (px) of a place that covers no box by more than a little; None where none is."""
    height, width = needed
    if height >= size[0] or width >= size[1]:
        return None
    others = np.array(taken, np.float32).reshape(-1, 4)
    areas = np.maximum((others[:, 2:] - others[:, :2]).prod(1), 1.0)
    for _ in range(_TRIES):
        x, y = int(rng.integers(size[1] - width)), int(rng.integers(size[0] - height))
        box = np.array([x, y, x + width, y + height], np.float32)
        if not (_shared(box, others) / np.minimum(areas, height * width) > _MAX_OVERLAP).any():
            return x, y
    return None
