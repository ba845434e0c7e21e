# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""What a frame may send, in C and in numpy: the same, bit for bit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.frame.candidates import keyframe_candidates, predicted_candidates
from sc2_ros.codec.frame.reference import Reference, predict
from sc2_ros.codec.frame.symbols import round_latent
from sc2_ros.codec.slicing import Grid
from sc2_ros.codec.wire import Geometry, Motion

pytestmark = pytest.mark.skipif(kernel.library is None, reason="the kernel was not built")

FRAMES = {
    "code": st.integers(0, 64),
    "grid": st.tuples(st.integers(1, 3), st.integers(1, 4)),
    "size": st.tuples(st.integers(3, 12), st.integers(4, 12)),
    "seed": st.integers(0, 2**32 - 1),
    "spread": st.sampled_from([0.0, 0.3, 3.0, 300.0]),
}


def frame_of(tables, code, size, seed, spread):
    random = np.random.default_rng(seed)
    latent = random.laplace(0, spread, (tables.channels, *size)) / tables.gains[code][:, None, None]
    weight = random.uniform(0, 0.4, size)
    return random, latent.astype(np.float32), weight.astype(np.float32)


def both(monkeypatch, make):
    """What `make` gives with the kernel, and what without."""
    found = make()
    with monkeypatch.context() as patch:
        patch.setattr(kernel, "library", None)
        return found, make()


def assert_same(found, expected):
    for name, value in vars(expected).items():
        assert np.array_equal(getattr(found, name), value), name


@settings(max_examples=100)
@given(**FRAMES)
def test_keyframes(tables, code, grid, size, seed, spread):
    _, latent, weight = frame_of(tables, code, size, seed, spread)
    count = tables.context.count(code)
    with pytest.MonkeyPatch.context() as patch:
        assert_same(*both(patch, lambda: round_latent(latent, tables.gains[code], weight)))
        rounded = round_latent(latent, tables.gains[code], weight)
        made = both(patch, lambda: keyframe_candidates(rounded, count, Grid(*grid, *size)))
        assert_same(*made)


@settings(max_examples=150)
@given(
    **FRAMES,
    other=st.integers(0, 64),
    motion=st.builds(Motion, *[st.integers(-40, 40)] * 2, *[st.integers(-30, 30)] * 2),
)
def test_predicted_frames(tables, code, grid, size, seed, spread, other, motion):
    random, latent, weight = frame_of(tables, code, size, seed, spread)
    before = latent + random.laplace(0, 0.2 * spread, latent.shape).astype(np.float32)
    symbols = round_latent(before, tables.gains[other]).symbols
    sizes = (size[1] * 16, size[0] * 16)
    coded = random.random(size) < random.random()
    reference = Reference(3, other, Geometry(sizes, sizes), symbols, coded)
    prediction = predict(reference, motion, *size)
    rounded = round_latent(latent, tables.gains[code], weight)

    with pytest.MonkeyPatch.context() as patch:
        found, expected = both(
            patch,
            lambda: predicted_candidates(rounded, code, Grid(*grid, *size), prediction, tables),
        )

    assert_same(found.candidates, expected.candidates)
    assert np.array_equal(found.coded, expected.coded)
    assert found.shares == expected.shares
    skipped = ~expected.candidates.coded
    assert np.array_equal(found.reference.symbols[skipped], expected.reference.symbols[skipped])
    for name in ("planes", "around", "shares"):
        assert np.array_equal(getattr(found.reference, name), getattr(expected.reference, name))


def test_what_is_not_finite_is_rounded_alike(monkeypatch):
    latent = np.array([np.nan, np.inf, -np.inf, 0.5, 1.5, -2.5], np.float32).reshape(1, 2, 3)
    found, expected = both(monkeypatch, lambda: round_latent(latent, np.ones(1, np.float32)))
    assert found.symbols.ravel().tolist() == [0, 127, -127, 0, 2, -2]
    assert_same(found, expected)
