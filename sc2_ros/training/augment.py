# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Random crops, scales, flips and light for training samples; numpy and OpenCV, no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.codec.wire.header import STRIDE
from sc2_ros.data import Sample
from sc2_ros.errors import ParameterError

VOID = 255


@dataclass(frozen=True)
class AugmentConfig:
    """Ranges of the random changes; sizes in pixels, the rest as factors or probabilities.

    crop: side of a view, a multiple of STRIDE, by which encoders divide it. Scales, vertical_flip
    and turn hold for each data set that has none of its own (`sources.SourceConfig`).

    turn: how often rows and columns are exchanged, for views from straight above, which have no
    up; with both flips that makes all eight orientations. colour: range of the gains of red, green
    and blue and of the saturation. grey: how often a colour image loses its colour.
    """

    crop: int = 320
    scale_min: float = 0.75
    scale_max: float = 1.3
    object_centred: float = 0.7
    light: float = 0.2
    invert: float = 0.03
    vertical_flip: float = 0.0
    turn: float = 0.0
    colour: float = 0.0
    grey: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for a crop or scales of which there are no pictures."""
        if self.crop < 1 or self.crop % STRIDE:
            raise ParameterError(f"crop is {self.crop}; give a multiple of {STRIDE} px")
        if not 0 < self.scale_min <= self.scale_max < math.inf:
            raise ParameterError(
                f"scale_min is {self.scale_min:g} and scale_max {self.scale_max:g}; give scales "
                "above 0, the smaller first"
            )


def _crop_origin(
    sample: Sample,
    weights: NDArray[np.float64] | None,
    side: float,
    config: AugmentConfig,
    rng: np.random.Generator,
) -> tuple[float, float]:
    height, width = sample.image.shape[:2]
    if weights is not None and len(sample.labels) and rng.random() < config.object_centred:
        chance = weights[sample.labels]
        box = sample.boxes[rng.choice(len(chance), p=chance / chance.sum())]
        cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        x, y = cx - side * rng.uniform(0.15, 0.85), cy - side * rng.uniform(0.15, 0.85)
    else:
        x, y = rng.uniform(0, max(width - side, 0)), rng.uniform(0, max(height - side, 0))
    return (
        float(np.clip(x, 0, max(width - side, 0))),
        float(np.clip(y, 0, max(height - side, 0))),
    )


def _move(
    boxes: NDArray[np.float32], matrix: NDArray[np.float64], crop: int
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Boxes after the affine map, clipped; and which keep at least 40 % of their area."""
    if not len(boxes):
        return boxes.reshape(0, 4), np.zeros(0, bool)
    corners = boxes.reshape(-1, 2).astype(np.float64)
    moved = (corners @ matrix[:, :2].T + matrix[:, 2]).reshape(-1, 4)
    moved = np.stack(
        (
            moved[:, [0, 2]].min(1),
            moved[:, [1, 3]].min(1),
            moved[:, [0, 2]].max(1),
            moved[:, [1, 3]].max(1),
        ),
        1,
    )
    area = np.prod(moved[:, 2:] - moved[:, :2], 1)
    clipped = moved.clip(0, crop)
    left = np.prod(clipped[:, 2:] - clipped[:, :2], 1)
    return clipped.astype(np.float32), left > 0.4 * np.maximum(area, 1e-6)


def _relit(
    image: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Other contrast, brightness and colour, now and then inverted."""
    image = _recoloured(image, config, rng)
    gain, offset = (
        rng.uniform(1 - config.light, 1 + config.light),
        rng.uniform(-30, 30) * config.light,
    )
    table = np.clip((np.arange(256) - 128.0) * gain + 128 + offset * 2, 0, 255)
    if rng.random() < config.invert:
        table = 255 - table
    return cv2.LUT(image, table.astype(np.uint8)).astype(np.uint8, copy=False)


def _recoloured(
    image: NDArray[np.uint8], config: AugmentConfig, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Other colours, or none: one linear map of (red, green, blue). Grey images stay grey."""
    saturation, gains = 1.0, np.ones(3)
    if config.colour > 0:
        saturation += rng.uniform(-1, 1) * 2 * config.colour
        gains += rng.uniform(-1, 1, 3) * config.colour
    if config.grey > 0 and rng.random() < config.grey:
        saturation = 0.0
    is_grey = np.array_equal(image[::8, ::8, 0], image[::8, ::8, 1])
    if is_grey or (saturation == 1.0 and (gains == 1.0).all()):
        return image
    luma = np.array([0.299, 0.587, 0.114])
    matrix = saturation * np.diag(gains) + (1 - saturation) * np.outer(np.ones(3), luma)
    return cv2.transform(image, matrix).astype(np.uint8, copy=False)


def augment(
    sample: Sample,
    config: AugmentConfig,
    rng: np.random.Generator,
    weights: NDArray[np.float64] | None = None,
) -> Sample:
    """One random view of a sample.

    Args:
        sample: image of any size.
        config: ranges.
        rng: source of all randomness.
        weights: (classes,) how often a crop is centred on an object of that class.

    Returns:
        Sample of crop x crop pixels, always three channels; boxes that are mostly cut off
        become ignore regions, so that neither finding nor missing them is punished.
    """
    crop = config.crop
    scale = float(np.exp(rng.uniform(np.log(config.scale_min), np.log(config.scale_max))))
    x, y = _crop_origin(sample, weights, crop / scale, config, rng)
    matrix = np.array([[scale, 0, -x * scale], [0, scale, -y * scale]])
    if rng.random() < 0.5:
        matrix[0] = [-matrix[0, 0], 0, crop - matrix[0, 2]]
    if rng.random() < config.vertical_flip:
        matrix[1] = [0, -matrix[1, 1], crop - matrix[1, 2]]
    if config.turn > 0 and rng.random() < config.turn:
        matrix = matrix[::-1].copy()
    # Warp in pixel centres: the box convention above is that of pixel edges.
    centred: Any = matrix.copy()
    centred[:, 2] += (matrix[:, :2].sum(1) - 1) / 2
    image: Any = cv2.warpAffine(sample.image, centred, (crop, crop), flags=cv2.INTER_LINEAR)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, 2)
    mask: Any = None
    if sample.mask is not None:
        mask = cv2.warpAffine(
            sample.mask, centred, (crop, crop), flags=cv2.INTER_NEAREST, borderValue=VOID
        )
    boxes, keep = _move(sample.boxes, matrix, crop)
    ignore, kept = _move(sample.ignore, matrix, crop)
    inside = np.prod(boxes[:, 2:] - boxes[:, :2], 1) > 0 if len(boxes) else keep
    return Sample(
        image=_relit(image, config, rng),
        boxes=boxes[keep],
        labels=sample.labels[keep],
        ignore=np.concatenate((ignore[kept], boxes[~keep & inside])),
        mask=mask,
        name=sample.name,
    )


def augment_whole(sample: Sample, config: AugmentConfig, rng: np.random.Generator) -> Sample:
    """One random view of a picture that is classified as a whole: crop x crop px, RGB.

    A rectangle of 60 to 100 % of the area and a ratio of 3:4 to 4:3 (Szegedy et al. 2015, section
    6, with a higher floor: a chip is mostly object already) is stretched to the square.
    """
    height, width = sample.image.shape[:2]
    area = rng.uniform(0.6, 1.0)
    stretch = float(np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)) / 2))
    w = min(1.0, float(np.sqrt(area)) * stretch) * width
    h = min(1.0, float(np.sqrt(area)) / stretch) * height
    x, y = rng.uniform(0, width - w), rng.uniform(0, height - h)
    sx, sy = config.crop / w, config.crop / h
    matrix: Any = np.array([[sx, 0, -x * sx + (sx - 1) / 2], [0, sy, -y * sy + (sy - 1) / 2]])
    if rng.random() < 0.5:
        matrix[0] = [-sx, 0, config.crop - 1 - matrix[0, 2]]
    if rng.random() < config.vertical_flip:
        matrix[1] = [0, -sy, config.crop - 1 - matrix[1, 2]]
    image: Any = cv2.warpAffine(
        sample.image,
        matrix,
        (config.crop, config.crop),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, 2)
    return replace(sample, image=_relit(image, config, rng))


def middle(image: NDArray[np.uint8], sides: tuple[int, int]) -> NDArray[np.uint8]:
    """The middle of an image (H, W[, 3]): at most sides (width, height) px, contiguous.

    Where anything is cut it is a copy, so that it does not keep the whole image in memory.
    """
    height, width = image.shape[:2]
    if width <= sides[0] and height <= sides[1]:
        return np.ascontiguousarray(image)
    x, y = max(width - sides[0], 0) // 2, max(height - sides[1], 0) // 2
    return image[y : y + sides[1], x : x + sides[0]].copy()


def whole(sample: Sample, crop: int) -> Sample:
    """The whole picture at crop x crop px, RGB, as a classifier sees it in evaluation."""
    image = cv2.resize(sample.image, (crop, crop), interpolation=cv2.INTER_LINEAR)
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, 2)
    return replace(sample, image=image.astype(np.uint8, copy=False))
