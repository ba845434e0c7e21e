# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Curves whose answer is known."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from sc2_ros.evaluation.metrics.bdrate import bd_rate, bytes_at, front

ANCHOR = [(1000.0, 0.3), (2000.0, 0.45), (4000.0, 0.55), (8000.0, 0.6)]


def test_half_the_bytes_everywhere_is_minus_half():
    halved = [(size / 2, accuracy) for size, accuracy in ANCHOR]

    assert bd_rate(halved, ANCHOR) == pytest.approx(-0.5)
    assert bd_rate(ANCHOR, halved) == pytest.approx(1.0)
    assert bd_rate(ANCHOR, ANCHOR) == pytest.approx(0.0)


def test_without_overlap_there_is_no_bd_rate():
    better = [(100.0, 0.7), (200.0, 0.8)]

    assert bd_rate(better, ANCHOR) is None
    assert bd_rate([(100.0, 0.5)], ANCHOR) is None


def test_bytes_at_interpolates_in_the_logarithm():
    assert bytes_at(ANCHOR, 0.45) == pytest.approx(2000)
    assert bytes_at(ANCHOR, 0.5) == pytest.approx((2000 * 4000) ** 0.5)
    assert bytes_at(ANCHOR, 0.29) is None
    assert bytes_at(ANCHOR, 0.61) is None
    assert bytes_at([], 0.5) is None


def test_front_drops_points_that_cost_more_for_less():
    assert front([(3.0, 0.2), (1.0, 0.1), (2.0, 0.3), (4.0, 0.3)]) == [(1.0, 0.1), (2.0, 0.3)]


def test_bd_rate_is_the_integral_between_the_curves():
    # By hand: the mean over accuracy of the difference of two interpolated log rates.
    ours = [(700.0, 0.28), (1500.0, 0.5), (3000.0, 0.57), (5000.0, 0.62)]

    def area(curve):
        sizes, accuracies = np.array(curve).T
        return PchipInterpolator(accuracies, np.log(sizes)).integrate(0.3, 0.6)

    assert bd_rate(ours, ANCHOR) == pytest.approx(np.expm1((area(ours) - area(ANCHOR)) / 0.3))
