# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a reference says of a frame's symbols, and which positions are told anew (skip_network.py).

::

    reference's symbols, moved --times the ratio of the gains--> said (P, n), not clipped
    exact values (P, n), rounded, said --> told (P,): where the reference is not good enough
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.cdf import MAX_SYMBOL
from sc2_ros.codec.context_network import REACH
from sc2_ros.codec.prediction import Prediction
from sc2_ros.codec.temporal_tables import GAIN_BITS

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_FIRST_BITS, _MORE_BITS, _POSITION_BITS = 4.0, 1.0, 6.0
"""What it takes to move a symbol by one from what is said, by one more, and to tell a position at
all. On 40 pairs of the ten clips of benchmarks/video.py, four rates, D + mu R is then 0.7 % above
that of coding each frame twice to find out."""
_SHARE_BOUNDS = (0.0, 1 / 32, 1 / 8)


def said_symbols(
    prediction: Prediction, code: int, gains: Ints, channels: npt.NDArray[np.int32]
) -> Ints:
    """The symbols that a reference predicts: scaled by the gains, rounded half from zero.

    Args:
        prediction: the reference, moved.
        code: the frame's rate code.
        gains: (65, C or more), as in ContextNetwork.
        channels: (n,) those that are wanted.

    Returns:
        (h w, n), -127 .. 127; zero where the reference is not known.
    """
    wide = gains.astype(np.int64)
    ratio = (wide[code] << GAIN_BITS) // wide[prediction.reference.code]
    magnitude = np.abs(prediction.value) * ratio[prediction.channel]
    magnitude = np.minimum((magnitude + (1 << GAIN_BITS - 1)) >> GAIN_BITS, MAX_SYMBOL)
    column = np.full(len(ratio), -1, np.int64)
    column[channels] = np.arange(len(channels))
    column_of = column[prediction.channel]
    live = column_of >= 0
    said = np.zeros((prediction.known.size, len(channels)), np.int32)
    said[prediction.position[live], column_of[live]] = (np.sign(prediction.value) * magnitude)[live]
    return said


def side_planes(prediction: Prediction, said: Ints) -> Floats:
    """What the network is told of a reference, (h w, n + 2): its map, its symbols, where known."""
    planes = np.empty((len(said), said.shape[1] + 2), np.float32)
    planes[:, 0] = prediction.told.reshape(-1)
    np.clip(said, -REACH, REACH, out=planes[:, 1:-1], casting="unsafe")
    planes[:, -1] = prediction.known.reshape(-1)
    return planes


def choose_told(exact: Floats, rounded: Ints, said: Ints, refinement: Floats) -> Bools:
    """Which positions to tell anew, (P,): where that pays at `refinement` (P,), mu per position.

    A symbol that is told is worth the squared error that it saves beyond what it costs; a position
    is told if its symbols are together worth more than it costs.
    """
    away = (rounded - said).astype(np.float32)
    # (exact - said)^2 - (exact - rounded)^2
    worth = away * (2 * exact - (rounded + said).astype(np.float32))
    cost = np.abs(away, out=away)
    cost *= np.float32(_MORE_BITS)
    cost += np.float32(_FIRST_BITS - _MORE_BITS)
    worth -= cost * refinement[:, None]
    np.maximum(worth, 0, out=worth)
    # Not a product: BLAS would start threads, and wait for the network's own.
    told: Bools = worth.sum(axis=1) > refinement * _POSITION_BITS
    return told


def share_class(told: int, positions: int) -> int:
    """The class 0 .. 3 of a slice in which so many of so many positions are told; 0: none."""
    return sum(told > bound * positions for bound in _SHARE_BOUNDS)
