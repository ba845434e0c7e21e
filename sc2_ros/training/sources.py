# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The data sets of a mixture: in memory where they fit, else read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sc2_ros.data import DETECTION_CLASSES, MASK_CLASSES, Dataset, Sample, open_dataset
from sc2_ros.data.base import mask_lookup
from sc2_ros.errors import ParameterError
from sc2_ros.training import distributed
from sc2_ros.training.augment import VOID, AugmentConfig, augment, augment_whole, check_scales
from sc2_ros.training.pasting import Cutout, cutouts, paste

# A data set whose decoded pixels take more than this is read from disk for every batch.
MEMORY_BYTES = 3 << 30
_SAMPLES_FOR_COUNTS = 500

_NO_DATA = "a training needs data: sources in the configuration is empty; name a data set"
_LABELS = {"boxes": "detection_classes", "masks": "mask_classes", "categories": "image_classes"}


@dataclass(frozen=True)
class SourceConfig:
    """One data set of the mixture: its path, crops per batch, scale range and orientations.

    balance: how much more often images with rare classes are drawn: each by the rarest class it
    has, in proportion to the number of that class's boxes to the power of minus this. 0: all
    alike; 0.5: as the repeat factors of Gupta et al. 2019 (LVIS, section 4.3).

    paste: how many objects of other images are pasted into a crop on average (`pasting`), where
    the data set has boxes and masks of them; for views from straight above.
    """

    path: str
    per_batch: int
    scale_min: float = 0.75
    scale_max: float = 1.3
    vertical_flip: float = 0.0
    turn: float = 0.0
    balance: float = 0.0
    paste: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for no crops, or scales of which there are no pictures."""
        if self.per_batch < 1:
            raise ParameterError(f"per_batch is {self.per_batch}; give 1 crop or more")
        check_scales(self.scale_min, self.scale_max)


def training_data(sources: Sequence[SourceConfig]) -> list[tuple[int, Dataset]]:
    """The training split of each source, with how many of a batch it gives.

    Raises:
        ParameterError: there is none.
        InputError: one of them cannot be read.
    """
    if not sources:
        raise ParameterError(_NO_DATA)
    return [(source.per_batch, open_dataset(source.path, "train")) for source in sources]


def some_images(
    shares: Sequence[tuple[int, Sequence[Sample]]], count: int, seed: int
) -> list[NDArray[np.uint8]]:
    """About `count` images (H, W[, 3]) of samples, shared out as they share a batch."""
    rng = np.random.default_rng(seed)
    total = sum(per_batch for per_batch, _ in shares)
    images = []
    for per_batch, data in shares:
        chosen = rng.permutation(len(data))[: max(count * per_batch // total, 1)]
        images += [data[int(number)].image for number in chosen]
    return images


class Source:
    """A data set and how its samples are varied.

    `samples` are held in memory as decoded pixels where all of them fit into MEMORY_BYTES, else
    they are read when asked for. `labelled` (classes,) says which of our classes have boxes.
    """

    def __init__(
        self,
        config: SourceConfig,
        augmentation: AugmentConfig,
        split: str = "train",
        mask_classes: Sequence[str] = MASK_CLASSES,
        limit: int | None = None,
        data: Dataset | None = None,
    ) -> None:
        """Open the data set and read it where it fits.

        mask_classes: names of the numbers in batches, the data set's own or ours; limit: only so
        many samples, evenly spread; data: what is open already, in place of config.path.
        """
        self.data = open_dataset(config.path, split) if data is None else data
        first = self.data[0]
        pixels = first.image.nbytes + (0 if first.mask is None else first.mask.nbytes)
        count = len(self.data) if limit is None else min(limit, len(self.data))
        self.in_memory = pixels * count <= MEMORY_BYTES
        self.samples: Sequence[Sample] = self.data
        if self.in_memory:
            self.samples = [self.data[i * len(self.data) // count] for i in range(count)]
        self.config, self.per_batch = config, config.per_batch
        self.augmentation = replace(
            augmentation,
            scale_min=config.scale_min,
            scale_max=config.scale_max,
            vertical_flip=config.vertical_flip,
            turn=config.turn,
        )
        self.labelled = np.array(
            [name in self.data.detection_classes for name in DETECTION_CLASSES]
        )
        self.mask_lookup = mask_lookup(self.data.mask_classes, mask_classes)
        self.cutouts: list[Cutout] = []
        if config.paste > 0:
            self.cutouts = cutouts(self.samples, self.mask_lookup, mask_classes)
        step = 1 if self.in_memory else max(1, len(self.samples) // _SAMPLES_FOR_COUNTS)
        labels = [self.samples[i].labels for i in range(0, len(self.samples), step)]
        counts = np.bincount(np.concatenate(labels), minlength=len(DETECTION_CLASSES))
        self.weights: NDArray[np.float64] = 1 / np.sqrt(np.maximum(counts, 100.0))
        self.chances: NDArray[np.float64] | None = None
        if config.balance > 0 and self.in_memory:
            rarity = np.maximum(counts, 100.0) ** -config.balance
            rarest = [rarity[known].max(initial=rarity.min()) for known in labels]
            self.chances = np.array(rarest) / np.sum(rarest)

    def draw(self, rng: np.random.Generator) -> Sample:
        """One augmented sample, chosen at random."""
        number = (
            int(rng.integers(len(self.samples)))
            if self.chances is None
            else int(rng.choice(len(self.samples), p=self.chances))
        )
        sample = self.samples[number]
        if self.data.image_classes:
            return augment_whole(sample, self.augmentation, rng)
        sample = augment(sample, self.augmentation, rng, self.weights)
        if self.cutouts:
            sample = paste(sample, self.cutouts, self.config.paste, rng)
        return sample


def open_sources(
    configs: Sequence[SourceConfig],
    augmentation: AugmentConfig,
    split: str = "train",
    mask_classes: Sequence[str] = MASK_CLASSES,
    need: Sequence[str] = (),
) -> list[Source]:
    """Open the data sets of a mixture and print a line about each.

    need: of "boxes", "masks" and "categories"; at least one data set must have one of them.

    Raises:
        ParameterError: there is none, or none has what is needed.
        InputError: one of them cannot be read.
    """
    if not configs:
        raise ParameterError(_NO_DATA)
    sources = [Source(config, augmentation, split, mask_classes) for config in configs]
    for source in sources:
        where = "" if source.in_memory else ", read from disk"
        size, share = len(source.samples), source.per_batch
        if distributed.is_main():
            known = labels_of(source.data)
            print(f"{source.config.path}: {size} images, {share} per batch, {known}{where}")
    if need and not any(_has(source, kind) for source in sources for kind in need):
        names = ", ".join(source.config.path for source in sources)
        raise ParameterError(
            f"this recipe needs {' or '.join(need)}; none of {names} has any of its classes"
        )
    return sources


def _has(source: Source, kind: str) -> bool:
    """Whether it has labels of that kind for classes that are learned here."""
    if kind == "boxes":
        return bool(source.labelled.any())
    if kind == "masks":
        return bool((source.mask_lookup != VOID).any())
    return bool(source.data.image_classes)


def labels_of(data: Dataset) -> str:
    """What a data set labels, for people: "boxes of person, car"."""
    kinds = {name: getattr(data, field) for name, field in _LABELS.items()}
    texts = [f"{name} of {', '.join(classes)}" for name, classes in kinds.items() if classes]
    return "; ".join(texts) or "no labels"
