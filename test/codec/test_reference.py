# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a reference predicts of a later frame, and which frames are kept as references."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.frame.reference import (
    Reference,
    ReferenceWindow,
    planes,
    predict,
    predicted_input,
    predicted_symbols,
    slice_input,
)
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.wire import Geometry, Motion, Stamp


def gains():
    """Of three channels, in units of 1/4096."""
    return (np.geomspace(900, 30_000, 65)[:, None] * np.array([1.0, 2.0, 0.3])).astype(np.int64)


def reference(symbols, coded=None, code=40, frame=0):
    height, width = symbols.shape[1:]
    size = (16 * width, 16 * height)
    coded = np.ones((height, width), np.bool_) if coded is None else coded
    return Reference(frame, code, Geometry(size, size), symbols.astype(np.int8), coded)


@given(
    symbols=st.lists(st.integers(-127, 127), min_size=12, max_size=12),
    code=st.integers(0, 64),
    old=st.integers(0, 64),
    channels=st.integers(1, 3),
)
def test_a_reference_is_scaled_in_integers_and_kept_within_127(symbols, code, old, channels):
    symbols = np.array(symbols).reshape(3, 2, 2)
    prediction = predict(reference(symbols, code=old), Motion(), 2, 2)

    found = predicted_symbols(prediction, code, gains(), channels)

    assert found.shape == (4, 3)
    assert not found[:, channels:].any()
    for channel in range(channels):
        ratio = (int(gains()[code, channel]) << 12) // int(gains()[old, channel])
        for position, symbol in enumerate(symbols[channel].ravel().tolist()):
            magnitude = min(abs(symbol) * ratio + 2048 >> 12, 127)
            assert found[position, channel] == (magnitude if symbol > 0 else -magnitude)


def test_a_reference_moves_with_the_picture():
    symbols = np.random.default_rng(0).integers(-127, 128, (3, 5, 6))
    prediction = predict(reference(symbols), Motion(dx=32), 5, 6)

    found = predicted_symbols(prediction, 40, gains(), 3).reshape(5, 6, 3)

    assert np.array_equal(found[:, :4], symbols[:, :, 2:].transpose(1, 2, 0))
    assert prediction.known[:, :4].all()
    assert not prediction.known[:, 4:].any()
    assert not found[:, 4:].any()


@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    motion=st.builds(
        Motion,
        st.integers(-200, 200),
        st.integers(-200, 200),
        st.integers(-128, 127),
        st.integers(-128, 127),
    ),
)
def test_each_position_looks_at_the_one_of_the_specification(helpers, shape, motion):
    height, width = shape
    symbols = np.arange(35).reshape(1, 5, 7)
    own = helpers.reference_decoder()

    prediction = predict(reference(symbols), motion, height, width)

    for y in range(height):
        for x in range(width):
            at = own.looked_at(
                y, x, height, width, 5, 7, (motion.dx, motion.dy, motion.zoom, motion.turn)
            )
            assert prediction.known[y, x] == (at is not None)
            assert prediction.symbols[0, y, x] == (0 if at is None else symbols[(0, *at)])


def test_the_network_sees_the_map_the_symbols_and_what_is_known():
    random = np.random.default_rng(1)
    symbols = random.integers(-20, 21, (3, 5, 6))
    coded = random.random((5, 6)) < 0.5
    prediction = predict(reference(symbols, coded), Motion(dx=32), 5, 6)

    found = planes(prediction, predicted_symbols(prediction, 40, gains(), 3))

    shown = found.reshape(5, 6, 5)
    assert found.dtype == np.int8
    assert np.array_equal(shown[:, :4, 0], coded[:, 2:])
    assert np.array_equal(shown[:, :4, 1:4], symbols[:, :, 2:].clip(-7, 7).transpose(1, 2, 0))
    assert (shown[:, :4, 4] == 1).all()
    assert not shown[:, 4:].any()


def test_what_a_slice_sees_is_what_the_frame_sees():
    """Around a slice's edge, too: the reference is known as a whole."""
    symbols = np.random.default_rng(2).integers(-20, 21, (3, 7, 9))
    prediction = predict(reference(symbols), Motion(dx=30), 7, 9)
    grid = Grid(2, 3, 7, 9)
    expected = predicted_symbols(prediction, 40, gains(), 3)
    padded = np.pad(planes(prediction, expected).reshape(7, 9, 5), ((1, 1), (1, 1), (0, 0)))

    whole = predicted_input(prediction, expected, grid, np.zeros(63, np.uint8))

    for number, patch in enumerate(grid.patches()):
        own = slice_input(whole, grid, number, share=2)
        assert np.array_equal(own.shares, np.full(len(own.symbols), 2))
        seen_by = np.concatenate((own.planes, np.zeros((1, 5), np.int8)))[own.around]
        rows = iter(zip(own.symbols, seen_by.reshape(len(own.symbols), -1), strict=True))
        for phase in (0, 1):
            for y in range(patch.y0, patch.y1):
                for x in range(patch.x0, patch.x1):
                    if (y - patch.y0 + x - patch.x0) % 2 == phase:
                        symbol, seen = next(rows)
                        assert np.array_equal(seen, padded[y : y + 3, x : x + 3].reshape(-1))
                        assert np.array_equal(symbol, expected[9 * y + x])
        assert next(rows, None) is None


def test_the_digest_covers_all_that_a_prediction_depends_on():
    one = reference(np.ones((2, 3, 4)))
    other_map = np.ones((3, 4), np.bool_)
    other_map[1, 1] = False
    others = [
        replace(one, code=41),
        replace(one, geometry=Geometry((64, 48), (640, 480))),
        replace(one, geometry=Geometry((64, 48), (64, 48), (1, 0))),
        replace(one, symbols=2 * one.symbols),
        replace(one, coded=other_map),
    ]

    assert len({other.digest for other in [one, *others]}) == 6
    assert replace(one, stamp=Stamp(5, 6), frame=9).digest == one.digest


def test_the_window_forgets():
    window = ReferenceWindow()
    one = np.zeros((1, 1, 1))
    for number in (0, 20, 40, 65_530):
        window.put(reference(one, frame=number))
        assert window.newest.frame == number
    assert len(window) == 1
    window.put(reference(one, frame=3))
    assert len(window) == 2
    assert window.get(65_530) is not None
    assert window.get(3 + 65_536) is window.newest
    assert window.get(20) is None
    window.clear()
    assert window.newest is None
