# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Accuracy without labels: how well a system agrees with its own network on uncompressed images.

What the network says of the uncompressed image stands for the truth: boxes from a score on, the
whole mask, the category. A system that changes nothing has AP 1, however good the network is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sc2_ros.data import DETECTION_CLASSES, Dataset, Sample
from sc2_ros.evaluation.systems.image_network import ImageNetwork
from sc2_ros.evaluation.systems.system import Outputs


class AgreementDataset(Dataset):
    """The images of a data set, labelled or not, with a network's answers as their truth."""

    def __init__(
        self, images: Dataset, answers: Mapping[int, Outputs], network: ImageNetwork, score: float
    ) -> None:
        """answers: by index, of those images that will count; score: of the weakest true box."""
        self.name, self.split = images.name, images.split
        self.truth = f"agreement, score >= {score:g}"
        self.mask_classes, self.image_classes = network.mask_classes, network.image_classes
        known = [name for name in network.detection_classes if name in DETECTION_CLASSES]
        self.detection_classes = tuple(known)
        self._number = np.array(
            [
                DETECTION_CLASSES.index(name) if name in DETECTION_CLASSES else -1
                for name in network.detection_classes
            ],
            np.int64,
        )
        self._images, self._answers, self._score = images, answers, score

    def __len__(self) -> int:
        """As many as there are images."""
        return len(self._images)

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """The image; with its truth where there is one for it."""
        sample = self._images[index]
        answer = self._answers.get(index)
        if answer is None:
            return Sample(sample.image, sample.name)
        labels = self._number[answer.labels]
        sure = (answer.scores >= self._score) & (labels >= 0)
        return replace(
            Sample(sample.image, sample.name),
            boxes=answer.boxes[sure],
            labels=labels[sure],
            mask=answer.mask,
            category=answer.category,
        )


def answers(network: ImageNetwork, images: Dataset, indices: Sequence[int]) -> dict[int, Outputs]:
    """What the network says of the uncompressed images, by index."""
    return {index: network(images[index].image) for index in indices}
