# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Coding tables for slices that are predicted from a frame that the ground has.

A symbol's context is made of three numbers, all of them integers:

::

    level      levels[context]                   of the slice's own context (context.py), coarser
    around     activity of the reference in the 3x3 round the position, cut by `activity`
    predicted  the reference's symbol there, scaled to this rate and clipped to -3 .. 3

    context = (level * A + around) * 7 + predicted + 3         where the reference is known
              L * A * 7 + the slice's own context              where it is not
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import bank_bits
from sc2_ros.errors import CheckpointError

REACH = 3
"""Predicted symbols are clipped to -3 .. 3."""
BINS = 2 * REACH + 1
GAIN_BITS = 12
"""Gains in the context are integers, in units of 1/4096, so that every machine scales alike."""
_PREFIX = "temporal_"

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class TemporalTables:
    """What both ends must share to code predicted slices; validated when it is made.

    Attributes:
        gains: (65, C) int32, gain at each rate code in units of 1/4096.
        levels: (K,) uint8, level 0 .. L-1 of each context of the slice itself.
        activity: (A-1,) int32, ascending; cuts the reference's activity into A classes.
        index: (R, M, C) uint8, table number at R rate codes evenly spaced over 0 .. 64, for each
            of the M = 7 L A + K contexts and each channel; 0 skips.
        cdfs: (B, W) int32, as in CodingTables; a bank of its own.
        sizes: (B,) int32.
        offsets: (B,) int32.

    Raises:
        CheckpointError: an array has the wrong shape or breaks a rule above.
    """

    gains: Ints
    levels: npt.NDArray[np.uint8]
    activity: Ints
    index: npt.NDArray[np.uint8]
    cdfs: Ints
    sizes: Ints
    offsets: Ints

    def __post_init__(self) -> None:
        """Bring every array to its dtype, then check what the coder relies on."""
        for field in fields(self):
            dtype = np.uint8 if field.name in ("levels", "index") else np.int32
            given = np.asarray(getattr(self, field.name))
            array = np.array(given, dtype, order="C")
            if not np.array_equal(given, array):
                raise CheckpointError(f"temporal tables: {field.name} are not {dtype.__name__}")
            array.flags.writeable = False
            object.__setattr__(self, field.name, array)
        _require(
            self.gains.ndim == 2 and len(self.gains) == 65 and bool(np.all(self.gains > 0)),
            "gains must be (65, C) and positive",
        )
        _require(int(self.gains.max()) < 1 << 24, "gains must be below 4096")
        _require(self.levels.ndim == 1 and len(self.levels) >= 1, "levels must be (K,)")
        _require(
            self.activity.ndim == 1 and bool(np.all(np.diff(self.activity) >= 0)),
            "activity thresholds must ascend",
        )
        shape = (len(self.index), self.known_contexts + len(self.levels), self.gains.shape[1])
        _require(
            self.index.shape == shape and 2 <= len(self.index) <= 65,
            f"index of shape {self.index.shape} must be {shape}",
        )

    @property
    def known_contexts(self) -> int:
        """Contexts of positions where the reference is known, 7 L A; the others follow."""
        return (int(self.levels.max()) + 1) * (len(self.activity) + 1) * BINS

    def row(self, code: int) -> int:
        """The row of `index` for a rate code: the nearest of the R, the upper one of two."""
        steps = len(self.index) - 1
        return (2 * code * steps + 64) // 128

    @cached_property
    def bits(self) -> npt.NDArray[np.float32]:
        """(B + 1, 255) float32, cost of symbol s in table t at [t, s + 127]; row 0 is 0."""
        return bank_bits(self.cdfs, self.sizes, self.offsets)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays for a checkpoint file; `from_arrays` is the inverse."""
        return {_PREFIX + field.name: getattr(self, field.name) for field in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> TemporalTables | None:
        """Read what `to_arrays` made; None if there is nothing of it.

        Raises:
            CheckpointError: an array is missing or invalid.
        """
        names = [field.name for field in fields(cls)]
        missing = [name for name in names if _PREFIX + name not in arrays]
        if len(missing) == len(names):
            return None
        if missing:
            raise CheckpointError(f"temporal tables lack {', '.join(missing)}")
        return cls(**{name: np.asarray(arrays[_PREFIX + name]) for name in names})


def fixed_gains(code_gains: npt.ArrayLike) -> Ints:
    """Gains (65, C) as the integers that TemporalTables has."""
    scaled = np.rint(np.asarray(code_gains, np.float64) * (1 << GAIN_BITS))
    gains: Ints = np.clip(scaled, 1, (1 << 24) - 1).astype(np.int32)
    return gains


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"temporal tables: {what}; checkpoint damaged or of another kind")
