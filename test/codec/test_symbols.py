# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""The choice of symbols: rounding, RDOQ, and which positions of a predicted frame are coded."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.entropy.choice import SymbolChoice
from sc2_ros.codec.entropy.context_network import Expectation
from sc2_ros.codec.frame.symbols import choose_coded, round_latent, share_class


def rounded(values, gain=1.0):
    latent = np.array(values, np.float32).reshape(1, 1, -1)
    return round_latent(latent, np.array([gain], np.float32)).symbols[0, 0].tolist()


def test_halves_round_to_even_and_extremes_are_clipped():
    assert rounded([0.5, 1.5, -0.5, -1.5, 1e9, -1e9]) == [0, 2, 0, -2, 127, -127]
    assert rounded([0.5, 1.5], gain=2.0) == [1, 3]


def test_what_is_not_a_number_becomes_zero_and_infinity_the_extreme():
    assert rounded([np.nan, np.inf, -np.inf]) == [0, 127, -127]


@pytest.fixture(scope="module")
def choice(tables):
    return SymbolChoice(tables.context.bank)


@given(
    exact=st.lists(st.floats(-20, 20, width=32), min_size=6, max_size=6),
    table=st.integers(1, 232),
    mean=st.integers(-5, 5),
    weight=st.floats(0, 1),
)
def test_a_symbol_moves_one_step_to_its_mean_exactly_where_that_pays(
    tables, choice, exact, table, mean, weight
):
    exact = np.array([exact], np.float32)
    values = np.rint(exact).astype(np.int32)
    expected = Expectation(np.full((1, 6), table, np.uint8), np.full((1, 6), mean, np.int32))
    spread = np.array([weight], np.float32)

    less, bits = choice.choose(values, exact - values, spread, expected)

    for number in range(6):
        away = int(values[0, number]) - mean
        step = int(np.sign(away))
        costs = [tables.context.bank.bits[table, one + 127] for one in (away, away - step)]
        harm = (exact[0, number] - values[0, number] + step) ** 2 - (
            (exact[0, number] - values[0, number]) ** 2
        )
        gain = spread[0] * (costs[0] - costs[1]) - harm
        if abs(gain) > 1e-3:
            moved = int(step != 0 and gain > 0)
            assert less[0, number] == away - step * moved
            assert bits[0, number] == costs[moved]


def test_a_symbol_that_is_not_coded_is_zero_and_free(choice):
    expected = Expectation(np.zeros((1, 2), np.uint8), np.zeros((1, 2), np.int32))

    less, bits = choice.choose(
        np.array([[3, -1]], np.int32),
        np.zeros((1, 2), np.float32),
        np.zeros(1, np.float32),
        expected,
    )

    assert less.tolist() == [[0, 0]]
    assert bits.tolist() == [[0.0, 0.0]]


def material(seed, positions=200):
    """Exact values, what they are rounded to, and what is predicted: the same, or not."""
    random = np.random.default_rng(seed)
    exact = random.laplace(0, 2, (positions, 3)).clip(-127, 127).astype(np.float32)
    values = np.rint(exact).astype(np.int32)
    away = random.integers(-3, 4, exact.shape) * (random.random((positions, 1)) < 0.5)
    return exact, values, (values + away).clip(-127, 127).astype(np.int32)


def coded_at(weight, exact, values, predicted):
    return choose_coded(exact, values, predicted, np.full(len(exact), weight, np.float32))


@given(st.integers(0, 10_000))
def test_where_bits_are_free_exactly_what_differs_is_coded(seed):
    exact, values, predicted = material(seed)

    assert np.array_equal(
        coded_at(0.0, exact, values, predicted), (values != predicted).any(axis=1)
    )


@given(st.integers(0, 10_000))
def test_the_dearer_bits_are_the_fewer_positions_are_coded(seed):
    frames = material(seed)

    maps = [coded_at(weight, *frames) for weight in (0.0, 0.02, 0.07, 0.3, 1.0, 100.0)]

    for more, fewer in pairwise(maps):
        assert not (fewer & ~more).any()
    assert maps[0].sum() > maps[3].sum() > maps[4].sum()
    assert not maps[-1].any()


def test_bits_may_be_dearer_in_some_positions_than_in_others():
    exact, values, predicted = material(3)
    weight = np.where(np.arange(200) < 100, 0.0, 100.0).astype(np.float32)

    coded = choose_coded(exact, values, predicted, weight)

    assert np.array_equal(coded[:100], (values != predicted).any(axis=1)[:100])
    assert not coded[100:].any()


@pytest.mark.parametrize(("exact", "coded"), [(1.45, True), (1.35, False)])
def test_a_position_is_coded_where_what_it_saves_is_worth_10_bits(exact, coded):
    """4 for a symbol that is one off and 6 for the position: 1.8 at a lambda of 0.18."""
    saved = exact**2 - (exact - 1) ** 2
    assert (saved > 0.18 * 10) == coded
    others = np.array([[exact, 0.3, -0.3]], np.float32)
    values, predicted = np.rint(others).astype(np.int32), np.zeros((1, 3), np.int32)

    assert coded_at(0.18, others, values, predicted).tolist() == [coded]


def test_many_small_errors_are_worth_it_where_one_is_not():
    exact = np.full((2, 12), 0.9, np.float32)
    exact[1, 1:] = 0.0
    values, predicted = np.rint(exact).astype(np.int32), np.zeros((2, 12), np.int32)

    assert coded_at(0.1, exact, values, predicted).tolist() == [True, False]


@pytest.mark.parametrize(
    ("coded", "positions", "expected"),
    [
        (0, 320, 0),
        (0, 1, 0),
        (1, 320, 1),
        (10, 320, 1),
        (11, 320, 2),
        (40, 320, 2),
        (41, 320, 3),
        (320, 320, 3),
        (1, 32, 1),
        (1, 31, 2),
        (1, 8, 2),
        (1, 7, 3),
        (1, 1, 3),
    ],
)
def test_share_classes_end_at_none_a_32nd_and_an_eighth(coded, positions, expected):
    assert share_class(coded, positions) == expected
