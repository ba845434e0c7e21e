# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.cdf import MAX_SYMBOL, TOTAL, quantised_cdf, stack, symbol_bits

PROBABILITY = st.floats(0, 1, allow_nan=False)


@given(st.lists(PROBABILITY, min_size=1, max_size=255), st.floats(1e-9, 1))
def test_cdf_gives_every_symbol_and_the_escape_a_share(pmf, tail):
    cdf = quantised_cdf(pmf, tail)

    assert cdf[0] == 0
    assert cdf[-1] == TOTAL
    assert len(cdf) == len(pmf) + 2
    assert np.diff(cdf).min() >= 1


def test_cdf_follows_the_probabilities():
    cdf = quantised_cdf([0.25, 0.5, 0.125], 0.125)

    np.testing.assert_allclose(np.diff(cdf) / TOTAL, [0.25, 0.5, 0.125, 0.125], atol=1e-4)


@pytest.mark.parametrize("pmf", [[0.0], [-1.0, 2.0], [float("nan")]])
def test_cdf_refuses_what_is_no_distribution(pmf):
    with pytest.raises(ValueError, match="probability"):
        quantised_cdf(pmf, 0.0)


def test_stack_pads_with_the_total():
    bank, sizes = stack([quantised_cdf([1], 1), quantised_cdf([1, 1, 1], 1)])

    assert sizes.tolist() == [3, 5]
    assert bank[0].tolist() == [0, TOTAL // 2, TOTAL, TOTAL, TOTAL]


@pytest.mark.parametrize(("pmf", "offset"), [([0.1, 0.8, 0.1], -1), ([0.7, 0.2], 0), ([1], 5)])
def test_bits_are_what_compressai_spends_escapes_included(pmf, offset):
    from sc2_ros.codec.rans import _ans

    cdf = quantised_cdf(pmf, 0.01)
    repeats = 4096

    bits = symbol_bits(cdf, offset)

    for symbol in (-127, -100, -9, -8, -2, -1, 0, 1, 2, 5, 8, 9, 10, 127):
        data = _ans.RansEncoder().encode_with_indexes(
            [symbol] * repeats, [0] * repeats, [cdf.tolist()], [len(cdf)], [offset]
        )
        # 33 of the final 64 bits of state are not information.
        spent = (8 * len(data) - 33) / repeats
        assert bits[symbol + MAX_SYMBOL] == pytest.approx(spent, abs=0.02)
