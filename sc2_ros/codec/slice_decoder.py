# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rANS bytes of one slice to its symbols, with a prediction or without."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.context import MAX_MAGNITUDE, contexts_from_activity
from sc2_ros.codec.prediction import Prediction, base_contexts, scale
from sc2_ros.codec.rans import SymbolCoder
from sc2_ros.codec.slicing import Grid, Patch
from sc2_ros.codec.symbols import group_bounds
from sc2_ros.codec.tables import SKIP, CodingTables
from sc2_ros.errors import PacketError

Tables = npt.NDArray[np.uint8]
Contexts = npt.NDArray[np.uint8]
Symbols = npt.NDArray[np.int16]


class SliceDecoder:
    """Walks the groups of a slice: contexts from what is decoded, tables from contexts."""

    def __init__(
        self, tables: CodingTables, coder: SymbolCoder, temporal_coder: SymbolCoder | None = None
    ) -> None:
        """The coders hold the banks of the tables and of the temporal tables."""
        self._tables = tables
        self._coder, self._temporal_coder = coder, temporal_coder
        self._groups = group_bounds(tables.groups)
        self._index = np.ascontiguousarray(tables.index.transpose(0, 2, 1))
        if tables.temporal is not None:
            self._temporal_index = np.ascontiguousarray(tables.temporal.index.transpose(0, 2, 1))

    def intra(self, data: bytes, shape: tuple[int, int, int], code: int) -> Symbols:
        """Symbols of a slice of (C, h, w) that needs no other frame.

        Raises:
            PacketError: the bytes are damaged.
        """
        index = self._index[code]
        return self._walk(
            self._coder, data, shape, lambda start, end, own: index[start:end][:, own]
        )

    def predicted(self, data: bytes, prediction: Prediction, patch: Patch, code: int) -> Symbols:
        """Symbols of the patch of a frame that `prediction` is for.

        Raises:
            PacketError: the bytes are damaged.
        """
        temporal = self._tables.temporal
        if temporal is None or self._temporal_coder is None:
            raise PacketError("a predicted slice, but the checkpoint has no tables for such")
        index = self._temporal_index[temporal.row(code)]
        scaled = scale(prediction, code, temporal)
        height, width = prediction.known.shape
        whole = np.zeros((self._tables.channels, height, width), np.int64)
        whole.reshape(-1)[prediction.place] = scaled.value
        where = (slice(patch.y0, patch.y1), slice(patch.x0, patch.x1))
        value = whole[:, where[0], where[1]]
        known, around = prediction.known[where], scaled.around[where]

        def choose(start: int, end: int, own: Contexts) -> Tables:
            context = base_contexts(own, known, around, temporal) + value[start:end]
            numbers: Tables = index[np.arange(start, end)[:, None, None], context]
            return numbers

        return self._walk(self._temporal_coder, data, value.shape, choose)

    def _walk(
        self,
        coder: SymbolCoder,
        data: bytes,
        shape: tuple[int, ...],
        choose: Callable[[int, int, Contexts], Tables],
    ) -> Symbols:
        """Decode group by group; `choose` gives the tables of channels start .. end-1."""
        _, height, width = shape
        grid = Grid(1, 1, height, width)
        symbols = np.zeros(shape, np.int16)
        activity = np.zeros((height, width), np.int32)
        decoder = coder.decoder(data, symbols.size)
        for group, (start, end) in enumerate(self._groups):
            context = np.zeros((height, width), np.uint8)
            if group:
                context = contexts_from_activity(activity, self._tables.thresholds[group], grid)
            table = choose(start, end, context)
            used = table != SKIP
            symbols[start:end][used] = decoder.decode(table[used])
            magnitude = np.minimum(np.abs(symbols[start:end]), MAX_MAGNITUDE)
            activity += magnitude.sum(axis=0, dtype=np.int32)
        return symbols
