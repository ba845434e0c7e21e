# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The data sets of a mixture: in memory where they fit, else read when asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sc2_ros.data import DETECTION_CLASSES, MASK_CLASSES, Dataset, Sample, open_dataset
from sc2_ros.data.base import mask_lookup
from sc2_ros.data.splits import sequences
from sc2_ros.errors import ParameterError
from sc2_ros.training import distributed
from sc2_ros.training.augment import VOID, AugmentConfig, augment, augment_whole, middle
from sc2_ros.training.pasting import Cutout, cutouts, paste

# A data set whose decoded pixels take more than this is read from disk for every batch.
MEMORY_BYTES = 3 << 30
_SAMPLES_FOR_COUNTS = 500
# Of a larger image the fits after a training see its middle: they keep hundreds of images at once,
# and each looks at a part only (640x640 px for saliency, 960x640 for pairs of frames).
LARGEST_SIDES = (1920, 1080)

_NO_DATA = "a training needs data: sources in the configuration is empty; name a data set"
_LABELS = {"boxes": "detection_classes", "masks": "mask_classes", "categories": "image_classes"}


@dataclass(frozen=True)
class SourceConfig:
    """One data set of the mixture: its path, crops per batch, scale range and orientations.

    scale_min, scale_max, vertical_flip, turn: as in AugmentConfig, whose values hold where they are
    None.

    balance: how much more often images with rare classes are drawn: each by the rarest class it
    has, in proportion to the number of that class's boxes to the power of minus this. 0: all
    alike; 0.5: as the repeat factors of Gupta et al. 2019 (LVIS, section 4.3). A set that does not
    fit into memory is read once for it, before the training.

    by_sequence: whether recordings are drawn alike, however many frames they have (`sequences`),
    so that a long one does not outweigh those that show something else; read as for balance.

    paste: how many objects of other images are pasted into a crop on average (`pasting`), where
    the data set has boxes and masks of them; for views from straight above.
    """

    path: str
    per_batch: int
    scale_min: float | None = None
    scale_max: float | None = None
    vertical_flip: float | None = None
    turn: float | None = None
    balance: float = 0.0
    by_sequence: bool = False
    paste: float = 0.0

    def __post_init__(self) -> None:
        """Raise ParameterError for no crops."""
        if self.per_batch < 1:
            raise ParameterError(f"per_batch is {self.per_batch}; give 1 crop or more")

    def augmentation(self, shared: AugmentConfig) -> AugmentConfig:
        """How this set's samples are varied: as all are, but for what is said here.

        Raises:
            ParameterError: there are no pictures of the scales that come of it.
        """
        names = ("scale_min", "scale_max", "vertical_flip", "turn")
        own = {name: value for name in names if (value := getattr(self, name)) is not None}
        return replace(shared, **own)


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
    """About `count` images (H, W[, 3]) of samples, shared out as they share a batch.

    Of larger ones it is the middle of LARGEST_SIDES.
    """
    rng = np.random.default_rng(seed)
    total = sum(per_batch for per_batch, _ in shares)
    images = []
    for per_batch, data in shares:
        chosen = rng.permutation(len(data))[: max(count * per_batch // total, 1)]
        images += [middle(data[int(number)].image, LARGEST_SIDES) for number in chosen]
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
        self.augmentation = config.augmentation(augmentation)
        self.labelled = np.array(
            [name in self.data.detection_classes for name in DETECTION_CLASSES]
        )
        self.mask_lookup = mask_lookup(self.data.mask_classes, mask_classes)
        self.cutouts: list[Cutout] = []
        if config.paste > 0:
            self.cutouts = cutouts(self.samples, self.mask_lookup, mask_classes)
        every = self.in_memory or config.balance > 0 or config.by_sequence
        step = 1 if every else max(1, len(self.samples) // _SAMPLES_FOR_COUNTS)
        labels = [self.samples[i].labels for i in range(0, len(self.samples), step)]
        counts = np.bincount(np.concatenate(labels), minlength=len(DETECTION_CLASSES))
        self.weights: NDArray[np.float64] = 1 / np.sqrt(np.maximum(counts, 100.0))
        self.chances: NDArray[np.float64] | None = None
        if config.balance > 0 or config.by_sequence:
            rarity = np.maximum(counts, 100.0) ** -config.balance
            chances = np.array([rarity[known].max(initial=rarity.min()) for known in labels])
            if config.by_sequence:
                chances /= _sequence_lengths([sample.name for sample in self.samples])
            self.chances = chances / chances.sum()

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


def _sequence_lengths(names: Sequence[str]) -> NDArray[np.int64]:
    """(images,) of how many images the recording of each is made."""
    stems = [Path(name).stem for name in names]
    length = {stem: len(run) for run in sequences(stems) for stem in run}
    return np.array([length[stem] for stem in stems])


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
