# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The marginal value of bytes: the codes that pay, and how dear bytes are."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.link.control.value_curve import PRICE, Price, ValueCurve

CURVE = [(0, 400, 0.70), (16, 800, 0.77), (32, 1600, 0.79), (64, 3200, 0.79)]
"""Elasticities 0.138, 0.037 and 0, at codes 8, 24 and 48."""

codes = st.lists(st.integers(0, 64), min_size=2, max_size=8, unique=True).map(sorted)
curves = codes.flatmap(
    lambda found: st.tuples(
        st.just(found),
        st.lists(st.floats(1, 1e6), min_size=len(found), max_size=len(found), unique=True).map(
            sorted
        ),
        st.lists(st.floats(1e-6, 1), min_size=len(found), max_size=len(found)),
    ).map(lambda columns: list(zip(*columns, strict=True)))
)


def test_the_least_code_has_the_most_accuracy_per_byte():
    assert ValueCurve([]).least_code == 0
    assert ValueCurve([(0, 500, 0.02), (16, 900, 0.3), (32, 2000, 0.45)]).least_code == 16
    assert ValueCurve([(0, 500, 0.3), (16, 900, 0.4)]).least_code == 0


@given(curves)
def test_no_point_of_the_curve_has_more_accuracy_per_byte_than_the_least_code(curve):
    best = max(row[2] / row[1] for row in curve)
    least = ValueCurve(curve).least_code
    assert max(row[2] / row[1] for row in curve if row[0] == least) == pytest.approx(best, rel=1e-6)


def test_frames_are_as_large_as_their_bytes_pay():
    curve = ValueCurve(CURVE)
    assert curve.most_code(0.0) == 64
    assert curve.most_code(0.999 * math.log(0.79 / 0.77) / math.log(2)) == 24
    assert curve.most_code(0.999 * math.log(0.77 / 0.70) / math.log(2)) == 8
    assert curve.most_code(0.5) == 0


def test_without_a_curve_every_code_pays():
    assert {ValueCurve().most_code(price / 10) for price in range(11)} == {64}


@given(curves, st.lists(st.floats(0, 10), min_size=2))
def test_the_dearer_the_bytes_the_smaller_are_the_frames(curve, prices):
    read = ValueCurve(curve)
    codes = [read.most_code(price) for price in sorted(prices)]
    assert codes == sorted(codes, reverse=True)
    assert all(read.least_code <= code <= 64 for code in codes)


def test_the_price_is_the_mean_queue_and_falls_when_it_has_gone():
    price = Price()
    for number in range(1200):
        price.add(0.030 * (number % 2), 1 / 30)
    assert price.now == pytest.approx(0.015 / PRICE.price_s, rel=0.05)
    for _ in range(1200):
        price.add(0.0, 1 / 30)
    assert price.now < 0.001


def test_the_price_depends_on_the_time_and_not_on_the_number_of_frames():
    slow, fast = Price(), Price()
    for _ in range(10):
        slow.add(0.02, 0.3)
    for _ in range(90):
        fast.add(0.02, 1 / 30)
    assert slow.now == pytest.approx(fast.now)


@given(st.lists(st.tuples(st.floats(0, 10), st.floats(0, 1e6)), max_size=50))
def test_the_price_stays_a_share_and_below_that_of_the_longest_queue(history):
    price = Price()
    for queue_s, gap_s in history:
        price.add(queue_s, gap_s)
    longest_s = max((queue_s for queue_s, _ in history), default=0.0)
    assert 0 <= price.now <= min(longest_s / PRICE.price_s, 1) * (1 + 1e-9)


def test_a_queue_of_an_hour_is_forgotten_as_soon_as_one_of_a_second():
    hour, second = Price(), Price()
    for price, queue_s in ((hour, 3600.0), (second, 1.0)):
        price.add(queue_s, 10.0)
        price.add(0.0, 20.0)
    assert hour.now == second.now < 0.01
