# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Bytes at equal accuracy: one point by interpolation, and the mean over a range (BD-rate).

BD-rate after Bjontegaard, "Calculation of average PSNR differences between RD-curves", VCEG-M33
(2001), by the package `bjontegaard`, with accuracy in PSNR's place and the monotone cubic
interpolation that took the polynomial's (Fritsch and Carlson 1980), since accuracy saturates and a
polynomial would swing.
"""

from __future__ import annotations

from collections.abc import Sequence

import bjontegaard
import numpy as np

Curve = Sequence[tuple[float, float]]  # (bytes per frame, accuracy)


def front(curve: Curve) -> list[tuple[float, float]]:
    """The points that no cheaper point equals or beats, in rising bytes and accuracy."""
    kept: list[tuple[float, float]] = []
    for size, accuracy in sorted(curve, key=lambda point: (point[0], -point[1])):
        if not kept or accuracy > kept[-1][1]:
            kept.append((size, accuracy))
    return kept


def bytes_at(curve: Curve, accuracy: float) -> float | None:
    """Bytes that reach an accuracy, log-linear between the curve's points; None outside of them."""
    points = front(curve)
    if not points or not points[0][1] <= accuracy <= points[-1][1]:
        return None
    sizes, accuracies = np.array(points).T
    return float(np.exp(np.interp(accuracy, accuracies, np.log(sizes))))


def bd_rate(curve: Curve, anchor: Curve) -> float | None:
    """Mean difference of bytes against the anchor at equal accuracy: -0.6 = 60 % fewer bytes.

    None where a curve has fewer than two points or the ranges of accuracy do not overlap.
    """
    ours, theirs = front(curve), front(anchor)
    if len(ours) < 2 or len(theirs) < 2:
        return None
    if not max(ours[0][1], theirs[0][1]) < min(ours[-1][1], theirs[-1][1]):
        return None
    percent = bjontegaard.bd_rate(
        *np.array(theirs).T,
        *np.array(ours).T,
        method="pchip",
        require_matching_points=False,
        min_overlap=0,
    )
    return float(percent) / 100
