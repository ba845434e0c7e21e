# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rANS: the kernel and plain Python write the same bytes, and refuse the same damaged ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.cdf import MAX_SYMBOL, bank_bits, quantised_cdf, stack
from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.plain_rans import PlainBank, PlainReader
from sc2_ros.errors import CheckpointError, PacketError

needs_kernel = pytest.mark.skipif(kernel.library is None, reason="the kernel was not built")


def _bank() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distributions from certain to flat, narrow to wide."""
    shapes = [
        ([1], 1e-6),
        ([1, 1], 1),
        ([1, 50, 1], 0.1),
        ([1] * 40, 3),
        ([0.01, 9, 4, 1, 0.1], 1e-4),
    ]
    cdfs, sizes = stack([quantised_cdf(pmf, tail) for pmf, tail in shapes])
    return cdfs, sizes, np.array([0, -1, -1, -20, 3], np.int32)


CDFS, SIZES, OFFSETS = _bank()
PLAIN = PlainBank(CDFS, SIZES, OFFSETS)
SYMBOLS = st.lists(
    st.tuples(st.integers(1, len(CDFS)), st.integers(-MAX_SYMBOL, MAX_SYMBOL)), max_size=80
)


def _kernel_bank() -> kernel.Bank:
    return kernel.Bank.of(CDFS, SIZES, OFFSETS, bank_bits(CDFS, SIZES, OFFSETS))


def _arrays(pairs: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    tables, symbols = np.array(pairs, np.int64).reshape(-1, 2).T
    return tables.astype(np.uint8), symbols.astype(np.int8)


@given(SYMBOLS)
def test_plain_python_decodes_what_it_encoded(pairs: list[tuple[int, int]]) -> None:
    tables, symbols = _arrays(pairs)
    reader = PlainReader(PLAIN, PLAIN.encode(tables.tolist(), symbols.tolist()))
    assert np.array_equal(reader.decode(tables), symbols)
    assert reader.is_done()


@needs_kernel
@given(SYMBOLS)
def test_the_kernel_writes_the_bytes_of_plain_python(pairs: list[tuple[int, int]]) -> None:
    tables, symbols = _arrays(pairs)
    bank = _kernel_bank()
    data = kernel.rans_encode(bank, tables, symbols)
    assert data == PLAIN.encode(tables.tolist(), symbols.tolist())
    half = len(tables) // 2
    reader = kernel.RansReader(bank, data)
    found = [reader.decode(tables[:half]), reader.decode(tables[half:])]
    assert np.array_equal(np.concatenate(found), symbols)


@needs_kernel
@settings(max_examples=300)
@given(st.binary(max_size=60), st.lists(st.integers(1, len(CDFS)), max_size=60))
def test_hostile_bytes_decode_alike_or_not_at_all(data: bytes, tables: list[int]) -> None:
    wanted = np.array(tables, np.uint8)

    def outcome(reader: kernel.RansReader | PlainReader) -> list[int] | str:
        try:
            return reader.decode(wanted).tolist()
        except PacketError:
            return "refused"

    compiled = outcome(kernel.RansReader(_kernel_bank(), data))
    assert compiled == outcome(PlainReader(PLAIN, data))


@given(st.lists(st.tuples(st.integers(1, 5), st.integers(-127, 127)), min_size=2, max_size=80))
def test_the_bytes_are_those_of_compressai(pairs: list[tuple[int, int]]) -> None:
    ans = pytest.importorskip("compressai.ans")
    cdfs = [cdf[:size].tolist() for cdf, size in zip(CDFS, SIZES, strict=True)]
    tables, symbols = _arrays(pairs)
    expected = ans.RansEncoder().encode_with_indexes(
        symbols.tolist(), (tables - 1).tolist(), cdfs, SIZES.tolist(), OFFSETS.tolist()
    )
    assert PLAIN.encode(tables.tolist(), symbols.tolist()) == expected


def test_a_distribution_that_gives_a_symbol_no_room_is_refused() -> None:
    flat = CDFS.copy()
    flat[3, 5] = flat[3, 4]
    with pytest.raises(CheckpointError, match="damaged"):
        PlainBank(flat, SIZES, OFFSETS)
