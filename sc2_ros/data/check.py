# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whether a data set is fit to train on: reads every image and label once, and draws some."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

from sc2_ros.data.base import DETECTION_CLASSES, MASK_CLASSES, VOID, Dataset, Sample, mask_lookup
from sc2_ros.errors import InputError
from sc2_ros.media.overlay import annotate, tint
from sc2_ros.network.imaging import resize

SMALL_PX = 8
"""Boxes below this side are two cells of the detection head: hardly found at any rate."""
SHEET_COLUMNS, TILE_PX = 4, 320
_MOST_NAMED = 5

Image = npt.NDArray[np.uint8]


@dataclass
class Findings:
    """What a split of a data set holds.

    Attributes:
        name: data set and split.
        images: images that could be read.
        unreadable: what is wrong with the others.
        boxes: per class, (N, 2) width and height in pixels.
        ignored: boxes of regions to ignore.
        flat: boxes without width or height inside of their image.
        empty: images without a box or region, of a data set with boxes.
        void_masks: images with a mask that is void everywhere.
        mask_shares: per mask class, its share of the labelled pixels.
        missed_masks: the mask classes that are learned, where none of the set's is one of them.
        left_out: names of classes in the data set's files that none of ours stands for.
        labelled: whether any image has a box, mask or category that can be used.
        digests: of each image's pixels, its name: equal pictures in two splits are a leak.
    """

    name: str
    images: int = 0
    unreadable: list[str] = field(default_factory=list)
    boxes: dict[str, npt.NDArray[np.float32]] = field(default_factory=dict)
    ignored: int = 0
    flat: int = 0
    empty: int = 0
    mask_shares: dict[str, float] = field(default_factory=dict)
    missed_masks: tuple[str, ...] = ()
    void_masks: int = 0
    left_out: tuple[str, ...] = ()
    labelled: bool = True
    digests: dict[bytes, str] = field(default_factory=dict)

    def warnings(self) -> list[str]:
        """What to look at before training, a sentence each; empty: nothing."""
        found = []
        if self.images and not self.labelled:
            found.append(
                f"none of {self.images} images has a box, mask or category: only `sc2 train adapt` "
                "learns from it; docs/training.md shows where labels are looked for"
            )
        if self.unreadable:
            first = "; ".join(self.unreadable[:_MOST_NAMED])
            found.append(f"{len(self.unreadable)} images cannot be used: {first}")
        if self.void_masks:
            found.append(f"{self.void_masks} images have a mask that is void everywhere")
        if self.mask_shares and self.missed_masks:
            found.append(
                f"none of the mask classes {', '.join(self.mask_shares)} is one of "
                f"{', '.join(self.missed_masks)}, so a stream learns nothing from these masks: "
                "rename classes, or learn the set's own with `settings: {mask_classes: own}`"
            )
        if self.left_out:
            found.append(
                f"objects of {', '.join(self.left_out)} are left out: none of "
                f"{', '.join(DETECTION_CLASSES)} (rename the class to use them)"
            )
        if self.flat:
            found.append(f"{self.flat} boxes have no width or height inside of their image")
        if self.images and self.empty > self.images / 2 and self.boxes:
            found.append(f"{self.empty} of {self.images} images have no box: are labels missing?")
        for name, sizes in self.boxes.items():
            small = int((sizes.min(axis=1) < SMALL_PX).sum()) if len(sizes) else 0
            if not len(sizes):
                found.append(f"{name}: no box, though the data set is said to label it")
            elif small > len(sizes) / 2:
                found.append(
                    f"{name}: {small} of {len(sizes)} boxes are narrower than {SMALL_PX} px; train "
                    "with scale_min above 1 or larger images"
                )
        return found


def examine(data: Dataset, mask_classes: Sequence[str] = MASK_CLASSES) -> tuple[Findings, Image]:
    """Read a split whole; returns what it holds and a contact sheet, uint8 RGB (H, W, 3).

    mask_classes: names of those that are learned.
    The sheet shows up to 16 images, spread evenly, with their boxes and masks.
    """
    found = Findings(f"{data.name} {data.split}", left_out=data.left_out_classes)
    sizes: dict[str, list[npt.NDArray[np.float32]]] = {n: [] for n in data.detection_classes}
    pixels: Counter[int] = Counter()
    shown = {i * len(data) // 16 for i in range(16)}
    tiles = []
    for number in range(len(data)):
        try:
            sample = data[number]
        except InputError as error:
            found.unreadable.append(str(error))
            continue
        found.images += 1
        found.digests[_digest(sample.image)] = sample.name
        found.ignored += len(sample.ignore)
        found.empty += not len(sample.boxes) + len(sample.ignore)
        side = sample.boxes[:, 2:] - sample.boxes[:, :2]
        whole = side.min(axis=1, initial=np.inf) > 0
        found.flat += int((~whole).sum())
        for label, name in enumerate(DETECTION_CLASSES):
            if name in sizes:
                sizes[name].append(side[whole & (sample.labels == label)])
        if sample.mask is not None:
            numbers, counts = np.unique(sample.mask[sample.mask != VOID], return_counts=True)
            found.void_masks += not len(numbers)
            pixels.update(dict(zip(numbers.tolist(), counts.tolist(), strict=True)))
        if number in shown:
            tiles.append(_tile(sample, data.mask_classes))
    empty = np.zeros((0, 2), np.float32)
    found.boxes = {name: np.concatenate([empty, *parts]) for name, parts in sizes.items()}
    total = sum(pixels.values())
    found.mask_shares = {
        name: pixels[number] / total for number, name in enumerate(data.mask_classes) if total
    }
    if (mask_lookup(data.mask_classes, mask_classes) == VOID).all():
        found.missed_masks = tuple(mask_classes)
    anything = total or found.ignored or any(map(len, found.boxes.values()))
    found.labelled = bool(data.image_classes or anything)
    return found, contact_sheet(tiles)


def shared_images(one: Findings, other: Findings) -> list[str]:
    """Names of the images of `one` whose pixels are also in `other`."""
    return sorted(one.digests[digest] for digest in one.digests.keys() & other.digests.keys())


def contact_sheet(tiles: Sequence[Image]) -> Image:
    """Tiles (TILE_PX, TILE_PX, 3) in rows of SHEET_COLUMNS; a grey one where there is none."""
    rows = max(1, -(-len(tiles) // SHEET_COLUMNS))
    sheet = np.full((rows * TILE_PX, SHEET_COLUMNS * TILE_PX, 3), 60, np.uint8)
    for number, tile in enumerate(tiles):
        y, x = (side * TILE_PX for side in divmod(number, SHEET_COLUMNS))
        sheet[y : y + tile.shape[0], x : x + tile.shape[1]] = tile
    return sheet


def _tile(sample: Sample, mask_classes: Sequence[str]) -> Image:
    """The image with its labels, scaled into a tile before the boxes are drawn."""
    height, width = sample.image.shape[:2]
    scale = TILE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    image = resize(sample.image, *size)
    if sample.mask is not None:
        grey = image.ndim == 2
        colours = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB) if grey else image
        image = tint(colours.astype(np.uint8), sample.mask, mask_classes)
    boxes = np.concatenate((sample.boxes, sample.ignore)) * np.float32(scale)
    labels = np.concatenate((sample.labels, np.full(len(sample.ignore), len(DETECTION_CLASSES))))
    names = (*DETECTION_CLASSES, "ignore")
    return annotate(
        image, boxes, labels, scores=None, mask=None, detection_classes=names, mask_classes=()
    )


def _digest(image: Image) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(image), digest_size=16).digest()
