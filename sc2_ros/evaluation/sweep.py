# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy and bytes of several systems over the same images.

::

    sample --> OnboardPipeline --packets--> (lost at random) --> GroundPipeline --> scores
       |
       +-----> image codec --bytes--> decoded image --> encoder --> ground network --> scores
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sc2_ros.evaluation.detection import DetectionScore
from sc2_ros.evaluation.row import Row
from sc2_ros.evaluation.segmentation import SegmentationScore
from sc2_ros.training.datasets import Dataset, Sample


@dataclass(frozen=True)
class Outcome:
    """What one frame cost and gave: wire bytes, boxes in source pixels, mask of any size or None.

    The default is a frame of which nothing arrived.
    """

    size_bytes: int
    boxes: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 4), np.float32))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    labels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
    mask: NDArray[np.uint8] | None = None


class System(Protocol):
    """Anything that turns an image into bytes and the bytes into boxes and a mask."""

    name: str
    loss: float
    detection_classes: tuple[str, ...]
    mask_classes: tuple[str, ...]

    @property
    def rate_index(self) -> float | None:
        """Of a stream; None for systems that have no such thing."""

    def run(self, sample: Sample) -> Outcome:
        """Send one image through."""


class _Tally:
    """The scores of one system."""

    def __init__(self, system: System, dataset: Dataset) -> None:
        self.system, self.frames, self.size_bytes = system, 0, 0
        self.detection = DetectionScore(dataset.detection_classes, system.detection_classes)
        self.segmentation = SegmentationScore(system.mask_classes, dataset.mask_classes)

    def add(self, sample: Sample) -> None:
        outcome = self.system.run(sample)
        self.frames += 1
        self.size_bytes += outcome.size_bytes
        self.detection.add(sample, outcome.boxes, outcome.scores, outcome.labels)
        if sample.mask is not None:
            self.segmentation.add(sample.mask, outcome.mask)

    def row(self) -> Row:
        result = self.detection.result()
        return Row(
            system=self.system.name,
            rate_index=self.system.rate_index,
            loss=self.system.loss,
            frames=self.frames,
            bytes_per_frame=self.size_bytes / max(1, self.frames),
            ap50=result.ap50,
            mean_ap50=result.mean_ap50,
            miou=self.segmentation.miou(),
        )


def choose(count: int, limit: int | None) -> list[int]:
    """Indices of at most `limit` of `count` items, spread evenly."""
    if limit is None or limit >= count:
        return list(range(count))
    return [i * count // limit for i in range(limit)]


def sweep(
    systems: Sequence[System],
    dataset: Dataset,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Row]:
    """One row per system over the same images, each image read once.

    `on_progress` is called with the number of images done and their total.
    """
    tallies = [_Tally(system, dataset) for system in systems]
    indices = choose(len(dataset), limit)
    for done, index in enumerate(indices, start=1):
        sample = dataset[index]
        for tally in tallies:
            tally.add(sample)
        on_progress(done, len(indices))
    return [tally.row() for tally in tallies]
