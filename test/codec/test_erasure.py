# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Blocks come back from any sufficient set of blocks and repair blocks, and from no smaller one."""

from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sc2_ros.codec.wire.erasure import recover, repair_block


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_n_of_n_plus_r_give_the_blocks(data):
    count = data.draw(st.integers(1, 12))
    extra = data.draw(st.integers(1, 6))
    blocks = data.draw(st.lists(st.binary(max_size=40), min_size=count, max_size=count))
    repairs = {number: repair_block(blocks, number) for number in range(extra)}
    lost = data.draw(st.sets(st.integers(0, count + extra - 1), max_size=extra))

    found = recover(
        {number: block for number, block in enumerate(blocks) if number not in lost},
        {number: block for number, block in repairs.items() if count + number not in lost},
        count,
    )

    size = max(map(len, blocks))
    assert found == {n: block.ljust(size, b"\0") for n, block in enumerate(blocks) if n in lost}


def test_every_pattern_of_losses_of_a_frame_of_six_slices_and_three_repairs():
    blocks = [bytes([number * 7 + 1] * 5) for number in range(6)]
    repairs = {number: repair_block(blocks, number) for number in range(3)}
    for pattern in range(1 << 9):
        have = {n: blocks[n] for n in range(6) if pattern >> n & 1}
        came = {n: repairs[n] for n in range(3) if pattern >> (6 + n) & 1}
        enough = len(have) + len(came) >= 6
        found = recover(have, came, 6)
        assert have | found == (dict(enumerate(blocks)) if enough else have)


def test_the_first_repair_block_is_the_exclusive_or():
    blocks = [b"\x01\x02\x03", b"\xf0", b"\x55\xaa"]
    expected = reduce(np.bitwise_xor, [np.frombuffer(b.ljust(3, b"\0"), np.uint8) for b in blocks])
    assert repair_block(blocks, 0) == expected.tobytes()


def test_the_matrix_is_that_of_the_specification():
    """docs/bitstream.md, written out with polynomials."""

    def times(a, b):
        product = 0
        for bit in range(8):
            product ^= (a << bit) * (b >> bit & 1)
        for bit in range(14, 7, -1):
            product ^= (0x11D << (bit - 8)) * (product >> bit & 1)
        return product

    def factor(repair, block):
        divisor = (255 - repair) ^ block
        (inverse,) = (x for x in range(1, 256) if times(x, divisor) == 1)
        return times(255 ^ block, inverse)

    for repair in range(4):
        for block in range(9):
            blocks = [b"\0"] * block + [b"\1"] + [b"\0"] * 3
            assert repair_block(blocks, repair)[0] == factor(repair, block)
    assert [repair_block([b"\1", b"\2"], repair).hex() for repair in (0, 1)] == ["03", "9a"]


def test_the_limit_of_the_field():
    blocks = [bytes([number]) for number in range(250)]
    repairs = {number: repair_block(blocks, number) for number in range(6)}
    found = recover({n: block for n, block in enumerate(blocks) if n % 50}, repairs, 250)
    assert found == {n: blocks[n] for n in range(0, 250, 50)}
    with pytest.raises(ValueError, match="256"):
        repair_block(blocks, 6)
