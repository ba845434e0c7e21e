# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Automatic gain control: samples of more than 8 bits become the 8-bit grey that networks know.

::

    (H, W) 16 bits, float … -> counts uint16 -> histogram -> tone curve, held over time -> uint8

A thermal camera gives 14 bits, of which a scene fills a few hundred counts somewhere. The curve is
a plateau-limited equalisation of the histogram, as thermal cores have it, but of one smoothed over
the width of the scene's main mode: where at least `PLATEAU` of the pixels are near a value, the
curve has its full slope, elsewhere less in proportion. So one hot object, a cold sky or dead pixels
take few grey levels from the rest, and people just above the background keep theirs.

The curve is held: every frame with a stretch of its own would leave nothing that can be predicted
from the frame before. It moves only when it has become wrong by some grey levels, slowly; after a
cut, a shutter calibration or a change of the camera's gain it jumps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.errors import ParameterError

Image = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.uint16]

MODES = ("plateau", "linear", "fixed")
LEVELS = 65536
PLATEAU = 0.1
"""Share of the pixels near a value from which on the curve has its full slope."""
HEADROOM = 1.5
"""How far a value counts as near, in widths of the main mode: the shortest span that holds half the
pixels."""
INNER_SHARE, INNER_LEVELS = 0.96, 135
"""The middle of the pixels, and the grey levels that it fills at most: as many as in the images of
HIT-UAV, from which the shipped network learnt. The rest is for what is colder and hotter.
"""
FLOAT_COUNTS, MOST_COUNTS_PER_UNIT = 4096, 1000
"""Counts over which the middle of a float image is spread before its histogram is taken, and how
many make a unit (a degree, a metre) at most."""
LOW_PERCENTILE, HIGH_PERCENTILE = 0.5, 99.5
SETTLED_LEVELS, WRONG_LEVELS, CUT_LEVELS = 1.0, 20.0, 40.0
"""Mean error in grey levels at which the curve rests, begins to move, and jumps."""
SMALL_SHARE = 0.03
"""Share of the pixels that may be at the end of the curve rather than move it for all."""
NOMINAL_STEP_S, LONGEST_STEP_S = 0.1, 1.0
"""The time between frames whose stamps stand still or go back, and the longest that counts."""


@dataclass(frozen=True)
class ThermalConfig:
    """How images of more than 8 bits become grey.

    Attributes:
        mode: "plateau" (for thermal and depth cameras), "linear" (0.5th to 99.5th percentile, as
            colours need it), "fixed" (low to high).
        low: count that becomes 0 in fixed mode.
        high: count that becomes 255 in fixed mode.
        min_span: counts over which the grey levels are spread at least, so that a blank wall is not
            all noise; of float images this many thousandths of a unit.
        time_constant_s: seconds in which the curve moves 63 % of the way to what the scene asks
            for; 0 gives every frame a curve of its own.
    """

    mode: str = "plateau"
    low: float = 0.0
    high: float = 16383.0
    min_span: int = 64
    time_constant_s: float = 2.0

    def validate(self) -> None:
        """Raise ``ParameterError`` if any value cannot be used."""
        if self.mode not in MODES:
            raise ParameterError(f"thermal mode {self.mode!r}; known: {', '.join(MODES)}")
        if not self.low < self.high:
            raise ParameterError(
                f"thermal range {self.low:g} to {self.high:g}: the low end must be below the high"
            )
        if not 1 <= self.min_span <= LEVELS:
            raise ParameterError(f"thermal span {self.min_span} is not 1 to {LEVELS} counts")
        if not 0 <= self.time_constant_s < 1e6:
            raise ParameterError(f"thermal time constant {self.time_constant_s} is not 0 or above")


class GainControl:
    """The tone curve of one camera's images."""

    def __init__(self, config: ThermalConfig | None = None) -> None:
        self._config = config or ThermalConfig()
        self._curve: npt.NDArray[np.float32] | None = None
        self._table = np.zeros(0, np.uint8)
        self._moving = False
        self._scale = _Scale()
        self._last_ns = 0

    def configure(self, config: ThermalConfig) -> None:
        """Take a new configuration; the curve starts anew if it says something else."""
        if config != self._config:
            self._config, self._curve, self._scale = config, None, _Scale()

    def __call__(self, image: npt.NDArray[Any], stamp_ns: int = 0) -> Image:
        """uint8 (H, W[, C]) of an image of any real type of the same shape.

        `stamp_ns` is when it was taken. What is not finite becomes 0 and counts for nothing.
        """
        if self._config.mode == "fixed":
            scale = 255.0 / (self._config.high - self._config.low)
            levels = (image.astype(np.float32) - self._config.low) * scale
            return _to_bytes(np.nan_to_num(levels, nan=0.0))
        counts = self._scale(image)
        self._follow(counts, stamp_ns)
        grey = self.levels(counts)
        if image.dtype.kind == "f":
            grey[~np.isfinite(image)] = 0
        return grey

    def levels(self, counts: Counts) -> Image:
        """Grey levels of counts by the curve as it is."""
        return self._table[counts]

    def _follow(self, counts: Counts, stamp_ns: int) -> None:
        """Move the curve as this frame asks for it."""
        step_s = (stamp_ns - self._last_ns) / 1e9
        self._last_ns = stamp_ns
        step_s = min(step_s, LONGEST_STEP_S) if step_s > 0 else NOMINAL_STEP_S
        sample = _sample(counts)
        sample = sample[sample > 0] if self._scale.zero_is_invalid else sample
        if not sample.size:
            sample = np.zeros(1, np.uint16)
        if self._scale.changed:
            self._curve = None
        wanted = self._wanted(sample)
        curve = self._curve
        if curve is not None:
            error = _error(curve, wanted, sample)
            limit = SETTLED_LEVELS if self._moving else WRONG_LEVELS
            if error > limit:  # by what is small and hot or cold alone, such as a fire?
                rest = _without_ends(sample)
                error = min(error, _error(curve, self._wanted(rest), rest))
            self._moving = error > limit
            if not self._moving:
                return
            if self._config.time_constant_s > 0 and error < CUT_LEVELS:
                share = 1 - math.exp(-step_s / self._config.time_constant_s)
                wanted = curve + np.float32(share) * (wanted - curve)
            else:
                self._moving = False
        self._curve = wanted
        self._table = _to_bytes(wanted)

    def _wanted(self, sample: Counts) -> npt.NDArray[np.float32]:
        """The curve for these samples: grey level float32 of every count."""
        if self._config.mode == "linear":
            low, high = np.percentile(sample, (LOW_PERCENTILE, HIGH_PERCENTILE))
            slope = 255.0 / max(high - low, self._config.min_span)
            line = (np.arange(LEVELS, dtype=np.float32) - np.float32(low)) * np.float32(slope)
            return np.clip(line, 0, 255)
        return plateau_curve(sample, self._config.min_span)


def _error(
    curve: npt.NDArray[np.float32], wanted: npt.NDArray[np.float32], sample: Counts
) -> float:
    """Mean difference of two curves in grey levels; what is utterly wrong counts for little."""
    errors = np.abs(wanted[sample] - curve[sample])
    return float(np.minimum(errors, 2 * CUT_LEVELS).mean())


def _without_ends(sample: Counts) -> Counts:
    """The samples but the coldest and the hottest."""
    low, high = np.quantile(sample, (SMALL_SHARE, 1 - SMALL_SHARE))
    return sample[(sample >= low) & (sample <= high)]


def plateau_curve(sample: Counts, min_span: int) -> npt.NDArray[np.float32]:
    """Plateau-limited equalisation of the smoothed histogram of uint16 samples.

    Returns:
        float32 (65536,): the grey level, 0 to 255, of every count; rising.
    """
    ordered = np.sort(sample, axis=None).astype(np.int64)
    half = len(ordered) // 2
    main_mode = int((ordered[half:] - ordered[: len(ordered) - half]).min())
    radius = max(int(HEADROOM * main_mode), min_span // 4, 1)
    low = max(int(ordered[0]) - radius, 0)
    high = min(int(ordered[-1]) + radius, LEVELS - 1)
    counts = np.arange(low, high + 1)
    near = np.searchsorted(ordered, counts + radius, "right")
    near -= np.searchsorted(ordered, counts - radius, "left")
    rising = np.cumsum(np.minimum(near / (PLATEAU * len(ordered)), 1.0))
    edge = int(len(ordered) * (1 - INNER_SHARE) / 2)
    first, inner, middle, outer, last = rising[ordered[[0, edge, half, -1 - edge, -1]] - low]
    gain = min(255.0 / max(last - first, min_span), INNER_LEVELS / max(outer - inner, 1.0))
    # The middle of the scene becomes middle grey, as far as its ends allow.
    offset = min(max(127.5 - middle * gain, -first * gain), 255.0 - last * gain)
    curve = np.empty(LEVELS, np.float32)
    curve[low : high + 1] = np.clip(rising * gain + offset, 0, 255)
    curve[:low], curve[high + 1 :] = curve[low], curve[high]
    return curve


class _Scale:
    """Any real samples as uint16 counts, in the same way for frame after frame."""

    def __init__(self) -> None:
        self._low = self._per_unit = 0.0
        self.changed = False
        """Whether the last image needed another scale than the one before."""
        self.zero_is_invalid = False

    def __call__(self, image: npt.NDArray[Any]) -> Counts:
        self.changed = False
        if image.dtype == np.uint16:
            return image
        if image.dtype in (np.int16, np.int8):
            return (image.astype(np.int32) + LEVELS // 2).astype(np.uint16)
        self.zero_is_invalid = True
        values = image.astype(np.float64 if image.dtype.itemsize > 4 else np.float32)
        sample = _sample(values)
        sample = sample[np.isfinite(sample)]
        if sample.size:
            self._fit(sample)
        with np.errstate(invalid="ignore", over="ignore"):
            counts = (values - self._low) * self._per_unit
        return np.clip(np.nan_to_num(counts, nan=0.0), 0, LEVELS - 1).astype(np.uint16)

    def _fit(self, sample: npt.NDArray[Any]) -> None:
        """Keep the scale while the middle of the image lies well inside it, else make another."""
        low, high = np.percentile(sample, (5, 95)).astype(float)
        per_unit = FLOAT_COUNTS / max(high - low, FLOAT_COUNTS / MOST_COUNTS_PER_UNIT)
        inside = 0 < (low - self._low) * self._per_unit <= (high - self._low) * self._per_unit
        inside = inside and (high - self._low) * self._per_unit < LEVELS - 1
        if inside and 1 / 8 < self._per_unit / per_unit < 8:
            return
        self.changed = True
        self._per_unit = per_unit
        self._low = (low + high) / 2 - LEVELS / 2 / per_unit


def _sample(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Every eighth pair of rows and of columns: all four colours of a Bayer pattern alike."""
    if min(image.shape[:2]) < 16:
        return image.ravel()
    return np.concatenate([image[y::8, x::8].ravel() for y in (2, 3) for x in (2, 3)])


def _to_bytes(levels: npt.NDArray[Any]) -> Image:
    return np.clip(np.rint(levels), 0, 255).astype(np.uint8)
