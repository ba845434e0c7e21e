# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The codec's part of a checkpoint: gains, context thresholds, and a bank of probability tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import (
    MAX_SYMBOL,
    SYMBOLS,
    TOTAL,
    bank_bits,
    quantised_cdf,
    stack,
)
from sc2_ros.codec.context_network import TABLES, ContextNetwork
from sc2_ros.codec.skip_network import ALL_TABLES, SkipNetwork
from sc2_ros.codec.temporal_tables import TemporalTables
from sc2_ros.errors import CheckpointError

RATE_CODES = 65
MAX_TABLES = 255
SKIP = 0
"""Table number of symbols that are zero by rule and not coded."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]


def rate_code(rate_index: float) -> int:
    """The code 0 .. 64 of a rate index in [0, 1]; more is more bytes."""
    return min(max(round((RATE_CODES - 1) * rate_index), 0), RATE_CODES - 1)


@dataclass(frozen=True, eq=False)
class CodingTables:
    """What both ends must share to turn symbols into bits; validated when it is made.

    Attributes:
        gains: (A, C) float32, multipliers of the latent at A rates evenly spaced over [0, 1].
        groups: channels of each group, in coding order; they sum to C.
        thresholds: (G, K-1) int32, ascending; row g cuts the activity around a position into the K
            contexts of group g. Row 0 is not used: the first group has no context.
        index: (65, K, C) uint8, table number per rate code, context and channel; 0 skips.
        cdfs: (B, W) int32, row t-1 is table t, compressai's layout (codec/cdf.py).
        sizes: (B,) int32, entries of each CDF that count.
        offsets: (B,) int32, the symbol that the first entry of each CDF stands for.
        temporal: tables for predicted slices; None: every slice is coded without another frame.
        context: a learned context model, in place of the others from version 3 on; or None.
        skip: the one of predicted slices, in its place from version 4 on; or None.

    Raises:
        CheckpointError: an array has the wrong shape or breaks a rule above.
    """

    gains: Floats
    groups: tuple[int, ...]
    thresholds: Ints
    index: npt.NDArray[np.uint8]
    cdfs: Ints
    sizes: Ints
    offsets: Ints
    temporal: TemporalTables | None = None
    context: ContextNetwork | None = None
    skip: SkipNetwork | None = None

    def __post_init__(self) -> None:
        """Bring every array to its dtype, then check what the coder relies on."""
        set_field = object.__setattr__
        set_field(self, "groups", tuple(int(size) for size in self.groups))
        set_field(self, "gains", _readonly(self.gains, np.float32))
        for name, dtype in _INTEGER_FIELDS.items():
            set_field(self, name, _readonly_integers(name, getattr(self, name), dtype))
        _check_shapes(self)
        _check_bank(self.cdfs, self.sizes, self.offsets, self.index)
        if self.temporal is not None:
            _check_temporal(self, self.temporal)
        if self.context is not None:
            _check_context(self, self.context)
        if self.skip is not None:
            _check_skip(self, self.skip)

    @property
    def channels(self) -> int:
        """Number of latent channels, C."""
        return int(self.gains.shape[1])

    @property
    def contexts(self) -> int:
        """Number of contexts, K."""
        return int(self.index.shape[1])

    @cached_property
    def code_gains(self) -> Floats:
        """(65, C) float32, the gain at each rate code: anchors interpolated in the log domain."""
        anchors = np.linspace(0.0, 1.0, len(self.gains))
        at = np.linspace(0.0, 1.0, RATE_CODES)
        logs = np.log(self.gains.astype(np.float64))
        gains = [np.exp(np.interp(at, anchors, column)) for column in logs.T]
        code_gains: Floats = np.stack(gains, axis=1).astype(np.float32)
        return code_gains

    @cached_property
    def bits(self) -> Floats:
        """(B + 1, 255) float32, exact cost of symbol s in table t at [t, s + 127]; row 0 is 0."""
        return bank_bits(self.cdfs, self.sizes, self.offsets)

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Plain arrays for a checkpoint file; `from_arrays` is the inverse."""
        arrays = {name: np.asarray(getattr(self, name)) for name in _names(self)}
        arrays["groups"] = np.array(self.groups, np.int32)
        for part in (self.temporal, self.context, self.skip):
            arrays |= part.to_arrays() if part is not None else {}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> CodingTables:
        """Read what `to_arrays` made; unknown keys are ignored.

        Raises:
            CheckpointError: an array is missing or invalid.
        """
        names = _names(cls)
        missing = [name for name in names if name not in arrays]
        if missing:
            raise CheckpointError(f"coding tables lack {', '.join(missing)}; not a full checkpoint")
        values: dict[str, Any] = {name: np.asarray(arrays[name]) for name in names}
        values["groups"] = tuple(int(size) for size in np.atleast_1d(values["groups"]))
        return cls(
            **values,
            temporal=TemporalTables.from_arrays(arrays),
            context=ContextNetwork.from_arrays(arrays),
            skip=SkipNetwork.from_arrays(arrays),
        )


def laplace_tables(
    gains: npt.ArrayLike,
    scales: npt.ArrayLike,
    groups: Sequence[int],
    thresholds: npt.ArrayLike,
    *,
    tables: int = 64,
    skip_below: float = 0.0005,
) -> CodingTables:
    """Tables for a network without statistics: every symbol is taken to be a rounded Laplacian.

    Args:
        gains: (A, C), as in CodingTables.
        scales: (A, K, C), scale parameter (mean magnitude) of latent x gain at each anchor, context
            and channel; interpolated between anchors like the gains.
        groups: channels per group.
        thresholds: (G, K-1).
        tables: size of the bank; its scales are log-spaced from 0.05 to 64.
        skip_below: symbols with a smaller chance of not being zero are skipped.
    """
    bank_scales = np.geomspace(0.05, 64.0, tables)
    cdfs, offsets = [], []
    for scale in bank_scales:
        pmf, tail = _laplace_pmf(float(scale))
        cdfs.append(quantised_cdf(pmf, tail))
        offsets.append(-(len(pmf) // 2))
    bank, sizes = stack(cdfs)

    logs = np.log(np.maximum(np.asarray(scales, np.float64), 1e-6))
    position = np.linspace(0, len(logs) - 1, RATE_CODES)
    low = np.minimum(position.astype(np.int64), max(len(logs) - 2, 0))
    high = np.minimum(low + 1, len(logs) - 1)
    part = (position - low)[:, None, None]
    at_code = (1 - part) * logs[low] + part * logs[high]
    step = np.log(bank_scales[1] / bank_scales[0])
    nearest = np.clip(np.rint((at_code - np.log(bank_scales[0])) / step), 0, tables - 1)
    never = np.exp(-0.5 / np.exp(at_code)) < skip_below
    index = np.where(never, SKIP, nearest + 1).astype(np.uint8)
    return CodingTables(
        gains=np.asarray(gains, np.float32),
        groups=tuple(groups),
        thresholds=np.asarray(thresholds, np.int32),
        index=index,
        cdfs=bank,
        sizes=sizes,
        offsets=np.array(offsets, np.int32),
    )


def _laplace_pmf(scale: float, least: float = 2.0**-14) -> tuple[npt.NDArray[np.float64], float]:
    """P(round(x) = -n .. n) of a Laplacian with mean magnitude `scale`, and the rest.

    n is the last magnitude whose probability is at least `least`; rarer ones are cheaper escaped
    than given a whole count of 65536 each.
    """
    magnitude = np.arange(1, MAX_SYMBOL + 1)
    beyond = np.exp(-(magnitude - 0.5) / scale)
    side = 0.5 * beyond * -np.expm1(-1.0 / scale)
    reach = max(int(np.count_nonzero(side >= least)), 1)
    side = side[:reach]
    zero = -np.expm1(-0.5 / scale)
    tail = float(np.exp(-(reach + 0.5) / scale))
    return np.concatenate((side[::-1], [zero], side)), tail


_INTEGER_FIELDS: dict[str, type[np.integer[Any]]] = {
    "thresholds": np.int32,
    "index": np.uint8,
    "cdfs": np.int32,
    "sizes": np.int32,
    "offsets": np.int32,
}


def _readonly(array: npt.ArrayLike, dtype: type[Any]) -> npt.NDArray[Any]:
    copy = np.array(array, dtype, order="C")
    copy.flags.writeable = False
    return copy


def _readonly_integers(name: str, array: npt.ArrayLike, dtype: type[Any]) -> npt.NDArray[Any]:
    given = np.asarray(array)
    cast = _readonly(given, dtype)
    if not np.array_equal(given, cast):
        raise CheckpointError(f"coding tables: {name} holds values that are not {dtype.__name__}")
    return cast


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise CheckpointError(f"coding tables: {what}; checkpoint damaged or of another kind")


def _check_shapes(tables: CodingTables) -> None:
    _require(tables.gains.ndim == 2 and len(tables.gains) >= 2, "gains must be (anchors >= 2, C)")
    _require(bool(np.all(np.isfinite(tables.gains) & (tables.gains > 0))), "gains must be positive")
    channels = tables.gains.shape[1]
    groups = tables.groups
    _require(
        len(groups) >= 1 and min(groups) >= 1 and sum(groups) == channels,
        f"groups {groups} must be positive and sum to {channels} channels",
    )
    _require(
        tables.index.ndim == 3
        and tables.index.shape[0] == RATE_CODES
        and tables.index.shape[1] >= 1
        and tables.index.shape[2] == channels,
        f"index of shape {tables.index.shape} must be ({RATE_CODES}, contexts, {channels})",
    )
    expected = (len(groups), tables.index.shape[1] - 1)
    _require(
        tables.thresholds.shape == expected,
        f"thresholds of shape {tables.thresholds.shape} must be {expected}",
    )
    _require(bool(np.all(np.diff(tables.thresholds, axis=1) >= 0)), "thresholds must ascend")


def _names(tables: CodingTables | type[CodingTables]) -> list[str]:
    """The arrays that every checkpoint has."""
    parts = ("temporal", "context", "skip")
    return [field.name for field in fields(tables) if field.name not in parts]


def _check_temporal(tables: CodingTables, temporal: TemporalTables) -> None:
    _require(
        temporal.gains.shape[1] == tables.channels and len(temporal.levels) == tables.contexts,
        "temporal tables of other channels or contexts",
    )
    _check_bank(temporal.cdfs, temporal.sizes, temporal.offsets, temporal.index)


def _check_context(tables: CodingTables, context: ContextNetwork) -> None:
    _require(context.gains.shape[1] == tables.channels, "context network of other channels")
    every = np.arange(1, TABLES + 1, dtype=np.uint8)
    _require(context.cdfs.shape[:1] == (TABLES,), f"{TABLES} CDFs of the context network expected")
    _check_bank(context.cdfs, context.sizes, context.offsets, every)


def _check_skip(tables: CodingTables, skip: SkipNetwork) -> None:
    _require(tables.context is not None, "a skip network, but no context network beside it")
    _require(skip.gains.shape[1] == tables.channels + 1, "skip network of other channels")
    every = np.arange(1, ALL_TABLES + 1, dtype=np.uint8)
    _require(skip.cdfs.shape[:1] == (ALL_TABLES,), f"{ALL_TABLES} CDFs of the skip network wanted")
    _check_bank(skip.cdfs, skip.sizes, skip.offsets, every)


def _check_bank(cdfs: Ints, sizes: Ints, offsets: Ints, index: npt.NDArray[np.uint8]) -> None:
    """What compressai's coder takes on trust: out of these bounds it would read foreign memory."""
    _require(cdfs.ndim == 2 and 1 <= len(cdfs) <= MAX_TABLES, f"1 to {MAX_TABLES} CDFs expected")
    _require(sizes.shape == offsets.shape == (len(cdfs),), "one size and offset for each CDF")
    _require(int(index.max()) <= len(cdfs), f"index names a table beyond {len(cdfs)}")
    _require(
        bool(np.all((sizes >= 3) & (sizes <= min(cdfs.shape[1], SYMBOLS + 2)))),
        "CDF sizes out of range",
    )
    _require(
        bool(np.all((offsets >= -MAX_SYMBOL) & (offsets + sizes - 3 <= MAX_SYMBOL))),
        f"a CDF reaches beyond the symbols -{MAX_SYMBOL} .. {MAX_SYMBOL}",
    )
    for row, (cdf, size) in enumerate(zip(cdfs, sizes, strict=True)):
        _require(
            cdf[0] == 0 and cdf[size - 1] == TOTAL and bool(np.all(np.diff(cdf[:size]) > 0)),
            f"CDF {row} must rise from 0 to {TOTAL}",
        )
