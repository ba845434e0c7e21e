# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What context models are trained on: symbols of frames at a rate, and windows cut from them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Sample:
    """Symbols (n, h, w) int8 of a frame at a rate code, of the channels that are coded.

    side: (n + 1, h, w) int8, what is predicted of them and where that is known; None of a keyframe.
    """

    symbols: NDArray[np.int8]
    code: int
    side: NDArray[np.int8] | None = None


AnySample = TypeVar("AnySample", bound=Sample)


def draw(samples: Sequence[AnySample], count: int, rng: np.random.Generator) -> list[AnySample]:
    """So many random samples."""
    return [samples[number] for number in rng.integers(0, len(samples), count)]


def windows(
    samples: Sequence[Sample], window: int, rng: np.random.Generator
) -> tuple[Tensor, Tensor, Tensor]:
    """A window of each sample: symbols (B, n, s, s), codes (B,), side (B, n + 1, s, s)."""
    size = min(window, max(max(sample.symbols.shape[1:]) for sample in samples))
    count = len(samples[0].symbols)
    symbols = np.zeros((len(samples), count, size, size), np.float32)
    side = np.zeros((len(samples), count + 1, size, size), np.float32)
    codes = np.zeros(len(samples), np.int64)
    for row, sample in enumerate(samples):
        _, height, width = sample.symbols.shape
        y = int(rng.integers(0, max(height - size, 0) + 1))
        x = int(rng.integers(0, max(width - size, 0) + 1))
        taken = sample.symbols[:, y : y + size, x : x + size]
        where = (row, slice(None), slice(0, taken.shape[1]), slice(0, taken.shape[2]))
        symbols[where] = taken
        if sample.side is not None:
            side[where] = sample.side[:, y : y + size, x : x + size]
        codes[row] = sample.code
    return torch.from_numpy(symbols), torch.from_numpy(codes), torch.from_numpy(side)
