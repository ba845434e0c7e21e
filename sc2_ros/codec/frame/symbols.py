# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Which symbols are sent for a latent, by their rate and distortion together.

    latent (C, h, w) -> x gain, rounded -> skip map (predicted frames) -> one step nearer the mean?

A symbol that costs much and would do almost as well one nearer to its mean is moved there
(rate-distortion optimised quantisation, RDOQ; G. J. Sullivan and T. Wiegand, "Rate-distortion
optimization for video compression", 1998, with its Lagrangian D + lambda R):

    (z - q')^2 - (z - q)^2  <  lambda (bits(q) - bits(q'))        z: latent x gain, q' = q +- 1

lambda may differ from position to position: where nothing is to be seen, bits count for more. The
decoder needs to know nothing of any of this.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.cdf import MAX_SYMBOL

RDOQ_LAMBDA = 0.07
"""Of the onboard encoder. With an early context network, on 96 images of HIT-UAV val, 0.08 gave a
mean AP50 of 0.754 at 671 bytes and 0.774 at 915; 0.04 gave 0.746 at 722 and 0.779 at 954; 0.12 gave
0.757 at 795. 0.07 itself was not compared."""
_FIRST_BITS, _MORE_BITS, _POSITION_BITS = 4.0, 1.0, 6.0
"""What it takes to move a symbol by one from its prediction, by one more, and to code a position at
all. On 40 pairs of the ten clips of benchmarks/video.py, four rates, D + lambda R is then 0.7 %
above that of coding each frame twice to find out."""
_SHARE_BOUNDS = (0.0, 1 / 32, 1 / 8)

Floats = npt.NDArray[np.float32]
Symbols = npt.NDArray[np.int8]
Values = npt.NDArray[np.int32]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rounded:
    """A frame's latent at one rate code.

    Attributes:
        symbols: (C, h, w) int8.
        exact: (C, h, w) float32, what they were before rounding.
        rdoq_lambda: (h, w) float32.
    """

    symbols: Symbols
    exact: Floats
    rdoq_lambda: Floats


def round_latent(latent: Floats, gain: Floats, rdoq_lambda: Floats | float = 0.0) -> Rounded:
    """Symbols -127 .. 127 of a latent (C, h, w); what is not a number becomes zero.

    gain: (C,), of the rate code; rdoq_lambda: one for all positions or (h, w).
    """
    spread = np.broadcast_to(np.asarray(rdoq_lambda, np.float32), latent.shape[1:])
    rounding = _plainly_rounded if kernel.library is None else kernel.rounded
    exact, symbols = rounding(latent, gain)
    return Rounded(symbols, exact, spread)


def _plainly_rounded(latent: Floats, gain: Floats) -> tuple[Floats, Symbols]:
    """As kernel.rounded."""
    # Whatever the layout of the latent, all that works on the result indexes it flat.
    exact = np.multiply(latent, gain[:, None, None], order="C", dtype=np.float32)
    if not np.isfinite(exact.sum()):
        np.nan_to_num(exact, copy=False)
    np.clip(exact, -MAX_SYMBOL, MAX_SYMBOL, out=exact)
    return exact, np.rint(exact).astype(np.int8)


def choose_coded(exact: Floats, rounded: Values, predicted: Values, rdoq_lambda: Floats) -> Flags:
    """Which positions of a predicted frame to code, (P,): where that pays at their lambda (P,).

    A symbol that is coded is worth the squared error that it saves beyond what it costs; a position
    is coded if its symbols, (P, n), are together worth more than it costs.
    """
    away = (rounded - predicted).astype(np.float32)
    # (exact - predicted)^2 - (exact - rounded)^2
    worth = away * (2 * exact - (rounded + predicted).astype(np.float32))
    cost = np.abs(away, out=away)
    cost *= np.float32(_MORE_BITS)
    cost += np.float32(_FIRST_BITS - _MORE_BITS)
    worth -= cost * rdoq_lambda[:, None]
    np.maximum(worth, 0, out=worth)
    total = np.zeros(len(worth), np.float32)
    for channel in range(worth.shape[1]):  # in the kernel's order, so that sums are equal
        total += worth[:, channel]
    coded: Flags = total > rdoq_lambda * np.float32(_POSITION_BITS)
    return coded


def share_class(coded: int, positions: int) -> int:
    """The class 0 .. 3 of a slice of which so many of so many positions are coded; 0: none."""
    return sum(coded > bound * positions for bound in _SHARE_BOUNDS)
