# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""rANS: the kernel and plain Python write the same bytes and refuse the same damaged ones."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.entropy import kernel
from sc2_ros.codec.entropy.plain_rans import PlainBank, PlainReader
from sc2_ros.codec.entropy.rans import SymbolCoder, trimmed, untrimmed
from sc2_ros.errors import PacketError


class PlainCoder:
    """What SymbolCoder is where the kernel could not be built."""

    def __init__(self, bank):
        self._bank = PlainBank(bank)

    def encode(self, symbols, tables):
        return self._bank.encode(tables, symbols)

    def reader(self, data):
        return PlainReader(self._bank, data)


@pytest.fixture(scope="module")
def bank(tables):
    return tables.context.bank


@pytest.fixture(scope="module", params=["kernel", "plain"])
def coder(bank, request):
    if request.param == "plain":
        return PlainCoder(bank)
    if kernel.library is None:
        pytest.skip("the kernel was not built")
    return SymbolCoder(bank)


@st.composite
def coded(draw, most=60):
    count = draw(st.integers(0, most))
    symbols = draw(st.lists(st.integers(-127, 127), min_size=count, max_size=count))
    numbers = draw(st.lists(st.integers(1, 232), min_size=count, max_size=count))
    return symbols, numbers


@given(coded(), st.floats(0, 1))
def test_symbols_come_back_in_as_many_parts_as_wanted(coder, pairs, share):
    symbols, numbers = pairs
    cut = int(share * len(symbols))

    reader = coder.reader(coder.encode(symbols, numbers))
    first = reader.decode(np.array(numbers[:cut], np.uint8))
    rest = reader.decode(np.array(numbers[cut:], np.uint8))

    assert [*first, *rest] == symbols
    reader.check_done()


@pytest.mark.skipif(kernel.library is None, reason="the kernel was not built")
@given(coded())
def test_the_kernel_writes_the_bytes_of_plain_python(bank, pairs):
    assert SymbolCoder(bank).encode(*pairs) == PlainCoder(bank).encode(*pairs)


@given(coded().filter(lambda pairs: len(pairs[0]) > 1))
def test_the_bytes_are_those_of_compressai(bank, pairs):
    ans = pytest.importorskip("compressai.ans")
    symbols, numbers = pairs
    cdfs = [cdf[:size].tolist() for cdf, size in zip(bank.cdfs, bank.sizes, strict=True)]
    tables = [number - 1 for number in numbers]
    expected = ans.RansEncoder().encode_with_indexes(
        symbols, tables, cdfs, bank.sizes.tolist(), bank.offsets.tolist()
    )

    assert PlainCoder(bank).encode(symbols, numbers) == expected


def test_nothing_is_coded_as_nothing(coder):
    assert coder.encode([], []) == b""
    coder.reader(b"").check_done()


@pytest.mark.parametrize("symbol", [0, -127, 127])
def test_one_symbol_takes_no_more_than_the_state(coder, symbol):
    assert len(coder.encode([symbol], [1])) <= 12


@pytest.mark.parametrize("length", [0, 1, 3, 4, 7, 9, 1167])
def test_a_length_that_no_encoder_makes_is_refused(coder, length):
    reader = coder.reader(b"\x80" * length)
    with pytest.raises(PacketError, match="damaged"):
        reader.decode(np.full(10_000, 1, np.uint8))


def hostile():
    """Strings that send a decoder astray: random, all ones (endless escapes), all zeros, mixes."""
    chunk = st.one_of(
        st.binary(min_size=4, max_size=4),
        st.just(b"\xff" * 4),
        st.just(b"\x00" * 4),
        st.just(b"\xf1\xff\xff\xff"),
    )
    return st.lists(chunk, min_size=2, max_size=292).map(b"".join)


def _outcome(reader, numbers):
    try:
        return reader.decode(numbers).tolist()
    except PacketError:
        return "refused"


@settings(max_examples=150)
@given(hostile(), st.integers(1, 232), st.integers(1, 300))
def test_hostile_bytes_are_read_as_the_document_says_or_refused(
    helpers, coder, bank, data, number, count
):
    cdf = bank.cdfs[number - 1, : bank.sizes[number - 1]].tolist()
    stream = helpers.reference_decoder().Rans(data)
    expected = [stream.symbol(cdf, int(bank.offsets[number - 1])) for _ in range(count)]
    beyond = 4 * stream.words_read > len(data)
    large = any(abs(symbol) > 127 for symbol in expected) or stream.most_nibbles > 4

    found = _outcome(coder.reader(data), np.full(count, number, np.uint8))

    assert found == ("refused" if beyond or large else expected)


@pytest.mark.parametrize("damage", ["cut", "longer", "changed"])
def test_what_does_not_end_as_the_encoder_began_is_damaged(coder, damage):
    numbers = np.full(40, 100, np.uint8)
    data = coder.encode([1, -1] * 20, numbers)
    damaged = {
        "cut": data[:-4],
        "longer": data + bytes(4),
        "changed": bytes([data[0] ^ 1]) + data[1:],
    }[damage]

    def read():
        reader = coder.reader(damaged)
        reader.decode(numbers)
        reader.check_done()

    with pytest.raises(PacketError):
        read()


def test_the_coder_does_not_pull_torch():
    modules = "sc2_ros.codec.frame.encoder, sc2_ros.codec.frame.decoder"
    script = f"import sys, {modules}; assert 'torch' not in sys.modules"

    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, timeout=120)


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
