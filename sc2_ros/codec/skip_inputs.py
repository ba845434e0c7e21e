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


class Known:
    """What is decoded of a frame so far, by rank: its map, then its symbols."""

    def __init__(self, where: Layout, count: int) -> None:
        self._around = where.around.reshape(-1, TAPS)
        self._values = np.zeros((len(where.places) + 1, count), np.float32)

    def near(self, ranks: Ints) -> Floats:
        """(P, 9 count) float32: what is known round the positions of these ranks."""
        found = np.take(self._values, self._around[ranks].reshape(-1), axis=0, mode="clip")
        gathered: Floats = found.reshape(len(ranks), TAPS * self._values.shape[1])
        return gathered

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
    def of(cls, prediction: Prediction, said: npt.NDArray[np.int32], grid: Grid) -> Surrounded:
        """Of a prediction and its `said_symbols`."""
        where, planes = layout(grid), side_planes(prediction, said)
        padded = np.concatenate((planes, np.zeros((1, planes.shape[1]), np.float32)))
        side: Floats = np.take(padded, where.frame_around, axis=0, mode="clip")
        return cls(said[where.places], side.reshape(len(said), TAPS * planes.shape[1]))

    def patch(self, grid: Grid, number: int) -> Surrounded:
        """The rows of one patch, in the order of the patch's own layout."""
        rows = patch_rows(grid, number)
        return Surrounded(self.said[rows], self.side[rows])
