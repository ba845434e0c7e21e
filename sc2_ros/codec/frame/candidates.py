# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What may be sent of a frame on one grid: the input of the encoder's walk.

::

    rounded latent (C, h, w) --------------+-> symbols, rest, lambda            by rank
    reference's symbols, moved (C, h, w) --+-> skip map, share class of each slice
                                           +-> planes that the network sees     by position

Written twice: in C (entropy/csrc/candidates.h), and in numpy for machines where that could not be
built. Both give the same, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.walk import Candidates, PredictedInput
from sc2_ros.codec.frame.reference import Prediction, gain_ratio, planes, predicted_symbols
from sc2_ros.codec.frame.symbols import Rounded, choose_coded, share_class
from sc2_ros.codec.slicing import CodingOrder, Grid, coding_order
from sc2_ros.codec.tables import CodingTables

Floats = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Values = npt.NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class PredictedCandidates:
    """What may be sent of a predicted frame.

    Attributes:
        candidates: what the walk chooses from, by rank.
        reference: what it knows beforehand.
        coded: (h, w) bool, the skip map.
        shares: share class of each slice.
    """

    candidates: Candidates
    reference: PredictedInput
    coded: Flags
    shares: tuple[int, ...]


def keyframe_candidates(rounded: Rounded, count: int, grid: Grid) -> Candidates:
    """What may be sent of a frame without a prediction; `count` channels are coded."""
    order = coding_order(grid)
    if kernel.library is None:
        values, exact = _rows(rounded, count)
        return _by_rank(order, values, exact, rounded.rdoq_lambda.reshape(-1))
    symbols, rest, weight = _room(rounded)
    found = kernel.CandidateArrays(values=symbols, rest=rest, rdoq_lambda=weight)
    kernel.candidates(_source(rounded, count, order)(), found)
    return Candidates(symbols, rest, weight)


def predicted_candidates(
    rounded: Rounded, code: int, grid: Grid, prediction: Prediction, tables: CodingTables
) -> PredictedCandidates:
    """What may be sent of a frame at a rate code with a prediction; tables have a skip network."""
    choose = _plainly_predicted if kernel.library is None else _compiled_predicted
    return choose(rounded, code, grid, prediction, tables)


def _compiled_predicted(
    rounded: Rounded, code: int, grid: Grid, prediction: Prediction, tables: CodingTables
) -> PredictedCandidates:
    assert tables.skip is not None
    order, count = coding_order(grid), tables.skip.count(code)
    symbols, rest, weight = _room(rounded)
    positions, channels = symbols.shape
    coded, coded_at = np.empty(positions, np.bool_), np.empty(positions, np.bool_)
    shares = np.empty(positions, np.uint8)
    of_slices = np.empty(grid.rows * grid.cols, np.uint8)
    seen = np.empty((positions, channels + 2), np.int8)
    source = _source(rounded, count, order)(
        moved=np.ascontiguousarray(prediction.symbols),
        ratio=gain_ratio(prediction, code, tables.integer_gains),
        known=np.ascontiguousarray(prediction.known),
        was_coded=np.ascontiguousarray(prediction.coded),
    )
    found = kernel.CandidateArrays(
        values=symbols,
        rest=rest,
        rdoq_lambda=weight,
        coded=coded,
        coded_at=coded_at,
        shares=shares,
        slice_shares=of_slices,
        planes=seen,
    )
    kernel.candidates(source, found)
    return PredictedCandidates(
        Candidates(symbols, rest, weight, coded),
        PredictedInput(symbols, seen, order.compact_frame_around, shares),
        coded_at.reshape(grid.height, grid.width),
        tuple(of_slices.tolist()),
    )


def _plainly_predicted(
    rounded: Rounded, code: int, grid: Grid, prediction: Prediction, tables: CodingTables
) -> PredictedCandidates:
    assert tables.skip is not None
    order, count = coding_order(grid), tables.skip.count(code)
    values, exact = _rows(rounded, count)
    expected = predicted_symbols(prediction, code, tables.integer_gains, count)
    weight = rounded.rdoq_lambda.reshape(-1)
    coded = choose_coded(exact, values, expected, weight)
    coded_at = coded.reshape(grid.height, grid.width)
    parts = [coded_at[at.y0 : at.y1, at.x0 : at.x1] for at in grid.patches()]
    shares = tuple(share_class(int(np.count_nonzero(part)), part.size) for part in parts)
    candidates = _by_rank(order, values, exact, weight)
    ranked, skipped = coded[order.positions], ~coded[order.positions]
    symbols = expected[order.positions]
    candidates.symbols[skipped] = symbols[skipped]
    reference = PredictedInput(
        symbols, planes(prediction, expected), order.compact_frame_around, order.by_slice(shares)
    )
    offered = Candidates(candidates.symbols, candidates.rest, candidates.rdoq_lambda, ranked)
    return PredictedCandidates(offered, reference, coded_at, shares)


def _room(rounded: Rounded) -> tuple[Values, Floats, Floats]:
    """For symbols, what rounding took off, and lambda, by rank."""
    channels, height, width = rounded.symbols.shape
    shape = (height * width, channels)
    return np.empty(shape, np.int32), np.empty(shape, np.float32), np.empty(shape[0], np.float32)


def _source(rounded: Rounded, count: int, order: CodingOrder) -> Any:
    """A kernel.Source but for what is predicted."""
    return partial(
        kernel.Source,
        channels=len(rounded.symbols),
        count=count,
        positions=rounded.rdoq_lambda.size,
        slices=order.compact_bounds.shape[1] - 1,
        exact=rounded.exact,
        rounded=rounded.symbols,
        rdoq_lambda=np.ascontiguousarray(rounded.rdoq_lambda),
        places=order.compact_positions,
        bounds=order.compact_bounds,
    )


def _rows(rounded: Rounded, count: int) -> tuple[Values, Floats]:
    """Rounded and exact symbols by position, (h w, C); zero from channel `count` on."""
    flat = (len(rounded.symbols), -1)
    values = rounded.symbols.reshape(flat).T.astype(np.int32, order="C")
    values[:, count:] = 0
    return values, np.ascontiguousarray(rounded.exact.reshape(flat).T)


def _by_rank(order: CodingOrder, values: Values, exact: Floats, weight: Floats) -> Candidates:
    """By position to by rank."""
    ranked = values[order.positions]
    rest = np.subtract(exact[order.positions], ranked, dtype=np.float32)
    return Candidates(ranked, rest, weight[order.positions])
