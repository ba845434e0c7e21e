# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sc2_ros.codec.varint import from_zigzag, read_varint, varint, zigzag
from sc2_ros.errors import PacketError


@given(st.integers(0, 2**64 - 1), st.binary(max_size=5), st.binary(max_size=5))
def test_a_number_comes_back_in_as_few_bytes_as_it_needs(value, before, after):
    data = varint(value)

    assert len(data) == max(-(-value.bit_length() // 7), 1)
    assert read_varint(before + data + after, len(before), 64) == (value, len(before + data))


@given(st.integers(-(2**63), 2**63 - 1))
def test_numbers_near_zero_are_small_with_either_sign(value):
    folded = zigzag(value)

    assert folded == (2 * value if value >= 0 else -2 * value - 1)
    assert from_zigzag(folded) == value


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (b"", 64),
        (b"\x80", 64),
        (b"\xff" * 9, 64),
        (b"\xff" * 9 + b"\x02", 64),  # 65 bits
        (b"\xff" * 10 + b"\x01", 64),
        (b"\x80\x00", 64),  # 0 in two bytes
        (b"\xff\x81\x00", 64),
        (b"\xff\xff\xff\xff\x01", 28),
    ],
)
def test_what_nobody_writes_is_refused(data, bits):
    with pytest.raises(PacketError, match="cut off"):
        read_varint(data, 0, bits)


@given(st.binary(max_size=12), st.sampled_from([28, 64]))
def test_any_bytes_are_a_number_written_so_or_refused(data, bits):
    try:
        value, end = read_varint(data, 0, bits)
    except PacketError:
        return
    assert value < 2**bits
    assert varint(value) == data[:end]
