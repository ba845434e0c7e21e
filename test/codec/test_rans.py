# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import contextlib
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.entropy import rans
from sc2_ros.codec.entropy.rans import SymbolCoder, padding_bytes, trimmed, untrimmed
from sc2_ros.errors import PacketError


@pytest.fixture(scope="module")
def bank(tables):
    return tables.context.bank


@pytest.fixture(scope="module")
def coder(bank):
    return SymbolCoder(bank)


@given(st.data())
def test_symbols_come_back_in_as_many_parts_as_wanted(coder, bank, data):
    count = data.draw(st.integers(0, 60))
    symbols = data.draw(st.lists(st.integers(-127, 127), min_size=count, max_size=count))
    numbers = data.draw(st.lists(st.integers(1, len(bank)), min_size=count, max_size=count))
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
def test_hostile_bytes_stay_within_the_padding(helpers, coder, bank, data, table, count):
    number = (table - 1) % len(bank)
    cdf = bank.cdfs[number, : bank.sizes[number]].tolist()
    stream = helpers.reference_decoder().Rans(data)
    expected = [stream.symbol(cdf, int(bank.offsets[number])) for _ in range(count)]

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
    modules = "sc2_ros.codec.frame.encoder, sc2_ros.codec.frame.decoder"
    script = f"import sys, {modules}; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)


def test_a_later_import_of_compressai_takes_the_same_extension():
    # Importing it twice would abort the process; importing all of compressai here takes a minute.
    assert sys.modules["compressai.ans"] is rans._ans


@given(st.binary(min_size=4, max_size=4), st.integers(0, 20), st.integers(0, 4))
def test_zero_bytes_of_the_state_are_left_out(low, words, zeros):
    high = bytes(reversed((b"\0" * zeros + b"\1\2\3\4")[:4]))
    data = low + high + bytes(range(1, 1 + words)) * 4

    short = trimmed(data)

    assert untrimmed(short) == data
    assert len(data) - len(short) == min(zeros, 3)


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_string_too_short_for_a_state_is_refused(length):
    with pytest.raises(PacketError, match="at least"):
        untrimmed(bytes(length))
