# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The learned context model of predicted slices: which positions are told anew, and what there.

::

    what the reference says, 3x3 around --+                          step 0, 1: told or skipped
    which positions are told, 3x3 around -+--> hidden (H,) --> then, where told, the symbols
    symbols decoded so far, 3x3 around ---+      ^
                                                 | share class of the slice

Most positions of a predicted frame are what the reference says, and to say so for each of their
symbols took two thirds of the bytes of a hovering camera. So a map is coded first, as the skip mode
of video coders is (T. Wiegand et al., "Overview of the H.264/AVC video coding standard", 2003): a
position that is not told has the symbols that the reference predicts and nothing of it is coded.

It is a context network (context_network.py) with one more channel, first and in a group of its own:
the map, 1 where a position is told. What the reference says of that channel is its own map.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.context_network import (
    PHASES,
    TABLES,
    CodeNetwork,
    ContextNetwork,
    Expectation,
    Floats,
    Ints,
)
from sc2_ros.errors import CheckpointError

SHARES = 4
"""Classes of the share of a slice's positions that is told; class 0: none."""
LOWEST, HIGHEST = -14, 8
"""Log-odds of a position being told, in halves."""
MAP_TABLES = HIGHEST - LOWEST + 1
"""Their tables follow the 232 of the symbols in the bank."""
ALL_TABLES = TABLES + MAP_TABLES
_ODDS_BITS = 10

Shares = npt.NDArray[np.uint8] | int


@dataclass(frozen=True, eq=False)
class SkipNetwork(ContextNetwork):
    """Weights and bank; the arrays of `ContextNetwork` with n + 1 channels, of which the first is
    the map: its number is C, one beyond those of the latent.

    Attributes:
        share_bias: (4, G, 2, H) int32, added to `enter_bias`, by the class of the slice's share.
    """

    share_bias: Ints

    prefix: ClassVar[str] = "skip_"

    def _check_shapes(self) -> None:
        super()._check_shapes()
        expected = (SHARES, len(self.groups), PHASES, self.enter.shape[2])
        if self.share_bias.shape != expected:
            found = self.share_bias.shape
            raise CheckpointError(f"skip network: share_bias of shape {found} must be {expected}")
        if self.channels[0] != self.gains.shape[1] - 1 or self.groups[0] != 1:
            raise CheckpointError("skip network: its first channel must be the map, by itself")

    def _largest_bias(self) -> npt.NDArray[np.int64]:
        largest: npt.NDArray[np.int64] = super()._largest_bias() + np.abs(
            self.share_bias.astype(np.int64)
        ).max(0)
        return largest

    def at(self, code: int) -> SkipCodeNetwork:
        """The network at a rate code."""
        found = super().at(code)
        assert isinstance(found, SkipCodeNetwork)
        return found

    def _made(self, code: int) -> SkipCodeNetwork:
        return SkipCodeNetwork(self, code)


class SkipCodeNetwork(CodeNetwork):
    """The network at one rate code.

    Its `channels` are those of the latent; its `steps` 0 and 1 are those of the map.
    """

    def __init__(self, network: SkipNetwork, code: int) -> None:
        """Interpolate the biases; leave out the groups that are not coded."""
        super().__init__(network, code)
        self.channels = self.channels[1:]
        self.inputs: list[int] = []
        """By step, how many channels its hidden units look at: those behind have no weight."""
        for number, step in enumerate(self.steps):
            weights = network.enter[step.group, step.phase, :, :, : self.count]
            used = int(np.flatnonzero(weights.any((0, 1))).max(initial=0)) + 1
            self.inputs.append(used)
            trimmed = weights[:, :, :used].reshape(len(weights), -1)
            self._enter[number] = np.ascontiguousarray(trimmed.T, np.float32)
        self._share_bias = [
            network.share_bias[:, step.group, step.phase].astype(np.float32) for step in self.steps
        ]

    def expect_told(
        self, number: int, around: Floats, side: Floats, shares: Shares
    ) -> npt.NDArray[np.uint8]:
        """Table (P, 1) of whether each position is told, for step `number`, 0 or 1.

        around: (P, 9 inputs[number]); shares: the share class of each position's slice, (P,), or
        of all of them.
        """
        hidden = self._hidden(number, around, side)
        hidden += self._share_bias[number][shares]
        odds = self._left(number, hidden)[:, :1].astype(np.int32)
        odds = (odds + (1 << _ODDS_BITS - 1)) >> _ODDS_BITS
        np.clip(odds, LOWEST, HIGHEST, out=odds)
        table: npt.NDArray[np.uint8] = (odds + (TABLES + 1 - LOWEST)).astype(np.uint8)
        return table

    def expect_symbols(
        self, number: int, around: Floats, side: Floats, shares: Shares
    ) -> Expectation:
        """Table and mean of the symbols (P, size) of step `number`, 2 and up, where told."""
        hidden = self._hidden(number, around, side)
        hidden += self._share_bias[number][shares]
        return self._expected(number, hidden)
