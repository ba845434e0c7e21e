# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Top-1 accuracy, over the classes that system and data set share by name."""

from __future__ import annotations

from collections.abc import Sequence


class ClassificationScore:
    """Counts right answers. Images of classes that the system has no name for do not count."""

    def __init__(self, model_classes: Sequence[str], data_classes: Sequence[str]) -> None:
        """Names of the system's and of the data set's numbers."""
        self._model, self._data = tuple(model_classes), tuple(data_classes)
        self.right = self.total = 0

    def add(self, truth: int, answer: int | None) -> None:
        """One image; None = the answer was lost, which is a wrong one."""
        name = self._data[truth]
        if name in self._model:
            self.total += 1
            self.right += answer is not None and self._model[answer] == name

    def top1(self) -> float | None:
        """Share of right answers; None where nothing was asked."""
        return self.right / self.total if self.total else None
