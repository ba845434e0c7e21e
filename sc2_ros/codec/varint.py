# Copyright 2026 The sc2_ros authors
# SPDX-License-Identifier: Apache-2.0
"""Whole numbers in as few bytes as they need: 7 bits a byte, lowest first (LEB128).

The top bit of a byte says that another one follows. A number with a sign is folded first (zigzag):
0, -1, 1, -2, 2 become 0, 1, 2, 3, 4.
"""

from __future__ import annotations

from sc2_ros.errors import PacketError

_SIGN_BIT = 63


def varint(value: int) -> bytes:
    """The bytes of a number that is not negative."""
    result = bytearray()
    while value > 127:
        result.append(value & 127 | 128)
        value >>= 7
    result.append(value)
    return bytes(result)


def read_varint(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """The number that begins at byte `at`, and where it ends.

    Raises:
        PacketError: it is cut off, has more than `bits` bits or more bytes than it needs.
    """
    value = 0
    for shift in range(0, bits, 7):
        if at >= len(data):
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            if value >> bits or (shift and not byte):
                break
            return value, at
    raise PacketError(f"a number that is cut off, over {bits} bits or longer than it needs be")


def zigzag(value: int) -> int:
    """An i64 as a u64 that is small where the i64 is near 0."""
    return value << 1 ^ value >> _SIGN_BIT


def from_zigzag(value: int) -> int:
    """The inverse of `zigzag`."""
    return value >> 1 ^ -(value & 1)
