# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mixed batches of augmented samples, made in a background thread."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from sc2_ros.training.augment import VOID, AugmentConfig, augment
from sc2_ros.training.datasets import DETECTION_CLASSES, MASK_CLASSES, Sample, open_dataset
from sc2_ros.training.detection_loss import DetectionTarget, make_target


@dataclass(frozen=True)
class SourceConfig:
    """One data set of the mixture: its path, crops per batch, and factors on the scale range."""

    path: str
    per_batch: int
    scale_min: float = 0.75
    scale_max: float = 1.3
    vertical_flip: float = 0.0


@dataclass(frozen=True)
class Batch:
    """image (B, 3, S, S) float [0, 1]; targets per image; mask (B, S/4, S/4) int64, 255 = void."""

    image: torch.Tensor
    targets: list[DetectionTarget]
    mask: torch.Tensor


class Source:
    """A data set held in memory as decoded pixels."""

    def __init__(self, config: SourceConfig, augmentation: AugmentConfig) -> None:
        """Reads the whole training split."""
        data = open_dataset(config.path, "train")
        self.samples: list[Sample] = [data[number] for number in range(len(data))]
        self.per_batch = config.per_batch
        self.augmentation = replace(
            augmentation,
            scale_min=config.scale_min,
            scale_max=config.scale_max,
            vertical_flip=config.vertical_flip,
        )
        self.labelled = np.array([name in data.detection_classes for name in DETECTION_CLASSES])
        self.mask_lookup = np.full(256, VOID, np.uint8)
        for number, name in enumerate(data.mask_classes):
            if name in MASK_CLASSES:
                self.mask_lookup[number] = MASK_CLASSES.index(name)
        counts = np.bincount(
            np.concatenate([sample.labels for sample in self.samples] or [np.zeros(0, int)]),
            minlength=len(DETECTION_CLASSES),
        )
        self.weights: NDArray[np.float64] = 1 / np.sqrt(np.maximum(counts, 100.0))

    def draw(self, rng: np.random.Generator) -> Sample:
        """One augmented sample, chosen at random."""
        sample = self.samples[int(rng.integers(len(self.samples)))]
        return augment(sample, self.augmentation, rng, self.weights)


def make_batch(sources: list[Source], rng: np.random.Generator, crop: int) -> Batch:
    """One batch with the mixture's share of every source."""
    images, targets, masks = [], [], []
    for source in sources:
        for _ in range(source.per_batch):
            sample = source.draw(rng)
            images.append(sample.image)
            targets.append(
                make_target(sample.boxes, sample.labels, sample.ignore, source.labelled, crop)
            )
            mask = np.full((crop // 4, crop // 4), VOID, np.uint8)
            if sample.mask is not None:
                small = cv2.resize(
                    sample.mask, (crop // 4, crop // 4), interpolation=cv2.INTER_NEAREST
                )
                mask = source.mask_lookup[small]
            masks.append(mask)
    image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float().div_(255)
    return Batch(
        image.contiguous(memory_format=torch.channels_last),
        targets,
        torch.from_numpy(np.stack(masks)).long(),
    )


def stream_batches(
    sources: list[Source], seed: int, crop: int, workers: int = 1, ahead: int = 6
) -> Iterator[Batch]:
    """Endless batches; `workers` threads keep up to `ahead` ready each.

    Batch n comes from worker n modulo workers, so the order depends on the seed alone.
    """
    queues: list[queue.Queue[Batch | BaseException]] = [queue.Queue(ahead) for _ in range(workers)]

    def work(number: int) -> None:
        rng = np.random.default_rng((seed, number))
        while True:
            try:
                queues[number].put(make_batch(sources, rng, crop))
            except BaseException as error:  # handed to the consumer, which raises it
                queues[number].put(error)
                return

    for number in range(workers):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    turn = 0
    while True:
        batch = queues[turn % workers].get()
        if isinstance(batch, BaseException):
            raise batch
        yield batch
        turn += 1
