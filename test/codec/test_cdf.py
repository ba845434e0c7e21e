# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.entropy.cdf import MAX_SYMBOL, TOTAL, Bank, quantised_cdf, symbol_bits
from sc2_ros.errors import CheckpointError

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


def small_bank():
    return Bank.of([quantised_cdf([1], 1), quantised_cdf([1, 1, 1], 1)], [0, -1])


def test_a_bank_pads_with_the_total():
    bank = small_bank()

    assert len(bank) == 2
    assert bank.sizes.tolist() == [3, 5]
    assert bank.cdfs[0].tolist() == [0, TOTAL // 2, TOTAL, TOTAL, TOTAL]
    with pytest.raises(ValueError, match="read-only"):
        bank.cdfs[0, 0] = 1


def test_the_bits_of_a_bank_are_those_of_its_tables():
    bank = small_bank()

    assert bank.bits.shape == (3, 255)
    assert not bank.bits[0].any()
    for table, offset in ((1, 0), (2, -1)):
        cdf = bank.cdfs[table - 1, : bank.sizes[table - 1]]
        np.testing.assert_array_equal(bank.bits[table], symbol_bits(cdf, offset).astype(np.float32))


def _changed(name, where, value):
    def change(arrays):
        arrays[name] = arrays[name].copy()
        arrays[name][where] = value

    return change


def _instead(name, value):
    def change(arrays):
        arrays[name] = np.asarray(value)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_changed("cdfs", (0, 0), 1), "must rise"),
        (_changed("cdfs", (1, 1), 0), "must rise"),
        (_changed("cdfs", (1, 1), TOTAL), "must rise"),
        (_changed("sizes", 0, 2), "sizes out of range"),
        (_changed("sizes", 0, 999), "sizes out of range"),
        (_changed("offsets", 0, -128), "beyond the symbols"),
        (_changed("offsets", 1, 126), "beyond the symbols"),
        # Sums and differences that wrap around as i32; with such an offset the coder never ended.
        (_changed("offsets", 1, 2**31 - 1), "beyond the symbols"),
        (_instead("cdfs", [[0, 1, TOTAL, 0, 0], [0, 2**31 - 1, -(2**31), -1, TOTAL]]), "must rise"),
        (_instead("offsets", [0]), "one size and offset"),
        (_instead("cdfs", [3]), "1 to 255 CDFs"),
        (_instead("cdfs", np.full((2, 5), 0.5)), "not all int32"),
    ],
)
def test_a_bank_that_would_lead_the_coder_astray_is_refused(change, message):
    bank = small_bank()
    arrays = {name: getattr(bank, name) for name in ("cdfs", "sizes", "offsets")}
    change(arrays)

    with pytest.raises(CheckpointError, match=message):
        Bank(**arrays)


@pytest.mark.parametrize(("pmf", "offset"), [([0.1, 0.8, 0.1], -1), ([0.7, 0.2], 0), ([1], 5)])
def test_bits_are_what_compressai_spends_escapes_included(pmf, offset):
    ans = pytest.importorskip("compressai.ans")
    cdf = quantised_cdf(pmf, 0.01)
    repeats = 4096

    bits = symbol_bits(cdf, offset)

    for symbol in (-127, -100, -9, -8, -2, -1, 0, 1, 2, 5, 8, 9, 10, 127):
        data = ans.RansEncoder().encode_with_indexes(
            [symbol] * repeats, [0] * repeats, [cdf.tolist()], [len(cdf)], [offset]
        )
        # 33 of the final 64 bits of state are not information.
        spent = (8 * len(data) - 33) / repeats
        assert bits[symbol + MAX_SYMBOL] == pytest.approx(spent, abs=0.02)
