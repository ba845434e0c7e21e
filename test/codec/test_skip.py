# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a reference says of a frame, and which positions are told anew."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.packet import Geometry
from sc2_ros.codec.prediction import Motion, predict, said_symbols
from sc2_ros.codec.references import Reference
from sc2_ros.codec.skip import choose_told, share_class, side_planes

CHANNELS = np.array([3, 0, 2], np.int32)


def gains():
    """Of four channels and the map, in units of 1/4096."""
    rising = np.geomspace(900, 30_000, 65)[:, None] * np.array([1.0, 2.0, 0.3, 1.7])
    return np.concatenate((rising.astype(np.int32), np.full((65, 1), 4096, np.int32)), 1)


def reference(symbols, told=None, code=40):
    height, width = symbols.shape[1:]
    size = (16 * width, 16 * height)
    return Reference(0, code, Geometry(size, size), symbols.astype(np.int8), told=told)


@given(
    symbols=st.lists(st.integers(-127, 127), min_size=16, max_size=16),
    code=st.integers(0, 64),
    old=st.integers(0, 64),
)
def test_a_reference_is_scaled_in_integers_and_kept_within_127(symbols, code, old):
    symbols = np.array(symbols).reshape(4, 2, 2)
    prediction = predict(reference(symbols, code=old), Motion(), 2, 2)

    said = said_symbols(prediction, code, gains(), CHANNELS)

    assert said.shape == (4, 3)
    for column, channel in enumerate(CHANNELS):
        ratio = (int(gains()[code, channel]) << 12) // int(gains()[old, channel])
        for position, symbol in enumerate(symbols[channel].ravel().tolist()):
            magnitude = min(abs(symbol) * ratio + 2048 >> 12, 127)
            assert said[position, column] == (magnitude if symbol > 0 else -magnitude)


def test_at_the_same_rate_the_reference_is_taken_as_it_is():
    symbols = np.random.default_rng(0).integers(-127, 128, (4, 5, 6))
    prediction = predict(reference(symbols), Motion(dx=32), 5, 6)

    said = said_symbols(prediction, 40, gains(), CHANNELS).reshape(5, 6, 3)

    assert np.array_equal(said[:, :4], symbols[CHANNELS, :, 2:].transpose(1, 2, 0))
    assert not said[:, 4:].any()  # where the reference is not known


def test_the_network_is_told_the_map_the_symbols_and_what_is_known():
    random = np.random.default_rng(1)
    symbols = random.integers(-20, 21, (4, 5, 6))
    told = random.random((5, 6)) < 0.5
    prediction = predict(reference(symbols, told), Motion(dx=32), 5, 6)

    planes = side_planes(prediction, said_symbols(prediction, 40, gains(), CHANNELS))

    shown = planes.reshape(5, 6, 5)
    assert planes.dtype == np.float32
    assert np.array_equal(shown[:, :4, 0], told[:, 2:])
    assert np.array_equal(
        shown[:, :4, 1:4], symbols[CHANNELS, :, 2:].clip(-7, 7).transpose(1, 2, 0)
    )
    assert (shown[:, :4, 4] == 1).all()
    assert not shown[:, 4:].any()


def test_nothing_of_a_reference_of_an_earlier_version_was_told():
    symbols = np.full((4, 2, 2), 3)
    prediction = predict(reference(symbols), Motion(), 2, 2)

    planes = side_planes(prediction, said_symbols(prediction, 40, gains(), CHANNELS))

    assert planes.tolist() == [[0, 3, 3, 3, 1]] * 4


def material(seed, positions=200):
    """Exact values, what they are rounded to, and what a reference says: the same, or not."""
    random = np.random.default_rng(seed)
    exact = random.laplace(0, 2, (positions, 3)).clip(-127, 127).astype(np.float32)
    rounded = np.rint(exact).astype(np.int32)
    away = random.integers(-3, 4, exact.shape) * (random.random((positions, 1)) < 0.5)
    return exact, rounded, (rounded + away).clip(-127, 127).astype(np.int32)


def told_at(mu, exact, rounded, said):
    return choose_told(exact, rounded, said, np.full(len(exact), mu, np.float32))


@given(st.integers(0, 10_000))
def test_where_bits_are_free_exactly_what_differs_is_told(seed):
    exact, rounded, said = material(seed)

    assert np.array_equal(told_at(0.0, exact, rounded, said), (rounded != said).any(axis=1))


@given(st.integers(0, 10_000))
def test_the_dearer_bits_are_the_fewer_positions_are_told(seed):
    frames = material(seed)

    maps = [told_at(mu, *frames) for mu in (0.0, 0.02, 0.07, 0.3, 1.0, 100.0)]

    for more, fewer in pairwise(maps):
        assert not (fewer & ~more).any()
    assert maps[0].sum() > maps[3].sum() > maps[4].sum()
    assert not maps[-1].any()


def test_bits_may_be_dearer_in_some_places_than_in_others():
    exact, rounded, said = material(3)
    mu = np.where(np.arange(200) < 100, 0.0, 100.0).astype(np.float32)

    told = choose_told(exact, rounded, said, mu)

    assert np.array_equal(told[:100], (rounded != said).any(axis=1)[:100])
    assert not told[100:].any()


@pytest.mark.parametrize(("exact", "told"), [(1.45, True), (1.35, False)])
def test_a_position_is_told_where_what_it_saves_is_worth_10_bits(exact, told):
    """4 for a symbol that is one off and 6 for the position: 1.8 at a mu of 0.18."""
    saved = exact**2 - (exact - 1) ** 2
    assert (saved > 0.18 * 10) == told
    others = np.array([[exact, 0.3, -0.3]], np.float32)
    rounded, said = np.rint(others).astype(np.int32), np.zeros((1, 3), np.int32)

    assert told_at(0.18, others, rounded, said).tolist() == [told]


def test_many_small_errors_are_worth_it_where_one_is_not():
    exact = np.full((2, 12), 0.9, np.float32)
    exact[1, 1:] = 0.0
    rounded, said = np.rint(exact).astype(np.int32), np.zeros((2, 12), np.int32)

    assert told_at(0.1, exact, rounded, said).tolist() == [True, False]


@pytest.mark.parametrize(
    ("told", "positions", "expected"),
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
def test_share_classes_end_at_none_a_32nd_and_an_eighth(told, positions, expected):
    assert share_class(told, positions) == expected
