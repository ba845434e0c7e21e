# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The synthetic flight as a data set: exact boxes and masks, seeds kept aside for validation."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from sc2_ros.data.base import DETECTION_CLASSES, MASK_CLASSES, Dataset, Sample
from sc2_ros.errors import InputError
from sc2_ros.media.flight import SyntheticFlight

FIRST_VAL_SEED = 1_000_000
_FRAMES_PER_SEED = 8
_FRAME_STEP = 45  # 1.5 s at 30 fps, so that the frames of one flight differ
_DEFAULT_SEEDS = {"train": 256, "val": 24}


class SyntheticDataset(Dataset):
    """Eight frames each of so many flights; even seeds look RGB, odd ones thermal.

    Item i is frame i % 8 of flight i // 8. Training seeds count from 0, validation seeds from
    1,000,000; nothing is ever trained on the latter.
    """

    detection_classes = DETECTION_CLASSES
    mask_classes = MASK_CLASSES

    def __init__(self, split: str, seeds: int | None = None, size: tuple[int, int] = (640, 480)):
        """Choose the split and the number of flights; `size` is (width, height)."""
        if split not in _DEFAULT_SEEDS:
            raise InputError(f"the synthetic flight has no split '{split}': use train or val")
        self.seeds = _DEFAULT_SEEDS[split] if seeds is None else seeds
        if not 1 <= self.seeds < FIRST_VAL_SEED:
            raise InputError(
                f"{self.seeds} flights are out of range: use 1 to {FIRST_VAL_SEED - 1}"
            )
        self.name, self.split, self.size = "synthetic", split, size
        self.first_seed = FIRST_VAL_SEED if split == "val" else 0

    def __len__(self) -> int:
        """Number of frames of all flights."""
        return self.seeds * _FRAMES_PER_SEED

    def __getitem__(self, index: int) -> Sample:  # type: ignore[override]
        """Render a frame."""
        if not -len(self) <= index < len(self):
            raise IndexError(index)
        flight, frame = divmod(index % len(self), _FRAMES_PER_SEED)
        seed = self.first_seed + flight
        return sample_of(_flight(seed, *self.size), seed, frame * _FRAME_STEP)


def sample_of(flight: SyntheticFlight, seed: int, index: int) -> Sample:
    """Frame `index` of a flight with its truth, named after the flight's seed."""
    shot = flight.frame(index)
    return Sample(
        shot.image,
        f"synthetic-{seed}-{index}",
        shot.boxes.astype(np.float32),
        shot.labels.astype(np.int64),
        mask=shot.mask,
    )


@lru_cache(maxsize=4)
def _flight(seed: int, width: int, height: int) -> SyntheticFlight:
    look = "thermal" if seed % 2 else "rgb"
    return SyntheticFlight(seed, width=width, height=height, look=look)
