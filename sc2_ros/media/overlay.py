# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a person sees: boxes, a translucent mask and a status bar, drawn into an RGB image."""

from collections.abc import Sequence
from typing import Any, cast

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.network.imaging import resize

Image = npt.NDArray[np.uint8]
Colour = tuple[int, int, int]

# Okabe and Ito's palette: told apart by colour-blind eyes, bright enough on dark thermal images.
BOX_COLOURS: dict[str, Colour] = {
    "person": (240, 228, 66),
    "car": (86, 180, 233),
    "bicycle": (230, 120, 180),
    "other_vehicle": (230, 159, 0),
}
MASK_COLOURS: dict[str, Colour] = {
    "road": (128, 64, 128),
    "building": (220, 90, 60),
    "vegetation": (60, 170, 60),
    "vehicle": (40, 90, 230),
    "person": (250, 220, 40),
    "other": (120, 120, 120),
}
UNKNOWN_COLOUR: Colour = (120, 120, 120)
UNTINTED = ("other",)
"""Mask classes that are left as they are: a tint on everything else would hide the picture."""

FONT = cv2.FONT_HERSHEY_SIMPLEX
SMALLEST_TEXT = 0.3
BAR_COLOUR: Colour = (24, 26, 30)
TEXT_COLOUR: Colour = (235, 235, 235)
DIM_COLOUR: Colour = (150, 155, 165)


def annotate(
    image: Image,
    boxes: npt.NDArray[np.float32],
    labels: npt.NDArray[np.integer[Any]],
    scores: npt.NDArray[np.float32] | None,
    mask: Image | None,
    detection_classes: Sequence[str],
    mask_classes: Sequence[str],
) -> Image:
    """A copy of an image with results drawn in.

    Args:
        image: uint8 RGB (H, W, 3) or grey (H, W).
        boxes: float32 (N, 4) xyxy in the image's px.
        labels: (N,) numbers into `detection_classes`.
        scores: (N,) 0 to 1; None: boxes without a label, in their class's colour alone.
        mask: uint8 of any size, numbers into `mask_classes`, spread over the whole image; or None.
        detection_classes: names of the labels.
        mask_classes: names of the mask's numbers.

    Returns:
        uint8 RGB (H, W, 3).
    """
    canvas = (
        cast("Image", cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)) if image.ndim == 2 else image.copy()
    )
    if mask is not None and mask.size:
        canvas = tint(canvas, mask, mask_classes)
    thickness = max(1, round(min(canvas.shape[:2]) / 400))
    texts = [""] * len(boxes) if scores is None else [f" {score:.2f}" for score in scores]
    for box, label, text in zip(boxes, labels, texts, strict=True):
        name = detection_classes[label] if 0 <= label < len(detection_classes) else str(label)
        colour = BOX_COLOURS.get(name, UNKNOWN_COLOUR)
        x0, y0, x1, y1 = (round(float(value)) for value in box)
        cv2.rectangle(canvas, (x0, y0), (x1, y1), colour, thickness)
        if text:
            tag(canvas, name.replace("_", " ") + text, (x0, y0), colour)
    return np.ascontiguousarray(canvas)


def tint(image: Image, mask: Image, mask_classes: Sequence[str], alpha: float = 0.4) -> Image:
    """`image` (H, W, 3) coloured by the class of `mask` (any size); void (255) stays as it is."""
    table = np.zeros((256, 3), np.uint8)
    strength = np.zeros(256, np.float32)
    for number, name in enumerate(mask_classes):
        table[number] = MASK_COLOURS.get(name, UNKNOWN_COLOUR)
        strength[number] = 0 if name in UNTINTED else alpha
    size = (image.shape[1], image.shape[0])
    # Tint and strength are blended at the mask's own size and then enlarged: soft edges, less work.
    colour = cv2.resize(table[mask], size, interpolation=cv2.INTER_LINEAR)
    weight = cv2.resize(strength[mask], size, interpolation=cv2.INTER_LINEAR)
    return cast("Image", cv2.blendLinear(colour, image, weight, 1 - weight))


def tag(canvas: Image, text: str, corner: tuple[int, int], colour: Colour) -> None:
    """A small label above `corner` (x, y), kept inside the picture."""
    scale = max(0.35, min(canvas.shape[:2]) / 1300)
    (width, height), below = cv2.getTextSize(text, FONT, scale, 1)
    x = min(max(corner[0], 0), max(canvas.shape[1] - width - 2, 0))
    y = max(corner[1] - below, height + 1)
    cv2.rectangle(canvas, (x, y - height - 1), (x + width + 2, y + below - 1), colour, cv2.FILLED)
    cv2.putText(canvas, text, (x + 1, y), FONT, scale, (10, 10, 10), 1, cv2.LINE_AA)


def status_bar(width: int, items: Sequence[tuple[str, str]]) -> Image:
    """A bar (height, width, 3) of `(what, value)` pairs, shrunk to fit; the last ones may go."""
    items = list(items)
    scale, gap = 0.5, 18.0
    while sum(sizes := [_text_width(f"{what} {value}", scale) for what, value in items]) > (
        width - gap * len(items)
    ):
        if scale > SMALLEST_TEXT:
            scale, gap = scale * 0.95, gap * 0.95
        elif len(items) > 1:
            items.pop()
        else:
            break
    height = max(18, round(56 * scale)) // 2 * 2
    bar = np.full((height, width, 3), BAR_COLOUR, np.uint8)
    x, y = gap / 2, round(height / 2 + 10 * scale)
    for (what, value), size in zip(items, sizes, strict=True):
        at = round(x + _text_width(f"{what} ", scale)), y
        cv2.putText(bar, what, (round(x), y), FONT, scale, DIM_COLOUR, 1, cv2.LINE_AA)
        cv2.putText(bar, value, at, FONT, scale, TEXT_COLOUR, 1, cv2.LINE_AA)
        x += size + gap
    return bar


def _text_width(text: str, scale: float) -> int:
    return int(cv2.getTextSize(text, FONT, scale, 1)[0][0])


def caption(image: Image, text: str) -> Image:
    """`image` (H, W, 3) with a title in its upper left corner, drawn in place."""
    scale = max(0.4, min(image.shape[:2]) / 900)
    (width, height), below = cv2.getTextSize(text, FONT, scale, 1)
    pad = 4
    cv2.rectangle(image, (0, 0), (width + 2 * pad, height + below + pad), BAR_COLOUR, cv2.FILLED)
    cv2.putText(image, text, (pad, height + pad), FONT, scale, TEXT_COLOUR, 1, cv2.LINE_AA)
    return image


def side_by_side(left: Image, right: Image, gap: int = 4) -> Image:
    """Two RGB pictures beside each other; the right one is brought to the left one's size."""
    height, width = left.shape[:2]
    if right.shape[:2] != (height, width):
        right = cast("Image", cv2.resize(right, (width, height), interpolation=cv2.INTER_CUBIC))
    between = np.full((height, gap, 3), BAR_COLOUR, np.uint8)
    return np.concatenate([left, between, right], axis=1)


def fit(image: Image, size: tuple[int, int]) -> Image:
    """`image` (H, W, 3) scaled into `size` (width, height) with bars where the shapes differ."""
    width, height = size
    if image.shape[:2] == (height, width):
        return image
    scale = min(width / image.shape[1], height / image.shape[0])
    inner = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    canvas = np.full((height, width, 3), BAR_COLOUR, np.uint8)
    x, y = (width - inner[0]) // 2, (height - inner[1]) // 2
    canvas[y : y + inner[1], x : x + inner[0]] = resize(image, *inner)
    return canvas
