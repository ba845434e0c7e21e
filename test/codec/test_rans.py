# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import contextlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec import rans
from sc2_ros.codec.rans import SymbolCoder, padding_bytes
from sc2_ros.errors import PacketError


@pytest.fixture(scope="module")
def coder(tables):
    return SymbolCoder(tables)


@given(st.data())
def test_symbols_come_back_in_as_many_parts_as_wanted(coder, tables, data):
    count = data.draw(st.integers(0, 60))
    symbols = data.draw(st.lists(st.integers(-127, 127), min_size=count, max_size=count))
    numbers = data.draw(st.lists(st.integers(1, len(tables.cdfs)), min_size=count, max_size=count))
    cut = data.draw(st.integers(0, count))

    decoder = coder.decoder(coder.encode(symbols, numbers), count)
    first = decoder.decode(np.array(numbers[:cut], np.uint8))
    rest = decoder.decode(np.array(numbers[cut:], np.uint8))

    assert [*first, *rest] == symbols


def test_nothing_is_coded_as_nothing(coder):
    assert coder.encode([], []) == b""


@pytest.mark.parametrize("symbol", [0, -127, 127])
def test_one_symbol_takes_no_more_than_the_state(coder, symbol):
    assert len(coder.encode([symbol], [1])) <= 12


@pytest.mark.parametrize("length", [1, 3, 4, 7, 9, 1167])
def test_a_length_that_no_encoder_makes_is_refused(coder, length):
    with pytest.raises(PacketError, match="words"):
        coder.decoder(bytes(length), 10)


def hostile():
    """Strings that send a decoder astray: random, all ones (endless escapes), all zeros, mixes."""
    chunk = st.one_of(
        st.binary(min_size=4, max_size=4),
        st.just(b"\xff" * 4),
        st.just(b"\x00" * 4),
        st.just(b"\xf1\xff\xff\xff"),
    )
    return st.lists(chunk, min_size=2, max_size=292).map(b"".join)


@settings(max_examples=60)
@given(hostile(), st.integers(1, 255), st.integers(1, 300))
def test_hostile_bytes_stay_within_the_padding(helpers, coder, tables, data, table, count):
    number = (table - 1) % len(tables.cdfs)
    cdf = tables.cdfs[number, : tables.sizes[number]].tolist()
    stream = helpers.reference.Rans(data)
    expected = [stream.symbol(cdf, int(tables.offsets[number])) for _ in range(count)]

    assert 4 * stream.words_read <= len(data) + padding_bytes(len(data), count)
    decoder = coder.decoder(data, count)
    numbers = np.full(count, number + 1, np.uint8)
    if all(-127 <= symbol <= 127 for symbol in expected):
        assert decoder.decode(numbers).tolist() == expected
    elif all(abs(symbol) < 2**30 for symbol in expected):
        with pytest.raises(PacketError, match="out of range"):
            decoder.decode(numbers)
    else:
        # An escape beyond 32 bits: compressai's integers overflow, so that anything may come out.
        with contextlib.suppress(PacketError):
            decoder.decode(numbers)


def test_the_coder_does_not_pull_torch():
    script = "import sys, sc2_ros.codec.coder; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)


def test_a_later_import_of_compressai_takes_the_same_extension():
    # Importing it twice would abort the process; importing all of compressai here takes a minute.
    assert sys.modules["compressai.ans"] is rans._ans
