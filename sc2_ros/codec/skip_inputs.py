# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What the skip network sees round a position: what is decoded, and what the reference says."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.context_network import REACH
from sc2_ros.codec.layout import TAPS, Layout, layout, patch_rows
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.skip import side_planes
from sc2_ros.codec.slicing import Grid

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


class Rows:
    """Rows of arrays, taken into memory that is kept from frame to frame.

    Fresh pages from the system cost more than the taking.
    """

    def __init__(self) -> None:
        self._memory = np.empty(0, np.float32)

    def take(self, values: Floats, rows: Ints) -> Floats:
        """`values[rows]`, (len(rows), width); good until the next call."""
        size = len(rows) * values.shape[1]
        if len(self._memory) < size:
            self._memory = np.empty(size, np.float32)
        found = self._memory[:size].reshape(len(rows), values.shape[1])
        np.take(values, rows, axis=0, mode="clip", out=found)
        return found


class Known:
    """What is decoded of a frame so far, by rank: its map, then its symbols."""

    def __init__(self) -> None:
        """Nothing is held until `reset`."""
        self._rows = Rows()
        self._around = np.zeros((0, TAPS), np.int64)
        self._values = np.zeros((0, 0), np.float32)

    def reset(self, where: Layout, count: int) -> None:
        """Forget all; prepare for `count` channels on a layout."""
        self._around = where.around.reshape(-1, TAPS)
        self._values = np.zeros((len(where.places) + 1, count), np.float32)

    def near(self, ranks: Ints, count: int) -> Floats:
        """(P, 9 count) float32: what is known of the first channels round these ranks."""
        values = np.ascontiguousarray(self._values[:, :count])
        found = self._rows.take(values, self._around[ranks].reshape(-1))
        return found.reshape(len(ranks), TAPS * count)

    def put_map(self, ranks: Ints, told: npt.NDArray[np.bool_]) -> None:
        """Which of these positions are told becomes known."""
        self._values[ranks, 0] = told

    def put(self, ranks: Ints, channels: slice, value: npt.NDArray[np.int32]) -> None:
        """Symbols (P, size) become known."""
        self._values[ranks, channels] = np.clip(value, -REACH, REACH)


@dataclass(frozen=True, eq=False)
class Surrounded:
    """What a reference says of a frame's positions, by rank of a grid.

    Attributes:
        said: (P, n) int32, the symbols that it predicts.
        side: (P, 9 (n + 2)) float32, `side_planes` round each position; zero beyond the frame.
    """

    said: npt.NDArray[np.int32]
    side: Floats

    @classmethod
    def of(
        cls,
        prediction: Prediction,
        said: npt.NDArray[np.int32],
        grid: Grid,
        rows: Rows | None = None,
    ) -> Surrounded:
        """Of a prediction and its `said_symbols`; good as long as `rows` is not used again."""
        where, planes = layout(grid), side_planes(prediction, said)
        padded = np.concatenate((planes, np.zeros((1, planes.shape[1]), np.float32)))
        side = (rows or Rows()).take(padded, where.frame_around)
        return cls(said[where.places], side.reshape(len(said), TAPS * planes.shape[1]))

    def patch(self, grid: Grid, number: int) -> Surrounded:
        """The rows of one patch, in the order of the patch's own layout."""
        rows = patch_rows(grid, number)
        return Surrounded(self.said[rows], self.side[rows])
