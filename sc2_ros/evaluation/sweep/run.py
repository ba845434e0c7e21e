# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy and bytes of several systems over the same images.

::

    sample --> system.encode --packets--> (lost at random) --> system.decode --> Outputs --> scores
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from sc2_ros.data import Dataset, Sample
from sc2_ros.data.splits import choose
from sc2_ros.evaluation.metrics.classification import ClassificationScore
from sc2_ros.evaluation.metrics.detection import DetectionScore
from sc2_ros.evaluation.metrics.segmentation import SegmentationScore
from sc2_ros.evaluation.sweep.row import Row
from sc2_ros.evaluation.systems.system import PacketSystem
from sc2_ros.link.on_air import on_air_bytes

LABELS = "labels"


class _Tally:
    """The scores of one system, and the link that it has to itself."""

    def __init__(self, system: PacketSystem, dataset: Dataset, loss: float, seed: int) -> None:
        self.system, self.frames, self.size_bytes = system, 0, 0
        self.packets = self.payload_bytes = 0
        self._payload_of = getattr(system, "payload_bytes", None)
        self.sequential: bool = getattr(system, "sequential", False)
        self.loss = loss if getattr(system, "lossy", True) else 0.0
        self.truth: str = getattr(dataset, "truth", LABELS)
        self._random = np.random.default_rng(seed)
        self.detection = DetectionScore(dataset.detection_classes, system.detection_classes)
        self.segmentation = SegmentationScore(system.mask_classes, dataset.mask_classes)
        self.classification = ClassificationScore(system.image_classes, dataset.image_classes)

    def add(self, sample: Sample) -> None:
        """A frame that counts: bytes are those of all packets sent, lost ones included."""
        packets = self.system.encode(sample.image)
        arrived = [p for p in packets if self._random.random() >= self.loss]
        outputs = self.system.decode(arrived)
        self.frames += 1
        self.packets += len(packets)
        self.size_bytes += sum(map(len, packets))
        if self._payload_of is not None:
            self.payload_bytes += sum(map(self._payload_of, packets))
        self.detection.add(sample, outputs.boxes, outputs.scores, outputs.labels)
        if sample.mask is not None:
            self.segmentation.add(sample.mask, outputs.mask)
        if sample.category is not None:
            self.classification.add(sample.category, outputs.category)

    def follow(self, sample: Sample) -> None:
        """A frame between those that count, for systems that predict from it."""
        packets = self.system.encode(sample.image)
        self.system.follow(packets)  # type: ignore[attr-defined]  # only sequential systems

    def row(self) -> Row:
        result = self.detection.result()
        system = self.system
        rate_index: float | None = getattr(system, "rate_index", None)
        named = system.setting and rate_index is None
        frames = max(1, self.frames)
        told = self._payload_of is not None
        return Row(
            system=f"{system.name}:{system.setting}" if named else system.name,
            rate_index=rate_index,
            loss=self.loss,
            frames=self.frames,
            bytes_per_frame=self.size_bytes / frames,
            ap50=result.ap50,
            mean_ap50=result.mean_ap50,
            miou=self.segmentation.miou(),
            setting=system.setting,
            ap=result.ap,
            ap_by_size=result.ap_by_size,
            ap50_by_size=result.ap50_by_size,
            iou=self.segmentation.iou(),
            top1=self.classification.top1(),
            ap75=result.ap75,
            mean_ap=result.mean_ap,
            mean_ap75=result.mean_ap75,
            all_ap50=result.all_ap50,
            all_ap=result.all_ap,
            truth=self.truth,
            payload_bytes_per_frame=round(self.payload_bytes / frames, 1) if told else None,
            packets_per_frame=round(self.packets / frames, 2),
            on_air_bytes_per_frame=on_air_bytes(self.size_bytes / frames, self.packets / frames),
        )


def sweep(
    systems: Sequence[PacketSystem],
    dataset: Dataset,
    limit: int | None = None,
    on_progress: Callable[[int, int], None] = lambda done, total: None,
    *,
    loss: float = 0.0,
    seed: int = 0,
) -> list[Row]:
    """One row per system over the same images, each image read once.

    Args:
        systems: a system may say `lossy = False` (no packet of it is ever lost) and
            `sequential = True` (it predicts from frame to frame: with a limit it still sees every
            image, in order, and has a method `follow(packets)` for those that do not count); and
            `payload_bytes(packet)`, how many of a packet's bytes are entropy-coded.
        dataset: a split.
        limit: at most so many images, spread evenly over the split.
        on_progress: called with the number of images done and their total.
        loss: probability of each packet to be lost.
        seed: of the losses, the same for every system.
    """
    tallies = [_Tally(system, dataset, loss, seed) for system in systems]
    chosen = choose(len(dataset), limit)
    in_order = [tally for tally in tallies if tally.sequential]
    counted = set(chosen)
    indices = range(chosen[-1] + 1) if in_order and chosen else chosen
    for done, index in enumerate(indices, start=1):
        sample = dataset[index]
        if index in counted:
            for tally in tallies:
                tally.add(sample)
        else:
            for tally in in_order:
                tally.follow(sample)
        on_progress(done, len(indices))
    return [tally.row() for tally in tallies]
