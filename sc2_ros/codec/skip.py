# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which positions of a predicted frame are told anew (skip_network.py).

::

    exact values (P, n), rounded, said --> told (P,): where the reference is not good enough
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.context_network import REACH
from sc2_ros.codec.prediction import Prediction

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float32]
Bools = npt.NDArray[np.bool_]

_FIRST_BITS, _MORE_BITS, _POSITION_BITS = 4.0, 1.0, 6.0
"""What it takes to move a symbol by one from what is said, by one more, and to tell a position at
all. On 40 pairs of the ten clips of benchmarks/video.py, four rates, D + mu R is then 0.7 % above
that of coding each frame twice to find out."""
_SHARE_BOUNDS = (0.0, 1 / 32, 1 / 8)


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
