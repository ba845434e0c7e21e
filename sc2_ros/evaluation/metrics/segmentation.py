# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Mean IoU by a confusion matrix, over the classes that checkpoint and data set share by name."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from sc2_ros.data import VOID

# Names of other data sets for our mask classes.
_ALIASES = {"tree": "vegetation", "car": "vehicle", "pedestrian": "person"}


def shared_classes(model_classes: Sequence[str], data_classes: Sequence[str]) -> tuple[str, ...]:
    """The model's classes that the data set has too, by name (tree is vegetation, and so on).

    A model trained on the data set's own classes shares all of them. "other" is shared only where
    both mean the same rest, that is where they have the same classes.
    """
    data = {_common(name, model_classes) for name in data_classes}
    same = set(model_classes) == set(data_classes)
    return tuple(name for name in model_classes if name in data and (name != "other" or same))


class SegmentationScore:
    """Collects masks in a confusion matrix.

    Pixels of classes that the model has no name for do not count. On the others, whatever the model
    says that is not the truth is an error, a lost mask too.
    """

    def __init__(self, model_classes: Sequence[str], data_classes: Sequence[str]) -> None:
        """Match the two lists of names."""
        self.classes = shared_classes(model_classes, data_classes)
        count = len(self.classes)
        self._truth_of = np.full(256, VOID, np.uint8)
        for number, name in enumerate(data_classes):
            if _common(name, model_classes) in self.classes:
                self._truth_of[number] = self.classes.index(_common(name, model_classes))
        self._answer_of = np.full(256, count, np.uint8)
        for number, name in enumerate(model_classes):
            if name in self.classes:
                self._answer_of[number] = self.classes.index(name)
        # Rows: truth; columns: answer, the last one for any answer that is not a shared class.
        self.confusion = np.zeros((count, count + 1), np.int64)

    def add(self, truth: NDArray[np.uint8], answer: NDArray[np.uint8] | None) -> None:
        """One frame: truth (H, W) in the data set's numbers, answer of any size in the model's.

        The answer is stretched to the truth's size by the nearest value; None = the mask was lost.
        """
        height, width = truth.shape
        if answer is None:
            answer = np.full(truth.shape, VOID, np.uint8)
        elif answer.shape != truth.shape:
            stretched = cv2.resize(answer, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
            answer = stretched.astype(np.uint8, copy=False)
        rows, columns = self._truth_of[truth], self._answer_of[answer]
        counted = rows != VOID
        pairs = rows[counted].astype(np.int64) * self.confusion.shape[1] + columns[counted]
        self.confusion += np.bincount(pairs, minlength=self.confusion.size).reshape(
            self.confusion.shape
        )

    def iou(self) -> dict[str, float | None]:
        """IoU per shared class; None where the class is not in the truth."""
        hits = np.diagonal(self.confusion)
        truth, answers = self.confusion.sum(1), self.confusion.sum(0)[:-1]
        return {
            name: float(hits[i] / (truth[i] + answers[i] - hits[i])) if truth[i] else None
            for i, name in enumerate(self.classes)
        }

    def miou(self) -> float | None:
        """Mean IoU over the shared classes that the truth has; None where it has none."""
        values = [v for v in self.iou().values() if v is not None]
        return sum(values) / len(values) if values else None


def _common(data_name: str, model_classes: Sequence[str]) -> str:
    """The model's name for a data set's class; unchanged where the model knows it or none does."""
    return data_name if data_name in model_classes else _ALIASES.get(data_name, data_name)
