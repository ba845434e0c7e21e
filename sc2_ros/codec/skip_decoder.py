# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The ground's side of coding with a skip network: the steps of skip_pricing.py, read."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context_network import PHASES
from sc2_ros.codec.layout import Layout, layout
from sc2_ros.codec.prediction import Prediction, said_symbols
from sc2_ros.codec.rans import SymbolCoder, untrimmed
from sc2_ros.codec.skip_inputs import Floats, Known, Surrounded
from sc2_ros.codec.skip_network import SkipNetwork
from sc2_ros.codec.slicing import Grid
from sc2_ros.errors import PacketError


class SkipDecoder:
    """Reads predicted slices of version 4."""

    def __init__(self, network: SkipNetwork, coder: SymbolCoder) -> None:
        """The coder holds the network's bank."""
        self._network = network
        self._coder = coder
        self._known = Known()

    def surrounded(self, prediction: Prediction, code: int, grid: Grid) -> Surrounded:
        """What a prediction says of a frame at a rate code, sliced by a grid."""
        network = self._network
        said = said_symbols(prediction, code, network.gains, network.at(code).channels)
        return Surrounded.of(prediction, said, grid)

    def decode(
        self,
        data: bytes,
        shape: tuple[int, int, int],
        code: int,
        share: int,
        reference: Surrounded,
    ) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
        """Symbols of a slice of (C, h, w), and which of its positions were told (h, w).

        Args:
            data: its rANS bytes.
            shape: of its symbols.
            code: its rate code.
            share: its share class.
            reference: what the reference says of its positions.

        Raises:
            PacketError: the bytes are damaged.
        """
        at = self._network.at(code)
        channels, height, width = shape
        where = layout(Grid(1, 1, height, width))
        values = reference.said.copy()
        told = np.zeros(height * width, np.bool_)
        if share:
            told[where.places] = self._walk(data, code, share, where, values, reference.side)
        elif data:
            raise PacketError("a slice of which nothing is told has bytes")
        symbols = np.zeros((channels, height * width), np.int16)
        symbols[at.channels[:, None], where.places] = values.T
        return symbols.reshape(shape), told.reshape(height, width)

    def _walk(
        self,
        data: bytes,
        code: int,
        share: int,
        where: Layout,
        values: npt.NDArray[np.int32],
        side: Floats,
    ) -> npt.NDArray[np.bool_]:
        """Which ranks are told; `values` (P, n) become the symbols."""
        at = self._network.at(code)
        known = self._known
        known.reset(where, at.count)
        told = np.zeros(len(values), np.bool_)
        decoder = self._coder.decoder(untrimmed(data), at.count * len(values))
        live = [np.arange(ranks.start, ranks.stop) for ranks in where.ranks]
        for number, ranks in enumerate(live):
            near = known.near(ranks, at.inputs[number])
            table = at.expect_told(number, near, side[ranks], share)
            found = decoder.decode(table[:, 0])
            if np.any((found < 0) | (found > 1)):
                raise PacketError("a map that says neither told nor skipped: damaged or not ours")
            told[ranks] = found == 1
            known.put_map(ranks, told[ranks])
        known.put(np.flatnonzero(~told), slice(1, None), values[~told])
        live = [ranks[told[ranks]] for ranks in live]
        sides = [side[ranks] for ranks in live]
        for number, step in enumerate(at.steps[PHASES:], PHASES):
            ranks, part = live[step.phase], slice(step.start - 1, step.end - 1)
            near = known.near(ranks, at.inputs[number])
            expected = at.expect_symbols(number, near, sides[step.phase], share)
            used = expected.table > 0
            value = np.zeros(used.shape, np.int32)
            value[used] = decoder.decode(expected.table[used]) + expected.mean[used]
            if np.abs(value).max(initial=0) > MAX_SYMBOL:
                raise PacketError("rANS payload holds symbols out of range: damaged or not ours")
            known.put(ranks, slice(step.start, step.end), value)
            values[ranks, part] = value
        return told
